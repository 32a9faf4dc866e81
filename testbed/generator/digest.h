// SHA-256, for rows, documents and files.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sitegen {

class Digest {
 public:
  Digest();
  void Add(std::string_view bytes);
  /// Adds the length before the bytes, so that ("ab", "c") and ("a", "bc") differ.
  void AddField(std::string_view bytes);
  void AddNull();
  /// The 32 bytes; the digest starts anew.
  std::string Take();
  /// The same in hexadecimal.
  std::string TakeHex();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

std::string ToHex(std::string_view bytes);
/// The digest of a set: the same whatever the order of `digests`, which are sorted here.
std::string DigestOfSet(std::vector<std::string>& digests);

}  // namespace sitegen
