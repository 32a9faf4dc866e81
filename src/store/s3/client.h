// Requests to one bucket: addressed, signed, tried again, and their refusals explained.
#pragma once

#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/run_context.h"
#include "http/http_client.h"
#include "http/retrier.h"
#include "store/s3/credentials/credentials.h"
#include "store/s3/endpoint.h"
#include "store/s3/s3_error.h"
#include "store/s3/settings.h"

namespace oxbackup::s3 {

/// One call. What it refers to has to stay until it has returned.
struct Operation {
  std::string method;
  std::string key = {};  ///< empty: the bucket
  Parameters parameters = {};
  HttpHeaders headers = {};
  std::string_view body = {};
  std::span<char> into = {};
  std::chrono::milliseconds timeout{0};  ///< of one try; 0: none
  bool once = false;                     ///< not again after a transient error
  Request request = {};                  ///< for errors
  /// Statuses that are returned beside 200 to 299, 404 for one.
  std::vector<int> expected = {};
};

/// Thread-safe.
class Client {
 public:
  /// `region`: where to begin; a bucket that lies elsewhere says so. All references have to outlive
  /// the client.
  Client(const Settings& settings, const std::string& bucket, std::string region, HttpClient& http,
         CredentialSource& credentials, Retrier& retrier, const RunContext& run);

  /// The time, by the server's clock where ours was found to be off by more than it tolerates.
  TimePoint Now() const { return run_.clock.Now() + CurrentRoute().clock_ahead; }

  /// Makes the call, again while its errors are transient. Returns the answer when its status is
  /// 200 to 299 or expected. Throws as MakeError, HttpClient::Perform and CredentialSource::Get do.
  HttpResponse Call(const Operation& operation, const std::stop_token& stop);

  const std::string& bucket() const { return bucket_; }
  const Settings& settings() const { return settings_; }
  const RunContext& run() const { return run_; }

 private:
  struct Route {
    Endpoint endpoint;
    std::chrono::milliseconds clock_ahead{0};  // how far the server's clock is ahead of ours
  };

  HttpResponse CallOnce(const Operation& operation, const std::stop_token& stop);
  HttpResponse Send(const Operation& operation, const Route& route, const Credentials& keys,
                    const std::stop_token& stop);
  // Whether another route may help, which is then taken from now on.
  bool Reroute(const HttpResponse& response, const ServerError& server, const Route& used);
  bool MoveTo(const std::string& region, bool redirected, const Route& used);
  bool SetClock(const HttpResponse& response, const Route& used);
  Route CurrentRoute() const;

  const Settings settings_;
  const std::string bucket_;
  HttpClient& http_;
  CredentialSource& credentials_;
  Retrier& retrier_;
  const RunContext run_;
  mutable std::mutex mutex_;
  Route route_;  // guarded by mutex_
};

}  // namespace oxbackup::s3
