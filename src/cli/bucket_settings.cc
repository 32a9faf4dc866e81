#include "cli/bucket_settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/hash.h"
#include "http/url.h"

namespace oxbackup {
namespace {

void CheckNoControls(std::string_view text, std::string_view variable) {
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  if (std::ranges::none_of(text, is_control)) return;
  throw Error(ErrorKind::kUsage,
              fmt::format("{} has a line break or another control character", variable))
      .Hint("set it to one line of text; a file that it was read from may end with such a line");
}

// They become headers of requests, in which a line break would begin another one.
std::string HeaderTextOf(const SettingValues& settings, std::string_view name,
                         std::string_view variable) {
  std::string text = settings.TextOr(name, "");
  CheckNoControls(text, variable);
  return text;
}

s3::Addressing AddressingOf(const SettingValues& settings) {
  const std::string text = settings.TextOr("s3-addressing-style", "auto");
  if (text == "path") return s3::Addressing::kPath;
  return text == "virtual" ? s3::Addressing::kVirtual : s3::Addressing::kAuto;
}

std::string CustomerKeyOf(const SettingValues& settings) {
  const std::string text = settings.Secret("s3-sse-customer-key");
  if (text.empty()) return {};
  constexpr size_t kKeyBytes = 32;
  const std::optional<std::string> key = Base64Decode(text);
  if (key && key->size() == kKeyBytes) return *key;
  throw Error(ErrorKind::kUsage, "S3_SSE_CUSTOMER_KEY has to be 32 bytes in Base64")
      .Hint("openssl rand -base64 32 makes one; keep it: without it the archive cannot be read");
}

s3::Encryption EncryptionOf(const SettingValues& settings) {
  s3::Encryption encryption;
  encryption.customer_key = CustomerKeyOf(settings);
  if (!settings.Knows("s3-sse")) return encryption;
  const std::string sse = settings.TextOr("s3-sse", "none");
  encryption.sse_s3 = sse == "AES256";
  encryption.sse_kms = sse == "aws:kms";
  encryption.kms_key_id = HeaderTextOf(settings, "s3-sse-kms-key-id", "S3_SSE_KMS_KEY_ID");
  if (!encryption.kms_key_id.empty() && !encryption.sse_kms) {
    throw Error(ErrorKind::kUsage, "S3_SSE_KMS_KEY_ID is set, and S3_SSE is not aws:kms")
        .Hint("set S3_SSE=aws:kms, or leave the key out");
  }
  if (sse != "none" && !encryption.customer_key.empty()) {
    throw Error(ErrorKind::kUsage, "S3_SSE and S3_SSE_CUSTOMER_KEY are both set")
        .Hint("the server encrypts with its own key or with yours, not with both");
  }
  return encryption;
}

// As the x-amz-tagging header has them. The limits are S3's.
std::string TagsOf(const SettingValues& settings) {
  constexpr size_t kMostTags = 10;
  std::vector<std::pair<std::string, std::string>> tags;
  for (const std::string& text : settings.List("s3-tags")) {
    CheckNoControls(text, "S3_TAGS");
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ErrorKind::kUsage, fmt::format("S3_TAGS: '{}' is no NAME=VALUE", text))
          .Hint("for example S3_TAGS=site=campus,kind=backup");
    }
    tags.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (tags.size() > kMostTags) {
    throw Error(ErrorKind::kUsage, "S3_TAGS: an object has at most 10 tags");
  }
  return EncodeQuery(std::move(tags));
}

void ReadObjectLock(const SettingValues& values, s3::Settings& settings) {
  settings.lock_mode = values.TextOr("s3-object-lock-mode", "");
  settings.lock_days = values.Count("s3-object-lock-days");
  if (settings.lock_mode.empty() == settings.lock_days.has_value()) {
    throw Error(ErrorKind::kUsage,
                "S3_OBJECT_LOCK_MODE and S3_OBJECT_LOCK_DAYS have to be set together")
        .Hint("for example S3_OBJECT_LOCK_MODE=GOVERNANCE S3_OBJECT_LOCK_DAYS=30");
  }
  constexpr int kMostDays = 36'500;  // S3's own limit for a bucket's default
  if (settings.lock_days.value_or(1) > kMostDays) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("S3_OBJECT_LOCK_DAYS is {}, and can be at most 36,500", *settings.lock_days))
        .Hint("nothing removes an archive before its days have passed: 30 are usual");
  }
}

// What only new objects need.
void ReadObjectSettings(const SettingValues& values, s3::Settings& settings) {
  if (values.TextOr("s3-request-checksum-calculation", "when_required") == "when_supported") {
    settings.checksums = s3::Checksums::kWhenSupported;
  }
  settings.storage_class = HeaderTextOf(values, "s3-storage-class", "S3_STORAGE_CLASS");
  settings.tags = TagsOf(values);
  ReadObjectLock(values, settings);
}

}  // namespace

BucketAccess BucketAccessOf(const SettingValues& settings) {
  BucketAccess access{.settings = {},
                      .bucket = settings.TextOr("s3-bucket", ""),
                      .environment = ProcessEnvironment()};
  s3::Settings& s3 = access.settings;
  s3.endpoint = settings.TextOr("s3-endpoint-url", "");
  s3.use_ssl = settings.Bool("s3-use-ssl");
  s3.credentials = {.access_key = settings.Secret("s3-access-key"),
                    .secret_key = settings.Secret("s3-secret-access-key"),
                    .session_token = settings.Secret("s3-session-token"),
                    .profile = settings.TextOr("s3-profile", ""),
                    .region = HeaderTextOf(settings, "s3-region", "S3_REGION_NAME")};
  s3.addressing = AddressingOf(settings);
  if (settings.TextOr("s3-signature-version", "s3v4") == "s3") {
    s3.signature = s3::SignatureVersion::kV2;
  }
  s3.ca_file = settings.TextOr("s3-ca-file", "");
  if (!s3.ca_file.empty() && ::access(s3.ca_file.c_str(), R_OK) != 0) {
    throw SystemError(ErrorKind::kUsage, fmt::format("cannot read {} (S3_CA_FILE)", s3.ca_file),
                      errno)
        .Hint("name the file with the authority that signed the server's certificate, in PEM");
  }
  s3.encryption = EncryptionOf(settings);
  if (settings.Knows("s3-storage-class")) ReadObjectSettings(settings, s3);
  return access;
}

}  // namespace oxbackup
