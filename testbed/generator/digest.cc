#include "digest.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

namespace sitegen {

namespace {

void Start(EVP_MD_CTX* context) {
  if (EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL has no SHA-256");
  }
}

}  // namespace

Digest::Digest() : context_(EVP_MD_CTX_new()) { Start(context_.get()); }

void Digest::Add(std::string_view bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

void Digest::AddField(std::string_view bytes) {
  uint64_t size = bytes.size() + 1;
  Add({reinterpret_cast<const char*>(&size), sizeof size});
  Add(bytes);
}

void Digest::AddNull() {
  uint64_t none = 0;
  Add({reinterpret_cast<const char*>(&none), sizeof none});
}

std::string Digest::Take() {
  std::string bytes(32, '\0');
  EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(bytes.data()), nullptr);
  Start(context_.get());
  return bytes;
}

std::string Digest::TakeHex() { return ToHex(Take()); }

std::string ToHex(std::string_view bytes) {
  std::string text;
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string DigestOfSet(std::vector<std::string>& digests) {
  std::sort(digests.begin(), digests.end());
  Digest all;
  for (const std::string& one : digests) all.Add(one);
  return all.TakeHex();
}

}  // namespace sitegen
