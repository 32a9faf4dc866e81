#include "http/http_server_testing.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/error.h"

namespace oxbackup {
namespace {

class TestHttpServerTest : public testing::Test {
 protected:
  HttpResponse Call(const TestHttpServer& server, const std::string& method,
                    const std::string& target, std::string_view body = {}) {
    return client_->Perform({.method = method,
                             .url = server.url() + target,
                             .headers = {{"X-Test", "  some  value "}},
                             .body = body},
                            {});
  }
  // How a GET ends that the server does not answer as it should.
  std::string Failure(const TestHttpServer& server) {
    try {
      Call(server, "GET", "/");
    } catch (const Error& error) {
      EXPECT_TRUE(error.transient());
      return error.cause();
    }
    return "none";
  }

  const std::unique_ptr<HttpClient> client_ = MakeHttpClient({.use_proxy = false});
};

TEST_F(TestHttpServerTest, AnswersAndRecordsOnOneConnection) {
  const TestHttpServer server([](const TestHttpRequest& request) {
    return TestHttpResponse{.status = request.method == "PUT" ? 201 : 200,
                            .headers = {{"X-Answer", "yes"}},
                            .body = request.body + "!"};
  });
  const HttpResponse put = Call(server, "PUT", "/a%20b?c=d", std::string(3 << 20, 'x'));
  EXPECT_EQ(put.status, 201);
  EXPECT_EQ(put.body.size(), (3u << 20) + 1);
  EXPECT_EQ(put.Header("x-answer"), "yes");
  EXPECT_EQ(Call(server, "HEAD", "/").body, "");
  EXPECT_EQ(Call(server, "GET", "/").body, "!");

  const std::vector<TestHttpRequest> requests = server.Requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].path(), "/a%20b");
  EXPECT_EQ(requests[0].query(), "c=d");
  EXPECT_EQ(requests[0].Header("x-test"), "some  value");
  EXPECT_EQ(requests[0].body.size(), 3u << 20);
  EXPECT_EQ(requests[1].method, "HEAD");
  EXPECT_EQ(requests[2].connection, requests[0].connection);
}

TEST_F(TestHttpServerTest, AnAnswerToHeadKeepsItsLength) {
  const TestHttpServer server([](const TestHttpRequest&) {
    return TestHttpResponse{.headers = {{"Content-Length", "77"}}};
  });
  EXPECT_EQ(Call(server, "HEAD", "/").Header("content-length"), "77");
}

TEST_F(TestHttpServerTest, FailsAsItIsTold) {
  std::atomic<TestHttpFault> fault = TestHttpFault::kClose;
  const TestHttpServer server([&](const TestHttpRequest&) {
    return TestHttpResponse{.body = "0123456789", .fault = fault};
  });
  EXPECT_NE(Failure(server).find("Empty reply"), std::string::npos) << Failure(server);
  fault = TestHttpFault::kReset;
  EXPECT_NE(Failure(server).find("reset"), std::string::npos) << Failure(server);
  fault = TestHttpFault::kCutBody;
  EXPECT_NE(Failure(server).find("5 bytes remaining"), std::string::npos) << Failure(server);
  fault = TestHttpFault::kNone;
  EXPECT_EQ(Failure(server), "none");
}

TEST_F(TestHttpServerTest, ResetsInTheMiddleOfABody) {
  TestHttpServer server([](const TestHttpRequest&) { return TestHttpResponse{}; });
  server.ResetInBody([](const TestHttpRequest& request) { return request.path() == "/3"; });
  EXPECT_EQ(Call(server, "PUT", "/2", std::string(1 << 20, 'x')).status, 200);
  EXPECT_THROW(Call(server, "PUT", "/3", std::string(1 << 20, 'x')), Error);
  EXPECT_EQ(server.Requests().size(), 1u);
}

TEST_F(TestHttpServerTest, HoldsAnswersUntilTheyAreReleased) {
  TestHttpServer server([](const TestHttpRequest& request) {
    return TestHttpResponse{
        .body = request.path(),
        .fault = request.path() == "/held" ? TestHttpFault::kHold : TestHttpFault::kNone};
  });
  std::atomic<bool> answered = false;
  std::jthread caller([&] {
    EXPECT_EQ(Call(server, "GET", "/held").body, "/held");
    answered = true;
  });
  server.WaitUntilHeld();
  EXPECT_EQ(Call(server, "GET", "/other").body, "/other");
  EXPECT_FALSE(answered);
  server.Release();
  caller.join();
  EXPECT_TRUE(answered);
}

TEST_F(TestHttpServerTest, EndsWithAnswersHeldBack) {
  auto server = std::make_unique<TestHttpServer>(
      [](const TestHttpRequest&) { return TestHttpResponse{.fault = TestHttpFault::kHold}; });
  const std::string url = server->url();
  std::jthread caller([&] { EXPECT_THROW(client_->Perform({.url = url + "/"}, {}), Error); });
  server->WaitUntilHeld();
  server.reset();
}

}  // namespace
}  // namespace oxbackup
