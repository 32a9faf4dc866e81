// Verification: is an archive what it says, and is a live site what the archive says?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "archive/manifest.h"
#include "engine/site.h"
#include "store/store.h"

namespace oxbackup {

enum class VerifyDepth {
  kQuick,  ///< index and manifest
  kFull,   ///< every byte, member and content digest
};

struct VerifyReport {
  std::string archive;
  Manifest manifest;  ///< without its members and blocks
  VerifyDepth depth = VerifyDepth::kFull;
  uint64_t bytes_read = 0;
  uint64_t members = 0;
  uint64_t objects = 0;               ///< tables, collections and trees whose digest was compared
  std::vector<std::string> not_held;  ///< components of the site that the archive lacks
  std::vector<std::string> differences;  ///< between live site and archive, a sentence each
};

/// Throws Error(kCorrupt) naming the first thing that is wrong. A foreign archive, which has
/// nothing to be compared with, is only read through (kFull) and reported with an empty manifest.
VerifyReport VerifyArchive(Store& store, const ObjectId& archive, VerifyDepth depth, int threads,
                           const RunContext& run);

/// Compares the running site with the manifest of an archive. Throws Error(kNotFound) when the
/// archive holds nothing that any of `comparers` compares.
VerifyReport CompareWithLive(const Manifest& manifest, const std::string& archive,
                             LiveComparers& comparers, const RunContext& run);

}  // namespace oxbackup
