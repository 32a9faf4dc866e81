#include "base/hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <xxhash.h>

#include <array>
#include <utility>

#include "base/error.h"

namespace oxbackup {

namespace {

// What OpenSSL writes a digest into.
class DigestBuffer {
 public:
  unsigned char* data() { return bytes_.data(); }
  unsigned int* size() { return &size_; }
  std::string Text() const { return {reinterpret_cast<const char*>(bytes_.data()), size_}; }

 private:
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes_{};
  unsigned int size_ = 0;
};

std::string Digest(const EVP_MD* algorithm, const char* name, std::string_view bytes) {
  DigestBuffer digest;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), digest.size(), algorithm, nullptr) !=
      1) {
    throw Error(ErrorKind::kInternal, fmt::format("OpenSSL cannot make {}", name));
  }
  return digest.Text();
}

std::string Hmac(const EVP_MD* algorithm, const char* name, std::string_view key,
                 std::string_view message) {
  DigestBuffer digest;
  if (HMAC(algorithm, key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(),
           digest.size()) == nullptr) {
    throw Error(ErrorKind::kInternal, fmt::format("OpenSSL cannot make {}", name));
  }
  return digest.Text();
}

// The six bits that a character stands for; -1 for one that is none of the 64.
int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

}  // namespace

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    out.push_back(kDigits[value >> 4]);
    out.push_back(kDigits[value & 15]);
  }
  return out;
}

std::optional<std::string> FromHex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (size_t at = 0; at < text.size(); at += 2) {
    const size_t high = kDigits.find(text[at]);
    const size_t low = kDigits.find(text[at + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

struct RunningDigest::State {
  State(const EVP_MD* the_algorithm, const char* the_name)
      : context(EVP_MD_CTX_new()), algorithm(the_algorithm), name(the_name) {
    Start();
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void Start() const {
    if (context == nullptr) Fail();
    Check(EVP_DigestInit_ex(context, algorithm, nullptr));
  }
  void Check(int result) const {
    if (result != 1) Fail();
  }
  [[noreturn]] void Fail() const {
    throw Error(ErrorKind::kInternal, fmt::format("OpenSSL cannot make {}", name));
  }

  EVP_MD_CTX* context;
  const EVP_MD* algorithm;
  const char* name;
};

RunningDigest::RunningDigest(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunningDigest::~RunningDigest() = default;
RunningDigest::RunningDigest(RunningDigest&&) noexcept = default;
RunningDigest& RunningDigest::operator=(RunningDigest&&) noexcept = default;

void RunningDigest::Update(std::string_view bytes) {
  state_->Check(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()));
}

std::string RunningDigest::FinishHex() {
  DigestBuffer digest;
  state_->Check(EVP_DigestFinal_ex(state_->context, digest.data(), digest.size()));
  state_->Start();
  return Hex(digest.Text());
}

Sha256::Sha256() : RunningDigest(std::make_unique<State>(EVP_sha256(), "a SHA-256")) {}
Md5::Md5() : RunningDigest(std::make_unique<State>(EVP_md5(), "an MD5")) {}

std::string Sha256Hex(std::string_view bytes) { return Hex(Sha256Raw(bytes)); }

std::string Sha256Raw(std::string_view bytes) { return Digest(EVP_sha256(), "a SHA-256", bytes); }
std::string Md5Raw(std::string_view bytes) { return Digest(EVP_md5(), "an MD5", bytes); }

std::string HmacSha256(std::string_view key, std::string_view message) {
  return Hmac(EVP_sha256(), "an HMAC-SHA256", key, message);
}

std::string HmacSha1(std::string_view key, std::string_view message) {
  return Hmac(EVP_sha1(), "an HMAC-SHA1", key, message);
}

std::string Base64(std::string_view bytes) {
  // One more byte for the zero that OpenSSL ends the text with.
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

std::optional<std::string> Base64Decode(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    const int value = Base64Value(c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>(bits >> count));
    }
  }
  // Padding that is missing or too long, and bits beyond the last byte, show here.
  if (Base64(bytes) != text) return std::nullopt;
  return bytes;
}

Sha256Digest::Sha256Digest(std::string_view hex) : set_(!hex.empty()) {
  if (!set_) return;
  const auto value = [](char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; };
  for (size_t i = 0; i < bytes_.size(); ++i) {
    bytes_[i] = static_cast<char>(value(hex[2 * i]) << 4 | value(hex[2 * i + 1]));
  }
}

std::string Sha256Digest::Hex() const {
  return set_ ? oxbackup::Hex({bytes_.data(), bytes_.size()}) : std::string();
}

uint64_t Xxh3_64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string Xxh3_128Hex(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

void ContentDigest::Add(std::string_view canonical_bytes) {
  const XXH128_hash_t hash = XXH3_128bits(canonical_bytes.data(), canonical_bytes.size());
  low_ += hash.low64;
  high_ += hash.high64 + (low_ < hash.low64 ? 1 : 0);
  ++count_;
}

void ContentDigest::Merge(const ContentDigest& other) {
  low_ += other.low_;
  high_ += other.high_ + (low_ < other.low_ ? 1 : 0);
  count_ += other.count_;
}

std::string ContentDigest::Hex() const { return fmt::format("{:016x}{:016x}", high_, low_); }

}  // namespace oxbackup
