// Random numbers that depend on nothing but a seed and a name: each row and document draws from a
// generator of its own, so content does not depend on which worker makes it, or when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sitegen {

/// SplitMix64: small, fast, and the same on every machine (the standard distributions are not).
class Random {
 public:
  /// The generator of the item `index` of the collection `name`.
  Random(uint64_t seed, std::string_view name, uint64_t index) : state_(seed) {
    for (char c : name) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    state_ ^= index * 0x9e3779b97f4a7c15ULL;
    Next();
  }

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  /// 0 to limit - 1. REQUIRES: limit > 0.
  uint64_t Below(uint64_t limit) { return Next() % limit; }
  int Int(int low, int high) {
    return low + static_cast<int>(Below(static_cast<uint64_t>(high - low) + 1));
  }
  bool Percent(unsigned percent) { return Below(100) < percent; }

  std::string Bytes(size_t count) {
    std::string bytes(count, '\0');
    for (size_t i = 0; i < count; i += 8) {
      uint64_t word = Next();
      for (size_t j = i; j < count && j < i + 8; j++, word >>= 8) {
        bytes[j] = static_cast<char>(word & 0xff);
      }
    }
    return bytes;
  }

 private:
  uint64_t state_;
};

}  // namespace sitegen
