// Verification of a whole archive, and comparison of two.
#pragma once

#include <functional>
#include <string>

#include "archive/manifest.h"
#include "base/run_context.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// Gets every member's content once more while an archive is verified (for content digests).
/// Called by several threads at once.
using MemberInspector =
    std::function<void(const std::string& path, ByteSource& content)>;

/// Reads every byte of one of our archives on `threads` threads and throws Error(kCorrupt), naming
/// the block or member, when any byte of the file is not what the manifest, the index or the
/// format say: stored digests of blocks, checks inside blocks, tar headers and padding, SHA-256 of
/// members, the manifest's own SHA-256, the index, nothing before, between or behind. `inspector`
/// may be empty.
void CheckWholeArchive(const RangedSource& source, int threads, const MemberInspector& inspector,
                       const RunContext& run);

/// How much of `newer` lies in blocks that `older` has too (by stored digest).
struct BlockDiff {
  uint64_t blocks = 0;
  uint64_t shared_blocks = 0;
  uint64_t stored_bytes = 0;
  uint64_t shared_bytes = 0;
};
BlockDiff DiffBlocks(const Manifest& older, const Manifest& newer);

}  // namespace oxbackup
