#include "http/fault_proxy_testing.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>

#include "base/error.h"
#include "http/http_client.h"

namespace oxbackup {
namespace {

using std::chrono::milliseconds;
using testing::IsEmpty;
using testing::SizeIs;
using Where = Fault::Where;

// Answers every request with its own body, in one piece or chunked, and keeps what came.
class EchoServer {
 public:
  explicit EchoServer(bool chunked = false)
      : chunked_(chunked), listener_(ListenOnLoopback()), thread_([this] { Serve(); }) {}
  ~EchoServer() {
    ::shutdown(listener_.socket.get(), SHUT_RDWR);
    thread_.join();
  }
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  std::string url() const { return fmt::format("http://127.0.0.1:{}", listener_.port); }
  // Heads that came, each followed by as much of its body as came.
  std::vector<std::string> Received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  void Serve() {
    while (true) {
      FileDescriptor socket(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket) return;
      RawConnection client(std::move(socket));
      const auto head = client.ReadHead();
      if (!head) continue;
      const size_t size = std::stoul(HeaderOf(*head, "content-length").value_or("0"));
      const std::string body = client.Read(size);
      {
        const std::lock_guard lock(mutex_);
        received_.push_back(*head + body);
      }
      if (body.size() == size) client.Write(Answer(body));
    }
  }

  std::string Answer(const std::string& body) const {
    if (!chunked_)
      return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
    return fmt::format(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n", body.size(),
        body);
  }

  const bool chunked_;
  Listener listener_;
  mutable std::mutex mutex_;
  std::vector<std::string> received_;  // guarded by mutex_
  std::thread thread_;
};

HttpRequest PutRequest(std::string url, std::string_view body) {
  HttpRequest request;
  request.method = "PUT";
  request.url = std::move(url);
  request.headers = {{"x-test", "a  b"}};
  request.body = body;
  return request;
}

HttpOptions WithoutProxy() {
  HttpOptions options;
  options.use_proxy = false;
  return options;
}

class FaultProxyTest : public testing::Test {
 protected:
  HttpResponse Put(const std::string& target, std::string_view body) {
    HttpRequest request = PutRequest(proxy_.url() + target, body);
    request.timeout = timeout_;
    return client_->Perform(request, {});
  }

  // Whether the request ended without an answer, in a way that may be tried again.
  bool IsLost(const std::string& target, std::string_view body) {
    try {
      Put(target, body);
      return false;
    } catch (const Error& error) {
      EXPECT_TRUE(error.transient()) << error.what() << ": " << error.cause();
      return true;
    }
  }

  std::string LastBody() const {
    const std::string last = server_.Received().back();
    return last.substr(last.find("\r\n\r\n") + 4);
  }

