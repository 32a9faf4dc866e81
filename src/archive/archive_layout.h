// Where blocks and members lie, computed from a manifest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "archive/manifest.h"

namespace oxbackup {

/// Offsets of all blocks and members. The manifest must outlive it and have passed CheckLayout, as
/// every parsed one has. Thread-safe.
class ArchiveLayout {
 public:
  /// `header_size`: bytes of the file before the first block.
  ArchiveLayout(const Manifest& manifest, uint64_t header_size);

  const Manifest& manifest() const { return manifest_; }
  size_t block_count() const { return manifest_.blocks.size(); }
  /// Of a block's first byte in the raw tar stream; for block_count() the end of the last one.
  uint64_t raw_begin(size_t block) const { return raw_begins_[block]; }
  /// Of a block's first byte in the file.
  uint64_t stored_begin(size_t block) const { return stored_begins_[block]; }
  /// Of the first byte of a member's header in the raw tar stream.
  uint64_t header_begin(size_t member) const;
  /// The block that holds a byte of the raw stream. REQUIRES: before the end of the last block.
  size_t BlockAt(uint64_t raw_offset) const;

  /// Members that share no block with those before and behind them: [first, last).
  struct Unit {
    size_t first = 0;
    size_t last = 0;
  };
  /// All members, in order.
  std::vector<Unit> Units() const;

 private:
  const Manifest& manifest_;
  std::vector<uint64_t> raw_begins_;
  std::vector<uint64_t> stored_begins_;
};

/// Throws Error(kCorrupt) unless members and blocks fit each other: sizes in their ranges, members
/// one behind the other from the first block's begin to the last one's end, paths safe.
void CheckLayout(const Manifest& manifest);

}  // namespace oxbackup
