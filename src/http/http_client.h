// Requests over HTTP, by libcurl: one interface for buckets, for the services that give credentials
// and for whoever wants to be told of a run.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oxbackup {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// One request. `body` and `into` are the caller's and have to stay until the call has returned.
struct HttpRequest {
  std::string method = "GET";
  std::string url = {};      ///< absolute, path and query percent-encoded
  HttpHeaders headers = {};  ///< beside Host and Content-Length, which follow from the rest
  std::string_view body = {};
  /// Where the body of a response of status 200 to 299 goes instead of HttpResponse::body. One that
  /// is longer than this ends the call with an Error.
  std::span<char> into = {};
  /// For the whole call; 0: as long as bytes keep coming (HttpOptions::stall_timeout).
  std::chrono::milliseconds timeout{0};
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;   ///< names in lower case
  std::string body;      ///< at most HttpOptions::max_body bytes
  size_t into_size = 0;  ///< bytes that were written to HttpRequest::into

  bool ok() const { return status >= 200 && status < 300; }
  /// The first header of that name (lower case); nothing when there is none.
  [[nodiscard]] std::optional<std::string> Header(std::string_view name) const;
};

/// Thread-safe. Proxies, certificates and time limits are the implementation's.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Sends the request and returns whatever the server answers, errors of the server included;
  /// redirects are not followed. Throws Error(kStore) when there is no answer: transient() for lost
  /// connections, time-outs and names that cannot be resolved now, final for certificates that do
  /// not hold; Error(kCancelled) at once when `stop` is requested.
  virtual HttpResponse Perform(const HttpRequest& request, const std::stop_token& stop) = 0;
};

struct HttpOptions {
  std::string ca_file = {};  ///< PEM; empty: the system's authorities
  std::string user_agent = {};
  bool use_proxy = true;  ///< as http_proxy, https_proxy, all_proxy and no_proxy say
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::seconds stall_timeout{60};  ///< without a byte in either direction
  size_t max_body = size_t{64} << 20;      ///< of HttpResponse::body, bytes
};

/// libcurl's. Connections are kept and used again, one for each call that runs at the same time.
std::unique_ptr<HttpClient> MakeHttpClient(const HttpOptions& options);

}  // namespace oxbackup
