// What tests of places for keys share: a server that imitates AWS's services, an environment, a
// clock.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/kept_log_testing.h"
#include "base/temporary_folder_testing.h"
#include "http/http_client.h"
#include "http/http_server_testing.h"
#include "store/s3/credentials/credentials.h"

namespace oxbackup::s3 {

/// A clock that a test sets.
class SettableClock final : public Clock {
 public:
  TimePoint Now() const override { return TimePoint(TimePoint::duration(now_)); }
  void Set(const char* rfc3339) { now_ = ParseRfc3339(rfc3339).value().time_since_epoch().count(); }

 private:
  std::atomic<TimePoint::rep> now_ = 0;
};

/// Sends every request to one server, whatever host it is meant for, and notes for which it was.
class ReroutingClient final : public HttpClient {
 public:
  explicit ReroutingClient(std::string server_url) : server_url_(std::move(server_url)) {}
  HttpResponse Perform(const HttpRequest& request, const std::stop_token& stop) override;
  std::vector<std::string> Urls() const;
  /// The time limit of the last request.
  std::chrono::milliseconds LastTimeout() const;

 private:
  const std::string server_url_;
  const std::unique_ptr<HttpClient> client_ = MakeHttpClient({.use_proxy = false});
  mutable std::mutex mutex_;
  std::vector<std::string> urls_;              // guarded by mutex_
  std::chrono::milliseconds last_timeout_{0};  // guarded by mutex_
};

/// Sources of keys in an environment that is empty at first, with a server that answers 404 at
/// first. It is 2026-11-26T12:00:00Z.
class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest();
  ~CredentialsTest() override;

  /// What the server answers from now on.
  void Answer(TestHttpServer::Handler handler);
  /// The same, always with this.
  void Answer(const TestHttpResponse& response);

  std::unique_ptr<CredentialSource> Make(const CredentialSettings& settings = {});
  Credentials Get(const CredentialSettings& settings = {}) { return Make(settings)->Get({}); }
  /// The Error that Get ends with. It fails the test when there is none or when it has a secret in
  /// it.
  Error Failure(const CredentialSettings& settings = {});
  Error FailureOf(CredentialSource& source);

  /// A file in a folder of the test; returns its path.
  std::string File(const std::string& name, const std::string& text);

  /// The JSON that services of containers and machines answer with.
  static std::string KeysJson(const std::string& access_key, const std::string& expiration);

  std::map<std::string, std::string> environment_;  // before Make
  SettableClock clock_;
  KeptLog log_;
  TemporaryFolder folder_;

 private:
  std::mutex mutex_;
  TestHttpServer::Handler handler_;  // guarded by mutex_

 protected:
  TestHttpServer server_;
  ReroutingClient http_;
  ReroutingClient local_http_;
};

/// All that an error says, in one text.
std::string WholeText(const Error& error);

}  // namespace oxbackup::s3
