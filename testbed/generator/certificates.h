// Certificates and private keys that any TLS program can read, and that are the same for a seed:
// Ed25519 signs without random numbers.
#pragma once

#include <cstdint>
#include <string>

namespace sitegen {

struct Certificate {
  std::string certificate_pem;
  std::string key_pem;
};

/// A certificate for `host`, signed by itself, valid from 2024 to 2044.
Certificate MakeCertificate(uint64_t seed, const std::string& host);

}  // namespace sitegen
