// The digest of a tree as it is on disk.
#pragma once

#include <string>

#include "base/run_context.h"
#include "files/tree_digest.h"
#include "files/tree_walk.h"

namespace oxbackup::files {

/// Reads the whole tree on `threads` threads. `component` gets the progress. What cannot be part of
/// an archive (sockets, …) is not part of the digest either. Throws Error(kSource) for what cannot
/// be read.
TreeDigest ReadTreeDigest(const TreeRoot& root, const std::string& component, int threads,
                          const RunContext& run);

}  // namespace oxbackup::files
