#include "http/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <mutex>

#include "base/error.h"
#include "base/text.h"

namespace oxbackup {
namespace {

// One connection of the pool: a handle, and a multi handle that a stop request can wake.
class Connection {
 public:
  Connection() : easy_(curl_easy_init()), multi_(curl_multi_init()) {
    if (easy_ == nullptr || multi_ == nullptr) {
      throw Error(ErrorKind::kInternal, "libcurl cannot make a handle");
    }
  }
  ~Connection() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  CURL* easy() const { return easy_; }
  CURLM* multi() const { return multi_; }

 private:
  CURL* easy_;
  CURLM* multi_;
};

// libcurl's global state is set up once, before the first handle, and never torn down: other
// libraries of the process use it too.
void SetUpOnce() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

// What the callbacks of one call work on.
struct Call {
  const HttpRequest& request;
  size_t max_body;
  HttpResponse response;
  size_t sent = 0;
  bool too_long = false;
};

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto& call = *static_cast<Call*>(user);
  std::string_view line(data, size * count);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    // A new answer: those before it were "100 Continue" or a proxy's.
    call.response.headers.clear();
    const size_t space = line.find(' ');
    const std::string_view code = space == std::string_view::npos ? "" : line.substr(space + 1);
    call.response.status = 0;
    std::from_chars(code.data(), code.data() + code.size(), call.response.status);
  } else if (const size_t colon = line.find(':'); colon != std::string_view::npos) {
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
      value.remove_prefix(1);
    call.response.headers.emplace_back(LowerCase(line.substr(0, colon)), value);
  }
  return size * count;
}

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& [request, max_body, response, sent, too_long] = *static_cast<Call*>(user);
  const size_t bytes = size * count;
  const bool into =
      request.into.data() != nullptr && response.status >= 200 && response.status < 300;
  const size_t room =
      into ? request.into.size() - response.into_size : max_body - response.body.size();
  if (bytes > room) {
    too_long = true;
    return CURL_WRITEFUNC_ERROR;
  }
  if (into) {
    std::memcpy(request.into.data() + response.into_size, data, bytes);
    response.into_size += bytes;
  } else {
    response.body.append(data, bytes);
  }
  return bytes;
}

size_t OnSend(char* buffer, size_t size, size_t count, void* user) {
  auto& call = *static_cast<Call*>(user);
  const size_t bytes = std::min(size * count, call.request.body.size() - call.sent);
  std::memcpy(buffer, call.request.body.data() + call.sent, bytes);
  call.sent += bytes;
  return bytes;
}

