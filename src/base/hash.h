// SHA-256 for integrity, XXH3 for content digests, and what web services sign and check with.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace oxbackup {

/// Returns the bytes as lower-case hexadecimal.
std::string Hex(std::string_view bytes);
/// The bytes that lower-case hexadecimal stands for; nothing for any other text.
[[nodiscard]] std::optional<std::string> FromHex(std::string_view text);

/// A digest that is made piece by piece (OpenSSL). One thread at a time.
class RunningDigest {
 public:
  ~RunningDigest();
  RunningDigest(RunningDigest&&) noexcept;
  RunningDigest& operator=(RunningDigest&&) noexcept;

  void Update(std::string_view bytes);
  /// Returns the digest in hexadecimal and starts anew.
  std::string FinishHex();

 protected:
  struct State;
  explicit RunningDigest(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

class Sha256 : public RunningDigest {
 public:
  Sha256();
};

/// Against accidents on the way alone, as Md5Raw.
class Md5 : public RunningDigest {
 public:
  Md5();
};

std::string Sha256Hex(std::string_view bytes);
/// The 32 bytes themselves.
std::string Sha256Raw(std::string_view bytes);
/// MD5, 16 bytes: against accidents on the way alone (Content-MD5, ETags). Throws Error(kInternal)
/// where OpenSSL is set up to refuse it (FIPS).
std::string Md5Raw(std::string_view bytes);

/// 32 and 20 bytes. The key may be of any length.
std::string HmacSha256(std::string_view key, std::string_view message);
std::string HmacSha1(std::string_view key, std::string_view message);

/// RFC 4648, section 4: with padding, in one line.
std::string Base64(std::string_view bytes);
/// The reverse; nothing for text that Base64() would not have written.
[[nodiscard]] std::optional<std::string> Base64Decode(std::string_view text);

/// A SHA-256 or none, without the memory that its text takes: an archive may have a million.
class Sha256Digest {
 public:
  Sha256Digest() = default;
  /// REQUIRES: `hex` is empty or 64 lower-case hexadecimal digits.
  explicit Sha256Digest(std::string_view hex);

  bool empty() const { return !set_; }
  std::string Hex() const;

  friend bool operator==(const Sha256Digest&, const Sha256Digest&) = default;

 private:
  std::array<char, 32> bytes_{};
  bool set_ = false;
};

/// The XXH3 64-bit hash, seed 0. Stable across versions and machines (xxHash 0.8 and later).
uint64_t Xxh3_64(std::string_view bytes);
/// The XXH3 128-bit hash, seed 0, as 32 hexadecimal digits, high half first.
std::string Xxh3_128Hex(std::string_view bytes);

/// Digest of a set of rows or documents: the sum modulo 2^128 of each one's XXH3 128-bit hash, and
/// their number. It does not depend on order nor on how the set was cut into parts, so the same
/// value comes from a source, an archive and a restored target (docs/format.md, "Content digest").
/// One thread at a time; workers keep one each and Merge them.
class ContentDigest {
 public:
  void Add(std::string_view canonical_bytes);
  void Merge(const ContentDigest& other);

  uint64_t count() const { return count_; }
  /// 32 hexadecimal digits, high half first.
  std::string Hex() const;

  friend bool operator==(const ContentDigest&, const ContentDigest&) = default;

 private:
  uint64_t high_ = 0;
  uint64_t low_ = 0;
  uint64_t count_ = 0;
};

}  // namespace oxbackup
