// Verification of a whole archive, and comparison of two.
#pragma once

#include <cstdint>

#include "archive/archive_reader.h"
#include "archive/manifest.h"
#include "base/run_context.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// Reads every byte of one of our archives on `threads` threads and throws Error(kCorrupt), naming
/// the block or member, when any byte of the file is not what the manifest, the index or the
/// format say: stored digests of blocks, checks inside blocks, tar headers and padding, SHA-256 of
/// members, the manifest's own SHA-256, the index, nothing before, between or behind. Every
/// member, directories and links too, is handed to `inspector` on the way (for content digests; it
/// may be empty), as ArchiveReader::Read would.
void CheckWholeArchive(const RangedSource& source, int threads, const MemberConsumer& inspector,
                       const RunContext& run);

/// Reads every stored byte and compares it with the digests in the manifest, without decompressing:
/// what a backup does with what it has just written. Throws Error(kCorrupt).
void CheckStoredBytes(const RangedSource& source, const RunContext& run);

/// How much of `newer` lies in blocks that `older` has too (by stored digest).
struct BlockDiff {
  uint64_t blocks = 0;
  uint64_t shared_blocks = 0;
  uint64_t stored_bytes = 0;
  uint64_t shared_bytes = 0;
};
BlockDiff DiffBlocks(const Manifest& older, const Manifest& newer);

}  // namespace oxbackup
