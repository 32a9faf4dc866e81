// Content-defined cutting: where one chunk of rows or documents ends and the next begins.
#pragma once

#include <cstdint>
#include <string_view>

namespace oxbackup {

/// Sizes of a chunk, bytes. A chunk is built in memory, so `kMaxChunkBytes` is what a worker
/// reserves for it; only a single larger row or document exceeds it.
inline constexpr uint64_t kMinChunkBytes = uint64_t{1} << 20;
inline constexpr uint64_t kTargetChunkBytes = uint64_t{6} << 20;
inline constexpr uint64_t kMaxChunkBytes = uint64_t{16} << 20;

/// Decides after each item whether the chunk ends there. The decision depends on the item's key and
/// size and on the bytes since the last cut, not on counts, so a changed row moves the cuts around
/// it only and later chunks come out as they did before (docs/format.md, "Same data, same blocks").
/// One thread at a time.
class ChunkCutter {
 public:
  /// `key`: bytes that identify the item (its primary key or _id; the whole item where it has
  /// none). `item_bytes`: its size in the chunk. True when the chunk ends after this item.
  bool CutAfter(std::string_view key, uint64_t item_bytes);
  /// True when an item of this size has to begin a new chunk, since the present one would grow past
  /// kMaxChunkBytes; an empty chunk takes any item.
  bool CutBefore(uint64_t item_bytes) const;
  /// Starts a new chunk (after a cut, or at a range's fixed border).
  void Reset() { bytes_ = 0; }

 private:
  uint64_t bytes_ = 0;
};

}  // namespace oxbackup
