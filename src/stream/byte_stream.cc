#include "stream/byte_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace oxbackup {

size_t RangedByteSource::Read(char* buffer, size_t size) {
  const size_t now = static_cast<size_t>(std::min<uint64_t>(size, left_));
  if (now == 0) return 0;
  source_.ReadAt(offset_, buffer, now);
  offset_ += now;
  left_ -= now;
  return now;
}

size_t MemoryByteSource::Read(char* buffer, size_t size) {
  const size_t now = std::min(size, left_.size());
  if (now > 0) std::memcpy(buffer, left_.data(), now);
  left_.remove_prefix(now);
  return now;
}

void MemoryRangedSource::ReadAt(uint64_t offset, char* buffer, size_t size) const {
  if (offset > bytes_.size() || size > bytes_.size() - offset) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} ends early: it has {} bytes, {} were wanted",
                                                 name_, bytes_.size(), offset + size));
  }
  if (size > 0) std::memcpy(buffer, bytes_.data() + offset, size);
}

std::string ReadAll(ByteSource& source, uint64_t limit) {
  constexpr size_t kStep = size_t{64} << 10;
  std::string all;
  while (true) {
    const size_t before = all.size();
    all.resize(before + kStep);
    const size_t now = source.Read(all.data() + before, kStep);
    all.resize(before + now);
    if (now == 0) return all;
    if (all.size() > limit) {
      throw Error(ErrorKind::kCorrupt, fmt::format("more than the {} bytes expected", limit));
    }
  }
}

}  // namespace oxbackup
