// Where a bucket answers: addresses of requests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "http/url.h"
#include "store/s3/settings.h"

namespace oxbackup::s3 {

/// Query parameters; an empty value is sent as "name=".
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// The address of one bucket. Immutable; another region or endpoint makes another one.
class Endpoint {
 public:
  /// Whether the parts of an upload have to be of one size there: Cloudflare R2.
  static bool WantsEqualParts(const Settings& settings);

  /// Throws Error(kUsage) when the bucket's, the endpoint's or (of AWS) the region's name is
  /// impossible, and when a customer's key would travel without TLS. `region`: not empty.
  Endpoint(const Settings& settings, std::string bucket, std::string region);

  /// The URL of an object, or of the bucket when `key` is empty.
  std::string UrlOf(const std::string& key, const Parameters& parameters) const;
  /// "/bucket/key", encoded: what Signature Version 2 signs.
  std::string ResourceOf(const std::string& key) const;

  const std::string& region() const { return region_; }
  const std::string& bucket() const { return bucket_; }
  /// Whether a host of AWS answers.
  bool is_aws() const { return is_aws_; }
  /// Whether it is AWS's own host for the region, as no endpoint was set.
  bool is_regional() const { return is_regional_; }

  friend bool operator==(const Endpoint&, const Endpoint&) = default;

 private:
  std::string bucket_;
  std::string region_;
  bool is_aws_ = false;
  bool is_regional_ = false;
  bool virtual_host_ = false;
  Url base_;
};

}  // namespace oxbackup::s3
