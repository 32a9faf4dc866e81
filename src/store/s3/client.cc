#include "store/s3/client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "store/s3/signature.h"

namespace oxbackup::s3 {
namespace {

// A signature holds for a quarter of an hour around its time.
constexpr std::chrono::minutes kToleratedSkew{10};

bool IsExpected(const Operation& operation, int status) {
  return std::ranges::find(operation.expected, status) != operation.expected.end();
}

}  // namespace

Client::Client(const Settings& settings, const std::string& bucket, std::string region,
               HttpClient& http, CredentialSource& credentials, Retrier& retrier,
               const RunContext& run)
    : settings_(settings),
      bucket_(bucket),
      http_(http),
      credentials_(credentials),
      retrier_(retrier),
      run_(run),
      route_{.endpoint = Endpoint(settings, bucket, std::move(region))} {}

Client::Route Client::CurrentRoute() const {
  const std::lock_guard lock(mutex_);
  return route_;
}

HttpResponse Client::Call(const Operation& operation, const std::stop_token& stop) {
  if (operation.once) return CallOnce(operation, stop);
  return retrier_.Run(operation.request.what.empty() ? operation.method : operation.request.what,
                      stop, [&] { return CallOnce(operation, stop); });
}

HttpResponse Client::CallOnce(const Operation& operation, const std::stop_token& stop) {
  // Another region, another clock, new keys: each is learnt at most once a call.
  constexpr int kRoutes = 4;
  for (int attempt = 1;; ++attempt) {
    const Route route = CurrentRoute();
    const Credentials keys = credentials_.Get(stop);
    HttpResponse response = Send(operation, route, keys, stop);
    const bool refused = response.ok() && operation.into.data() == nullptr &&
                         operation.method == "POST" && HoldsError(response);
    if (response.ok() && !refused) return response;
    const ServerError server = ReadServerError(response);
    if (attempt < kRoutes && Reroute(response, server, route)) continue;
    if (attempt < kRoutes && HasExpired(server) && credentials_.Renew(keys)) continue;
    // A wrong key or region says nothing about the object that was asked for.
    if (!refused && IsExpected(operation, response.status) && !IsAboutAccess(server)) {
      return response;
    }
    Error error = MakeError(operation.request, response.status, server);
    if (IsAboutAccess(server) && !keys.origin.empty())
      error.While("using the keys of " + keys.origin);
    throw error;
  }
}

HttpResponse Client::Send(const Operation& operation, const Route& route, const Credentials& keys,
                          const std::stop_token& stop) {
  HttpRequest request{.method = operation.method,
                      .url = route.endpoint.UrlOf(operation.key, operation.parameters),
                      .headers = operation.headers,
                      .body = operation.body,
                      .into = operation.into,
                      .timeout = operation.timeout};
  const TimePoint now = run_.clock.Now() + route.clock_ahead;
  if (settings_.signature == SignatureVersion::kV2) {
    SignV2(request, keys, route.endpoint.ResourceOf(operation.key), now);
  } else {
    SignV4(request, keys, route.endpoint.region(), "s3", Sha256Hex(operation.body), now);
  }
  return http_.Perform(request, stop);
}

bool Client::Reroute(const HttpResponse& response, const ServerError& server, const Route& used) {
  const bool redirected = response.status == 301 || response.status == 307;
  const bool elsewhere = redirected || server.code == "PermanentRedirect" ||
                         server.code == "TemporaryRedirect" ||
                         server.code == "AuthorizationHeaderMalformed" ||
                         server.code == "IllegalLocationConstraintException" ||
                         (response.status == 400 && !server.region.empty());
  if (elsewhere) return MoveTo(server.region, redirected, used);
  if (response.status == 403) return SetClock(response, used);
  return false;
}

bool Client::MoveTo(const std::string& region, bool redirected, const Route& used) {
  // AWS answers for a region's buckets on that region's own hosts alone. Elsewhere, behind a VPC's
  // endpoint too, the region is only what is signed for.
  const bool leave_host = redirected && used.endpoint.is_aws() && !used.endpoint.is_regional();
  if (region.empty() || (region == used.endpoint.region() && !leave_host)) return false;
  const std::lock_guard lock(mutex_);
  if (route_.endpoint != used.endpoint) return true;  // another call was told so too
  Settings settings = settings_;
  if (leave_host || used.endpoint.is_regional()) settings.endpoint.clear();
  route_.endpoint = Endpoint(settings, bucket_, region);
  run_.log.Info("the bucket {} lies in {}: going on there (set S3_REGION_NAME to it)", bucket_,
                region);
  return true;
}

// A refusal of a HEAD has no body that could name its reason: the Date header tells as much.
bool Client::SetClock(const HttpResponse& response, const Route& used) {
  const std::optional<std::string> date = response.Header("date");
  if (!date) return false;
  const time_t seconds = curl_getdate(date->c_str(), nullptr);
  if (seconds < 0) return false;
  const auto ahead = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::from_time_t(seconds) - run_.clock.Now());
  if (std::chrono::abs(ahead - used.clock_ahead) < kToleratedSkew) return false;
  const std::lock_guard lock(mutex_);
  if (route_.clock_ahead != used.clock_ahead) return true;  // another call was told so too
  route_.clock_ahead = ahead;
  run_.warnings.Add(fmt::format(
      "this machine's clock is {} {} that of the bucket {}: requests are signed with the "
      "server's time",
      FormatDuration(std::chrono::abs(ahead)), ahead.count() > 0 ? "behind" : "ahead of", bucket_));
  return true;
}

}  // namespace oxbackup::s3
