#include "store/s3/endpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace oxbackup::s3 {
namespace {

// Names that can be a part of a host's name under one certificate: "General purpose bucket naming
// rules" of the Amazon S3 User Guide, without the dots that they allow.
bool CanBeInHost(const std::string& bucket) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return bucket.size() >= 3 && bucket.size() <= 63 && std::ranges::all_of(bucket, fits) &&
         bucket.front() != '-' && bucket.back() != '-';
}

void CheckBucket(const std::string& bucket) {
  const auto odd = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '/' || c == '?' || c == '#' || c == '\x7F';
  };
  if (!bucket.empty() && bucket != "." && bucket != ".." && std::ranges::none_of(bucket, odd)) {
    return;
  }
  throw Error(ErrorKind::kUsage, bucket.empty()
                                     ? "no bucket is named"
                                     : fmt::format("'{}' cannot be a bucket's name", bucket))
      .Hint("s3://BUCKET or s3://BUCKET/FOLDER, or set S3_BUCKET_NAME");
}

std::string AwsHost(const std::string& region) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (!std::ranges::all_of(region, fits)) {
    throw Error(ErrorKind::kUsage, fmt::format("AWS has no region '{}'", region))
        .Hint(
            "set S3_REGION_NAME (for example eu-central-1), or S3_ENDPOINT_URL for another "
            "service");
  }
  const bool china = region.starts_with("cn-");
  return fmt::format("s3.{}.amazonaws.com{}", region, china ? ".cn" : "");
}

bool IsAwsHost(const std::string& host) {
  return host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
}

Url BaseOf(const Settings& settings, const std::string& region) {
  const std::string scheme = settings.use_ssl ? "https://" : "http://";
  if (settings.endpoint.empty()) return ParseUrl(scheme + AwsHost(region));
  const bool has_scheme = settings.endpoint.find("://") != std::string::npos;
  try {
    Url url = ParseUrl(has_scheme ? settings.endpoint : scheme + settings.endpoint);
    while (url.path.ends_with('/')) url.path.pop_back();
    url.query.clear();
    return url;
  } catch (Error& error) {
    error.While("reading S3_ENDPOINT_URL");
    throw;
  }
}

}  // namespace

bool Endpoint::WantsEqualParts(const Settings& settings) {
  if (settings.endpoint.empty()) return false;
  // The region is in no host that is set.
  return BaseOf(settings, "").host.ends_with(".r2.cloudflarestorage.com");
}

Endpoint::Endpoint(const Settings& settings, std::string bucket, std::string region)
    : bucket_(std::move(bucket)), region_(std::move(region)) {
  CheckBucket(bucket_);
  base_ = BaseOf(settings, region_);
  while (base_.path.ends_with('/')) base_.path.pop_back();
  is_regional_ = settings.endpoint.empty();
  is_aws_ = is_regional_ || IsAwsHost(base_.host);
  if (!settings.encryption.customer_key.empty() && base_.scheme != "https") {
    throw Error(ErrorKind::kUsage, "S3_SSE_CUSTOMER_KEY would travel in the clear")
        .Hint(
            "use an https:// address in S3_ENDPOINT_URL (S3_USE_SSL): servers refuse such keys "
            "over http too");
  }
  const bool can = CanBeInHost(bucket_);
  if (settings.addressing == Addressing::kVirtual && !can) {
    throw Error(ErrorKind::kUsage,
                fmt::format("the bucket '{}' cannot be a part of a host's name", bucket_))
        .Hint("set S3_ADDRESSING_STYLE to path or auto");
  }
  virtual_host_ = settings.addressing == Addressing::kVirtual ||
                  (settings.addressing == Addressing::kAuto && is_aws_ && can);
  if (virtual_host_) base_.host = bucket_ + "." + base_.host;
}

std::string Endpoint::UrlOf(const std::string& key, const Parameters& parameters) const {
  Url url = base_;
  if (!virtual_host_) url.path += "/" + EncodeUrlPart(bucket_);
  if (!key.empty() || url.path.empty()) url.path += "/" + EncodeUrlPath(key);
  url.query = EncodeQuery(parameters);
  return url.ToString();
}

std::string Endpoint::ResourceOf(const std::string& key) const {
  // The path as it is sent: servers disagree with a '/' that is not there.
  if (key.empty() && !virtual_host_) return "/" + EncodeUrlPart(bucket_);
  return "/" + EncodeUrlPart(bucket_) + "/" + EncodeUrlPath(key);
}

}  // namespace oxbackup::s3
