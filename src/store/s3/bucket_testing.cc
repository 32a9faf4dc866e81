#include "store/s3/bucket_testing.h"

#include <atomic>
#include <utility>

namespace oxbackup::s3 {
namespace {

// AKTEST, and when that has expired AKNEW.
class TwoKeys final : public CredentialSource {
 public:
  Credentials Get(const std::stop_token& /*stop*/) override {
    return {.access_key = renewed_ ? "AKNEW" : "AKTEST", .secret_key = "hidden"};
  }
  bool Renew(const Credentials& expired) override {
    renewed_ = true;
    return expired.access_key == "AKTEST";
  }

 private:
  std::atomic<bool> renewed_ = false;
};

class NoWaiting final : public RetryWaiter {
 public:
  void Wait(std::chrono::milliseconds /*time*/, const std::stop_token& /*stop*/) override {}
};

}  // namespace

ServedBucketTest::ServedBucketTest()
    : handler_([](const TestHttpRequest&) { return TestHttpResponse{.status = 404}; }),
      server_([this](const TestHttpRequest& request) {
        TestHttpServer::Handler handler;
        {
          const std::lock_guard lock(mutex_);
          handler = handler_;
        }
        return handler(request);
      }),
      http_(server_.url()) {
  clock_.Set("2026-11-26T12:00:00Z");
  settings_.endpoint = "http://s3.example.com";
}

ServedBucketTest::~ServedBucketTest() = default;

void ServedBucketTest::Answer(TestHttpServer::Handler handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

Client& ServedBucketTest::client() {
  if (!client_) {
    credentials_ = std::make_unique<TwoKeys>();
    retrier_ = std::make_unique<Retrier>(policy_, std::make_unique<NoWaiting>(), log_);
    client_ = std::make_unique<Client>(settings_, "backups", region_, http_, *credentials_,
                                       *retrier_, run_);
  }
  return *client_;
}

const Bucket& ServedBucketTest::bucket() {
  if (!bucket_) bucket_ = std::make_unique<Bucket>(client(), "f/");
  return *bucket_;
}

TestHttpResponse Refusal(int status, const std::string& code, const std::string& more) {
  return {.status = status, .body = "<Error><Code>" + code + "</Code>" + more + "</Error>"};
}

}  // namespace oxbackup::s3
