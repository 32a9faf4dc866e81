// URLs: their parts, and percent-encoding as AWS's signatures want it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oxbackup {

/// The parts of an http:// or https:// URL, path and query still encoded.
struct Url {
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< without port; an IPv6 address in its brackets
  std::string port;    ///< empty when it is the scheme's own
  std::string path;    ///< begins with '/'
  std::string query;   ///< without '?'

  /// Host and port as the Host header has them.
  std::string Authority() const { return port.empty() ? host : host + ":" + port; }
  std::string ToString() const;

  friend bool operator==(const Url&, const Url&) = default;
};

/// Throws Error(kUsage) for anything else than an absolute http or https URL, and for one with a
/// user or a password.
Url ParseUrl(std::string_view text);

/// Percent-encodes all but A-Z a-z 0-9 - . _ ~ (RFC 3986, unreserved), with upper-case digits.
std::string EncodeUrlPart(std::string_view text);
/// The same, but '/' stays.
std::string EncodeUrlPath(std::string_view text);
/// The reverse; '+' is a plus. Bytes after a '%' that is not followed by two digits stay.
std::string DecodeUrlPart(std::string_view text);

/// "a=1&b=", encoded and sorted by name and value, as canonical query strings are.
std::string EncodeQuery(std::vector<std::pair<std::string, std::string>> parameters);

}  // namespace oxbackup
