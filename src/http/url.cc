#include "http/url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/error.h"

namespace oxbackup {
namespace {

using CurlUrl = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string Encode(std::string_view text, bool keep_slash) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c) || (keep_slash && c == '/')) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string Part(const CurlUrl& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK || text == nullptr) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

// What is wrong with it must be told without a password that may stand in it.
Error UrlError(const std::string& why) {
  return Error(ErrorKind::kUsage, "this is no address of a web service: " + why)
      .Hint("for example https://s3.example.com or http://minio:9000");
}

}  // namespace

std::string Url::ToString() const {
  return fmt::format("{}://{}{}{}{}", scheme, Authority(), path, query.empty() ? "" : "?", query);
}

Url ParseUrl(std::string_view text) {
  const CurlUrl handle(curl_url(), &curl_url_cleanup);
  const std::string copy(text);
  const CURLUcode code = curl_url_set(handle.get(), CURLUPART_URL, copy.c_str(), CURLU_PATH_AS_IS);
  if (code != CURLUE_OK) throw UrlError(curl_url_strerror(code));
  Url url{.scheme = Part(handle, CURLUPART_SCHEME),
          .host = Part(handle, CURLUPART_HOST),
          .port = Part(handle, CURLUPART_PORT),
          .path = Part(handle, CURLUPART_PATH),
          .query = Part(handle, CURLUPART_QUERY)};
  if (url.scheme != "http" && url.scheme != "https") {
    throw UrlError(fmt::format("it begins with {}://", url.scheme));
  }
  if (!Part(handle, CURLUPART_USER).empty() || !Part(handle, CURLUPART_PASSWORD).empty()) {
    throw UrlError("it has a user or a password in it");
  }
  if (url.port == (url.scheme == "http" ? "80" : "443")) url.port.clear();
  return url;
}

std::string EncodeUrlPart(std::string_view text) { return Encode(text, false); }
std::string EncodeUrlPath(std::string_view text) { return Encode(text, true); }

std::string DecodeUrlPart(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && DigitOf(text[i + 1]) >= 0 &&
        DigitOf(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(DigitOf(text[i + 1]) << 4 | DigitOf(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string EncodeQuery(std::vector<std::pair<std::string, std::string>> parameters) {
  for (auto& [name, value] : parameters) {
    name = EncodeUrlPart(name);
    value = EncodeUrlPart(value);
  }
  std::ranges::sort(parameters);
  std::string out;
  for (const auto& [name, value] : parameters) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  }
  return out;
}

}  // namespace oxbackup
