// A bucket on a small server of the test's own, for answers that real servers cannot be made to
// give.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_budget.h"
#include "base/progress.h"
#include "http/http_server_testing.h"
#include "http/retrier.h"
#include "store/s3/bucket.h"
#include "store/s3/client.h"
#include "store/s3/credentials/credentials_testing.h"

namespace oxbackup::s3 {

/// The bucket "backups", folder "f/", on a server that answers 404 at first. All requests reach it,
/// whatever host they are for. It is 2026-11-26T12:00:00Z; what is tried again is so at once.
class ServedBucketTest : public testing::Test {
 protected:
  ServedBucketTest();
  ~ServedBucketTest() override;

  /// What the server answers from now on.
  void Answer(TestHttpServer::Handler handler);

  /// Made at the first call, of `settings_`, `region_` and `keys_`.
  Client& client();
  const Bucket& bucket();

  /// What a call ends with; it fails the test when nothing is thrown.
  template <class Body>
  static Error ErrorOf(Body&& body) {
    try {
      body();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {ErrorKind::kInternal, "nothing was thrown"};
  }

  std::vector<TestHttpRequest> Requests() const { return server_.Requests(); }
  /// The URLs that were asked for, in order.
  std::vector<std::string> Urls() const { return http_.Urls(); }

  Settings settings_;  // its endpoint is http://s3.example.com
  std::string region_ = "us-east-1";
  RetryPolicy policy_;
  SettableClock clock_;
  KeptLog log_;
  Warnings warnings_{log_};
  std::stop_source stop_;
  ByteBudget budget_{uint64_t{256} << 20};
  Progress progress_;
  RunContext run_{stop_.get_token(), log_, warnings_, progress_, budget_, clock_};

 private:
  std::mutex mutex_;
  TestHttpServer::Handler handler_;  // guarded by mutex_

 protected:
  TestHttpServer server_;
  ReroutingClient http_;

 private:
  std::unique_ptr<CredentialSource> credentials_;
  std::unique_ptr<Retrier> retrier_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Bucket> bucket_;
};

/// An answer with an <Error>.
TestHttpResponse Refusal(int status, const std::string& code, const std::string& more = "");

}  // namespace oxbackup::s3