  EchoServer server_;
  FaultProxy proxy_{server_.url()};
  std::unique_ptr<HttpClient> client_ = MakeHttpClient(WithoutProxy());
  milliseconds timeout_{20'000};
};

TEST_F(FaultProxyTest, PassesRequestsOnByteForByte) {
  const std::string body(3 << 20, 'x');
  const HttpResponse answer = Put("/bucket/a%20b?partNumber=3&uploadId=u", body);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, body);
  ASSERT_THAT(proxy_.Requests(), SizeIs(1));
  const ProxiedRequest request = proxy_.Requests()[0];
  EXPECT_EQ(request.target, "/bucket/a%20b?partNumber=3&uploadId=u");
  EXPECT_EQ(server_.Received()[0], request.head + body);
  EXPECT_EQ("http://" + HeaderOf(request.head, "host").value_or(""), proxy_.url());
  EXPECT_EQ(HeaderOf(request.head, "x-test"), "a  b");
}

TEST_F(FaultProxyTest, PassesChunkedAnswersOn) {
  EchoServer server(true);
  const FaultProxy proxy(server.url());
  const std::string body(200'000, 'x');
  for (int times = 0; times < 2; ++times) {
    EXPECT_EQ(client_->Perform(PutRequest(proxy.url() + "/", body), {}).body, body);
  }
}

TEST_F(FaultProxyTest, MeetsTheRequestsOfItsRuleAlone) {
  proxy_.Inject({.method = "PUT", .parameter = "partNumber=1", .skip = 1, .times = 1},
                Fault::Answer(Where::kBefore, 503, S3ErrorBody("SlowDown")));
  EXPECT_EQ(Put("/b/k?partNumber=1", "x").status, 200);
  EXPECT_EQ(Put("/b/k?partNumber=10", "x").status, 200);
  EXPECT_EQ(proxy_.injected(), 0);
  const HttpResponse answer = Put("/b/k?partNumber=1", "x");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, testing::HasSubstr("<Code>SlowDown</Code>"));
  EXPECT_EQ(proxy_.injected(), 1);
  EXPECT_EQ(Put("/b/k?partNumber=1", "x").status, 200);
  EXPECT_THAT(server_.Received(), SizeIs(3));
}

TEST_F(FaultProxyTest, MeetsAllUntilHealed) {
  proxy_.Inject({.times = 0}, Fault::Drop(Where::kBefore));
  EXPECT_TRUE(IsLost("/", "x"));
  EXPECT_TRUE(IsLost("/", "x"));
  proxy_.Heal();
  EXPECT_FALSE(IsLost("/", "x"));
}

TEST_F(FaultProxyTest, DropsAtEachPlace) {
  proxy_.Inject({.parameter = "before"}, Fault::Drop(Where::kBefore));
  EXPECT_TRUE(IsLost("/?before=", "12345678"));
  EXPECT_THAT(server_.Received(), IsEmpty());
  proxy_.Inject({.parameter = "request"}, Fault::Drop(Where::kRequest, 5));
  EXPECT_TRUE(IsLost("/?request=", "12345678"));
  proxy_.Inject({.parameter = "unanswered"}, Fault::Drop(Where::kUnanswered));
  EXPECT_TRUE(IsLost("/?unanswered=", "12345678"));
  EXPECT_EQ(LastBody(), "12345678");
  proxy_.Inject({.parameter = "response"}, Fault::Drop(Where::kResponse, 5));
  EXPECT_TRUE(IsLost("/?response=", "12345678"));
  EXPECT_EQ(proxy_.injected(), 4);
}

TEST_F(FaultProxyTest, ResetsAtEachPlace) {
  const std::string body(8 << 20, 'x');
  for (const Where where :
       {Where::kBefore, Where::kRequest, Where::kUnanswered, Where::kResponse}) {
    proxy_.Inject({}, Fault::Reset(where, 1 << 20));
    EXPECT_TRUE(IsLost("/", body));
  }
  EXPECT_EQ(proxy_.injected(), 4);
}

TEST_F(FaultProxyTest, StallsUntilTheClientGivesUp) {
  const std::string body(1 << 20, 'x');
  timeout_ = milliseconds(100);
  for (const Where where :
       {Where::kBefore, Where::kRequest, Where::kUnanswered, Where::kResponse}) {
    proxy_.Inject({}, Fault::Stall(where, 1000));
    EXPECT_TRUE(IsLost("/", body));
  }
  EXPECT_EQ(proxy_.injected(), 4);
}

TEST_F(FaultProxyTest, StalledClientsAreLetGoAtItsEnd) {
  auto proxy = std::make_unique<FaultProxy>(server_.url());
  proxy->Inject({}, Fault::Stall(Where::kBefore));
  auto lost = std::async(std::launch::async, [&, url = proxy->url()] {
    EXPECT_THROW(client_->Perform(PutRequest(url + "/", "x"), {}), Error);
  });
  while (proxy->injected() == 0) std::this_thread::yield();
  proxy.reset();
  lost.get();
}

TEST_F(FaultProxyTest, FlipsOneBitOfABody) {
  proxy_.Inject({.parameter = "request"}, Fault::Flip(Where::kRequest, 2));
  EXPECT_EQ(Put("/?request=", "aaaa").body, "aa`a");
  EXPECT_EQ(LastBody(), "aa`a");
  proxy_.Inject({.parameter = "response"}, Fault::Flip(Where::kResponse, 99));
  EXPECT_EQ(Put("/?response=", "aaaa").body, "aaa`");
  EXPECT_EQ(LastBody(), "aaaa");
}

TEST_F(FaultProxyTest, ShortensAnswersThatLookWhole) {
  proxy_.Inject({}, Fault::Shorten(3));
  EXPECT_EQ(Put("/", "abcdef").body, "abc");
  EXPECT_EQ(Put("/", "abcdef").body, "abcdef");
}

TEST_F(FaultProxyTest, AnswersInPlaceOfTheServerThatDidIt) {
  proxy_.Inject({}, Fault::Answer(Where::kUnanswered, 500, S3ErrorBody("InternalError")));
  EXPECT_EQ(Put("/", "abc").status, 500);
  EXPECT_EQ(LastBody(), "abc");
  EXPECT_EQ(Put("/", "abc").status, 200) << "the connection goes on";
}

TEST_F(FaultProxyTest, DelaysOneRequest) {
  proxy_.Inject({}, Fault::Delay(milliseconds(200)));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Put("/", "abc").status, 200);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(200));
}

TEST_F(FaultProxyTest, AServerThatIsNotThereIsALostConnection) {
  std::string nobody;
  {
    const EchoServer gone;
    nobody = gone.url();
  }
  const FaultProxy proxy(nobody);
  EXPECT_THROW(client_->Perform(PutRequest(proxy.url() + "/", "x"), {}), Error);
}

}  // namespace
}  // namespace oxbackup