// A connection that was kept may turn out to be closed: libcurl then sends the body again.
int OnSeek(void* user, curl_off_t offset, int origin) {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Call*>(user)->sent = static_cast<size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

bool IsAboutCertificates(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_ISSUER_ERROR;
}

// What is spoken there is no TLS: the names that libraries and their versions have for that.
bool IsNoTls(std::string_view detail) {
  return detail.find("wrong version number") != std::string_view::npos ||
         detail.find("packet length too long") != std::string_view::npos ||
         detail.find("unexpected TLS packet") != std::string_view::npos;
}

Error TransportError(CURLcode code, const std::string& place, const char* detail) {
  Error error(ErrorKind::kStore, fmt::format("no answer from {}", place));
  error.Cause(*detail != '\0' ? detail : curl_easy_strerror(code));
  if (IsAboutCertificates(code)) {
    const bool of_time = error.cause().find("expired") != std::string::npos ||
                         error.cause().find("not yet valid") != std::string::npos;
    if (of_time) return error.Hint("set this machine's clock, or renew the server's certificate");
    return error.Hint(
        "its certificate has to be signed by an authority of this machine, or name the one that "
        "signed it: S3_CA_FILE or AWS_CA_BUNDLE");
  }
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
      if (!IsNoTls(error.cause())) error.Transient();
      return error.Hint(
          "check that TLS is spoken there: where it is not, the address begins with http:// "
          "(S3_USE_SSL=false where it has no scheme)");
    case CURLE_UNSUPPORTED_PROTOCOL:
      if (error.cause().find("HTTP/0.9") == std::string::npos) return error;
      return error.Hint(
          "no HTTP is spoken there: check the address and its port; where it is TLS, the address "
          "begins with https:// (where it has no scheme: without S3_USE_SSL=false)");
    case CURLE_URL_MALFORMAT:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_NOT_BUILT_IN:
      return error;
    default:
      return error.Transient().Hint(
          "check the address, that the service runs and that this machine reaches it (proxies: "
          "https_proxy, no_proxy)");
  }
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(HttpOptions options) : options_(std::move(options)) { SetUpOnce(); }

  HttpResponse Perform(const HttpRequest& request, const std::stop_token& stop) override {
    std::unique_ptr<Connection> connection = Borrow();
    Call call{.request = request, .max_body = options_.max_body, .response = {}};
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_reset(connection->easy());
    curl_slist* const headers = Prepare(connection->easy(), call, detail);
    const CURLcode code = Drive(*connection, stop);
    curl_slist_free_all(headers);
    if (stop.stop_requested()) throw CancelledError();
    if (call.too_long) {
      throw Error(ErrorKind::kStore,
                  fmt::format("the answer of {} is longer than it may be", PlaceOf(request)))
          .Cause("a server that does not keep to the range that was asked for, or no S3 at all");
    }
    if (code != CURLE_OK) throw TransportError(code, PlaceOf(request), detail);
    GiveBack(std::move(connection));
    return std::move(call.response);
  }

 private:
  // The address without path and query, which may hold what should not be in a log.
  static std::string PlaceOf(const HttpRequest& request) {
    const size_t begin = request.url.find("://");
    return request.url.substr(0, request.url.find('/', begin == std::string::npos ? 0 : begin + 3));
  }

  std::unique_ptr<Connection> Borrow() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    return std::make_unique<Connection>();
  }

  void GiveBack(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }

  curl_slist* Prepare(CURL* easy, Call& call, char* detail) const {
    const HttpRequest& request = call.request;
    curl_slist* headers = nullptr;
    for (const auto& [name, value] : request.headers) {
      // A header without a value is sent as "name;", and dropped as "name:".
      headers =
          curl_slist_append(headers, (value.empty() ? name + ";" : name + ": " + value).c_str());
    }
    // Else libcurl waits a second for servers that do not know it, and guesses a type.
    headers = curl_slist_append(headers, "Expect:");
    if (!HasContentType(request)) headers = curl_slist_append(headers, "Content-Type:");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    // A call that is given up does not wait for a name server that does not answer.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &call);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L << 10);
    SetBody(easy, call);
    SetOptions(easy, request);
    return headers;
  }

  static bool HasContentType(const HttpRequest& request) {
    return std::ranges::any_of(request.headers, [](const auto& header) {
      return LowerCase(header.first) == "content-type";
    });
  }

  static void SetBody(CURL* easy, Call& call) {
    const HttpRequest& request = call.request;
    if (request.method == "GET") return;
    if (request.method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
      return;
    }
    if (request.method == "DELETE" && request.body.empty()) {
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
      return;
    }
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, &OnSend);
    curl_easy_setopt(easy, CURLOPT_READDATA, &call);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, &OnSeek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, &call);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
  }

  void SetOptions(CURL* easy, const HttpRequest& request) const {
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(options_.connect_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(options_.stall_timeout.count()));
    if (request.timeout.count() > 0) {
      curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    }
    if (!options_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    if (!options_.user_agent.empty()) {
      curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
    }
    if (!options_.use_proxy) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  }

  static CURLcode Drive(const Connection& connection, const std::stop_token& stop) {
    CURLM* const multi = connection.multi();
    curl_multi_add_handle(multi, connection.easy());
    CURLcode code = CURLE_OK;
    {
      const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
      int running = 1;
      while (running > 0 && !stop.stop_requested()) {
        if (curl_multi_perform(multi, &running) != CURLM_OK) {
          code = CURLE_FAILED_INIT;
          break;
        }
        constexpr int kLongestWaitMs = 10'000;
        if (running > 0) curl_multi_poll(multi, nullptr, 0, kLongestWaitMs, nullptr);
      }
    }
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    curl_multi_remove_handle(multi, connection.easy());
    return code;
  }

  const HttpOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
};

}  // namespace

std::optional<std::string> HttpResponse::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::unique_ptr<HttpClient> MakeHttpClient(const HttpOptions& options) {
  return std::make_unique<CurlClient>(options);
}

}  // namespace oxbackup
