// What an operator can set about a bucket.
#pragma once

#include <optional>
#include <string>

#include "store/s3/credentials/credentials.h"

namespace oxbackup::s3 {

/// Where the bucket's name stands in the URL: https://host/bucket or https://bucket.host. kAuto:
/// the latter for AWS's own hosts, the former elsewhere.
enum class Addressing { kAuto, kPath, kVirtual };
enum class SignatureVersion { kV4, kV2 };
/// Whether checksums beyond the signature's and Content-MD5 are sent: kWhenSupported for every
/// object, kWhenRequired only where entity tags are no MD5 (SSE-KMS, SSE-C). Old servers refuse
/// them.
enum class Checksums { kWhenRequired, kWhenSupported };

/// Server-side encryption; at most one of the three.
struct Encryption {
  bool sse_s3 = false;       ///< with keys of the server
  bool sse_kms = false;      ///< with a key of a key service
  std::string kms_key_id;    ///< of it; empty: the account's own
  std::string customer_key;  ///< SSE-C: 32 bytes that go along with every request; empty: none

  /// Whether a part's entity tag is its MD5.
  bool EtagIsMd5() const { return !sse_kms && customer_key.empty(); }
};

struct Settings {
  std::string endpoint;            ///< URL, or host[:port]; empty: AWS's of the region
  bool use_ssl = true;             ///< when the endpoint has no scheme
  CredentialSettings credentials;  ///< with the region
  Addressing addressing = Addressing::kAuto;
  SignatureVersion signature = SignatureVersion::kV4;
  Checksums checksums = Checksums::kWhenRequired;
  std::string ca_file;  ///< PEM; empty: the system's authorities
  Encryption encryption;

  /// Whether each part goes with a SHA-256 of its own, and objects are asked for theirs.
  bool SendsSha256() const {
    return checksums == Checksums::kWhenSupported || !encryption.EtagIsMd5();
  }

  std::string storage_class;     ///< empty: the bucket's default
  std::string lock_mode;         ///< GOVERNANCE, COMPLIANCE; empty: no retention
  std::optional<int> lock_days;  ///< how long an archive cannot be removed
  int archive_format = 0;        ///< told in a new object's metadata; 0: nothing
  std::string tags;              ///< as the x-amz-tagging header has them: "a=b&c=d", encoded
};

}  // namespace oxbackup::s3
