#include "store/s3/signature.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/text.h"
#include "http/url.h"

namespace oxbackup::s3 {
namespace {

// By name in lower case, in the order of the bytes; values of one name joined as servers join them.
using CanonicalHeaders = std::map<std::string, std::string>;

// Without white space around it, and with single spaces inside.
std::string Collapsed(std::string_view value) {
  std::string out;
  for (const std::string& word : SplitNonEmpty(value, " \t")) {
    if (!out.empty()) out.push_back(' ');
    out += word;
  }
  return out;
}

CanonicalHeaders Canonical(const HttpHeaders& headers) {
  CanonicalHeaders canonical;
  for (const auto& [name, value] : headers) {
    const auto [at, is_new] = canonical.try_emplace(LowerCase(name), Collapsed(value));
    if (!is_new) at->second += "," + Collapsed(value);
  }
  return canonical;
}

std::string ValueOf(const CanonicalHeaders& headers, const std::string& name) {
  const auto at = headers.find(name);
  return at == headers.end() ? std::string() : at->second;
}

void SetHeader(HttpRequest& request, const std::string& name, std::string value) {
  const std::string lower = LowerCase(name);
  std::erase_if(request.headers,
                [&](const auto& header) { return LowerCase(header.first) == lower; });
  if (!value.empty()) request.headers.emplace_back(name, std::move(value));
}

std::tm Utc(TimePoint time) {
  return fmt::gmtime(
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time)));
}

std::string SigningKey(const std::string& secret, const std::string& date, std::string_view region,
                       std::string_view service) {
  return HmacSha256(HmacSha256(HmacSha256(HmacSha256("AWS4" + secret, date), region), service),
                    "aws4_request");
}

// What a query parameter has to be called to belong to the resource that is signed: the guide's
// list, cors and tagging, as AWS, MinIO and Ceph have them. They disagree about those of object
// locks.
bool IsSubresource(std::string_view name) {
  static constexpr std::array<std::string_view, 18> kNames = {
      "acl",          "cors",       "delete",    "lifecycle",      "location", "logging",
      "notification", "partNumber", "policy",    "requestPayment", "tagging",  "torrent",
      "uploadId",     "uploads",    "versionId", "versioning",     "versions", "website"};
  return name.starts_with("response-") || std::ranges::find(kNames, name) != kNames.end();
}

// The subresources of a query, sorted, with their values as they are before encoding.
std::string Subresources(const std::string& query) {
  std::vector<std::string> found;
  for (const std::string& parameter : SplitNonEmpty(query, "&")) {
    const size_t equals = parameter.find('=');
    const std::string name = DecodeUrlPart(parameter.substr(0, equals));
    if (!IsSubresource(name)) continue;
    const std::string value =
        equals == std::string::npos ? "" : DecodeUrlPart(parameter.substr(equals + 1));
    found.push_back(value.empty() ? name : name + "=" + value);
  }
  std::ranges::sort(found);
  return found.empty() ? "" : fmt::format("?{}", fmt::join(found, "&"));
}

}  // namespace

void SignV4(HttpRequest& request, const Credentials& credentials, std::string_view region,
            std::string_view service, std::string_view payload_sha256, TimePoint now) {
  const std::tm time = Utc(now);
  const std::string date = fmt::format("{:%Y%m%d}", time);
  const std::string stamp = fmt::format("{:%Y%m%dT%H%M%SZ}", time);
  SetHeader(request, "Authorization", "");
  SetHeader(request, "X-Amz-Date", stamp);
  SetHeader(request, "X-Amz-Security-Token", credentials.session_token);
  // Other services neither need nor know it.
  if (service == "s3") SetHeader(request, "X-Amz-Content-Sha256", std::string(payload_sha256));

  const Url url = ParseUrl(request.url);
  CanonicalHeaders headers = Canonical(request.headers);
  headers["host"] = url.Authority();
  std::string lines;
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) {
    lines += fmt::format("{}:{}\n", name, value);
    names.push_back(name);
  }
  const std::string signed_headers = fmt::format("{}", fmt::join(names, ";"));
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, url.path,
                                            url.query, lines, signed_headers, payload_sha256);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", date, region, service);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", stamp, scope, Sha256Hex(canonical));
  const std::string signature =
      Hex(HmacSha256(SigningKey(credentials.secret_key, date, region, service), to_sign));
  SetHeader(request, "Authorization",
            fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                        credentials.access_key, scope, signed_headers, signature));
}

std::string AuthorizationV2(const HttpRequest& request, const Credentials& credentials,
                            std::string_view resource) {
  const CanonicalHeaders headers = Canonical(request.headers);
  std::string amz;
  for (const auto& [name, value] : headers) {
    if (name.starts_with("x-amz-")) amz += fmt::format("{}:{}\n", name, value);
  }
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}\n{}{}{}", request.method, ValueOf(headers, "content-md5"),
                  ValueOf(headers, "content-type"), ValueOf(headers, "date"), amz, resource,
                  Subresources(ParseUrl(request.url).query));
  return fmt::format("AWS {}:{}", credentials.access_key,
                     Base64(HmacSha1(credentials.secret_key, to_sign)));
}

void SignV2(HttpRequest& request, const Credentials& credentials, std::string_view resource,
            TimePoint now) {
  SetHeader(request, "Date", fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", Utc(now)));
  SetHeader(request, "X-Amz-Security-Token", credentials.session_token);
  SetHeader(request, "Authorization", AuthorizationV2(request, credentials, resource));
}

}  // namespace oxbackup::s3
