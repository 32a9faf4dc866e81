#include "store/s3/object_headers.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <charconv>

#include "base/hash.h"
#include "base/version.h"

namespace oxbackup::s3 {
namespace {

uint64_t NumberOf(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "bytes 0-499/1234" tells the whole size behind the slash; without it the body is the whole.
uint64_t SizeOf(const HttpResponse& response) {
  if (const auto range = response.Header("content-range")) {
    const size_t slash = range->find('/');
    if (slash != std::string::npos) return NumberOf(std::string_view(*range).substr(slash + 1));
  }
  return NumberOf(response.Header("content-length").value_or("0"));
}

ObjectLock LockOf(const HttpResponse& response) {
  ObjectLock lock;
  if (const auto until = response.Header("x-amz-object-lock-retain-until-date")) {
    lock.until = ParseRfc3339(*until);
  }
  lock.held = response.Header("x-amz-object-lock-legal-hold") == "ON";
  return lock;
}

}  // namespace

HttpHeaders CustomerKeyHeaders(const Encryption& encryption) {
  if (encryption.customer_key.empty()) return {};
  return {
      {"x-amz-server-side-encryption-customer-algorithm", "AES256"},
      {"x-amz-server-side-encryption-customer-key", Base64(encryption.customer_key)},
      {"x-amz-server-side-encryption-customer-key-MD5", Base64(Md5Raw(encryption.customer_key))}};
}

HttpHeaders NewObjectHeaders(const Settings& settings, TimePoint now) {
  HttpHeaders headers = CustomerKeyHeaders(settings.encryption);
  headers.emplace_back("Content-Type", "application/octet-stream");
  headers.emplace_back("x-amz-meta-tool", fmt::format("openedx-backup/{}", kVersion));
  if (settings.archive_format > 0) {
    headers.emplace_back("x-amz-meta-format", std::to_string(settings.archive_format));
  }
  if (settings.encryption.sse_s3) headers.emplace_back("x-amz-server-side-encryption", "AES256");
  if (settings.encryption.sse_kms) {
    headers.emplace_back("x-amz-server-side-encryption", "aws:kms");
    if (!settings.encryption.kms_key_id.empty()) {
      headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id",
                           settings.encryption.kms_key_id);
    }
  }
  if (!settings.storage_class.empty()) {
    headers.emplace_back("x-amz-storage-class", settings.storage_class);
  }
  if (!settings.lock_mode.empty()) {
    const TimePoint until = now + std::chrono::hours(24) * settings.lock_days.value_or(1);
    headers.emplace_back("x-amz-object-lock-mode", settings.lock_mode);
    headers.emplace_back("x-amz-object-lock-retain-until-date", FormatRfc3339(until));
  }
  if (!settings.tags.empty()) headers.emplace_back("x-amz-tagging", settings.tags);
  return headers;
}

bool ConfirmsEncryption(const HttpResponse& response, const Encryption& encryption) {
  const std::string with = response.Header("x-amz-server-side-encryption").value_or("");
  if (encryption.sse_s3) return with == "AES256";
  if (encryption.sse_kms) return with.starts_with("aws:kms");
  return encryption.customer_key.empty() ||
         response.Header("x-amz-server-side-encryption-customer-algorithm").has_value();
}

ObjectHead ReadObjectHead(const HttpResponse& response, const ObjectId& asked) {
  ObjectHead head;
  head.id = asked;
  if (const auto version = response.Header("x-amz-version-id")) head.id.version = *version;
  if (const auto etag = response.Header("etag")) head.id.etag = PlainEtag(*etag);
  head.size = SizeOf(response);
  if (const auto modified = response.Header("last-modified")) {
    head.modified =
        std::chrono::system_clock::from_time_t(curl_getdate(modified->c_str(), nullptr));
  }
  head.checksum_sha256 = response.Header("x-amz-checksum-sha256").value_or("");
  head.checksum_md5 = response.Header("x-amz-meta-checksum-md5").value_or("");
  head.mark = response.Header("x-amz-meta-upload").value_or("");
  head.delete_marker = response.Header("x-amz-delete-marker") == "true";
  head.lock = LockOf(response);
  return head;
}

}  // namespace oxbackup::s3
