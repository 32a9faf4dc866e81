#include "archive/chunk_cutter.h"

#include "base/hash.h"

namespace oxbackup {

bool ChunkCutter::CutAfter(std::string_view key, uint64_t item_bytes) {
  bytes_ += item_bytes;
  if (bytes_ < kMinChunkBytes) return false;
  if (bytes_ >= kMaxChunkBytes) return true;
  // A byte ends a chunk with the probability 1 / (target - least), whatever the size of the rows,
  // so the decision for one row depends on that row alone.
  constexpr uint64_t kThresholdPerByte = UINT64_MAX / (kTargetChunkBytes - kMinChunkBytes);
  const uint64_t limit = item_bytes >= kTargetChunkBytes - kMinChunkBytes
                             ? UINT64_MAX
                             : kThresholdPerByte * item_bytes;
  return Xxh3_64(key) < limit;
}

bool ChunkCutter::CutBefore(uint64_t item_bytes) const {
  return bytes_ > 0 && bytes_ + item_bytes > kMaxChunkBytes;
}

}  // namespace oxbackup
