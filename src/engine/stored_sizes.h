// How much of an archive file each table, collection and folder takes.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "archive/manifest.h"

namespace oxbackup {

/// Bytes of the file, by component and by object of the manifest that they were computed from (the
/// pointers are into it). A member of a megabyte or more has blocks of its own, so the size of what
/// is large is exact; members that share a block share its size by what they are before
/// compression.
struct StoredSizes {
  std::map<std::string, uint64_t> components;
  std::map<const ObjectEntry*, uint64_t>
      objects;  ///< without those that have no member of their own
};

/// REQUIRES: the manifest was parsed and has its lists.
StoredSizes StoredSizesOf(const Manifest& manifest);

}  // namespace oxbackup
