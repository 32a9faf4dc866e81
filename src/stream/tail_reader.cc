#include "stream/tail_reader.h"

#include <algorithm>

namespace oxbackup {

TailReader::TailReader(const RangedSource& source) : source_(source), size_(source.Size()) {
  tail_.resize(static_cast<size_t>(std::min(kTailBytes, size_)));
  if (!tail_.empty()) source_.ReadAt(size_ - tail_.size(), tail_.data(), tail_.size());
}

std::string TailReader::Read(uint64_t offset, uint64_t size) {
  const uint64_t tail_begin = size_ - tail_.size();
  if (offset >= tail_begin) {
    return tail_.substr(static_cast<size_t>(offset - tail_begin), static_cast<size_t>(size));
  }
  std::string bytes(static_cast<size_t>(size), '\0');
  const uint64_t before = std::min(size, tail_begin - offset);
  source_.ReadAt(offset, bytes.data(), static_cast<size_t>(before));
  tail_.copy(bytes.data() + before, static_cast<size_t>(size - before));
  return bytes;
}

}  // namespace oxbackup
