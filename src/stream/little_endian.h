// Integers in little-endian byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace oxbackup {

/// Appends the lowest `bytes` bytes of `value`.
inline void AppendLittleEndian(std::string& out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
}

/// Reads 4 bytes; 0 when `from` does not hold them.
inline uint32_t ReadLittleEndian32(std::string_view from, size_t at) {
  if (at > from.size() || from.size() - at < 4) return 0;
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = (value << 8) | static_cast<unsigned char>(from[at + i]);
  return value;
}

}  // namespace oxbackup
