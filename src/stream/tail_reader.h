// Reads near the end of a source with few requests.
#pragma once

#include <cstdint>
#include <string>

#include "stream/byte_stream.h"

namespace oxbackup {

/// Keeps the source's last bytes, fetched by one request, and serves reads out of them; what lies
/// before is read from the source. One thread at a time. The source must outlive it.
class TailReader {
 public:
  /// Large enough for the index and manifest of a site of some gigabytes, small enough to cost less
  /// than a second request.
  static constexpr uint64_t kTailBytes = uint64_t{512} << 10;

  explicit TailReader(const RangedSource& source);

  uint64_t size() const { return size_; }
  /// Reads exactly `size` bytes. REQUIRES: offset + size <= size(). Throws as RangedSource does.
  std::string Read(uint64_t offset, uint64_t size);

 private:
  const RangedSource& source_;
  uint64_t size_;
  std::string tail_;
};

}  // namespace oxbackup
