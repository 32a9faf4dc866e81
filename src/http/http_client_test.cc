#include "http/http_client.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>

#include "base/error.h"
#include "http/http_server_testing.h"
#include "http/raw_connection_testing.h"

namespace oxbackup {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

// Sets variables of the environment for its lifetime.
class Variables {
 public:
  explicit Variables(const std::map<std::string, std::string>& values) {
    for (const auto& [name, value] : values) {
      const char* const old = std::getenv(name.c_str());
      before_[name] = old == nullptr ? std::nullopt : std::optional<std::string>(old);
      ::setenv(name.c_str(), value.c_str(), 1);
    }
  }
  ~Variables() {
    for (const auto& [name, value] : before_) {
      if (value) {
        ::setenv(name.c_str(), value->c_str(), 1);
      } else {
        ::unsetenv(name.c_str());
      }
    }
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

Error ErrorOf(HttpClient& client, const HttpRequest& request, const std::stop_token& stop = {}) {
  try {
    client.Perform(request, stop);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorKind::kInternal, "nothing was thrown"};
}

TestHttpServer::Handler Always(TestHttpResponse response) {
  return [response = std::move(response)](const TestHttpRequest&) { return response; };
}

// A port of this machine on which nobody listens.
uint16_t FreePort() { return ListenOnLoopback().port; }

TEST(HttpClientTest, SendsEachMethodWithItsBodyAndHeaders) {
  const TestHttpServer server([](const TestHttpRequest& request) {
    return TestHttpResponse{
        .status = 201, .headers = {{"X-Mixed-Case", "a  b"}}, .body = request.body};
  });
  const auto client = MakeHttpClient({.user_agent = "tester/1", .use_proxy = false});
  const std::string body("a\0b", 3);
  for (const char* const method : {"GET", "PUT", "POST", "DELETE", "HEAD"}) {
    const bool sends = method == std::string("PUT") || method == std::string("POST");
    const HttpResponse response =
        client->Perform({.method = method,
                         .url = server.url() + "/a/../b%2F?c=%20&d=",
                         .headers = {{"X-One", "1"}, {"X-Empty", ""}},
                         .body = sends ? std::string_view(body) : std::string_view()},
                        {});
    EXPECT_EQ(response.status, 201) << method;
    EXPECT_EQ(response.Header("x-mixed-case"), "a  b");
    EXPECT_EQ(response.Header("x-none"), std::nullopt);
    EXPECT_EQ(response.body, sends ? body : "") << method;
    const TestHttpRequest request = server.Requests().back();
    EXPECT_EQ(request.method, method);
    EXPECT_EQ(request.target, "/a/../b%2F?c=%20&d=") << "a signature holds for what was sent";
    EXPECT_EQ(request.Header("x-one"), "1");
    EXPECT_EQ(request.Header("user-agent"), "tester/1");
    EXPECT_EQ(request.Header("expect"), "");
    EXPECT_EQ(request.Header("content-type"), "");
  }
}

TEST(HttpClientTest, ABodyOfNothingHasALength) {
  const TestHttpServer server(Always({}));
  MakeHttpClient({.use_proxy = false})->Perform({.method = "POST", .url = server.url() + "/"}, {});
  EXPECT_EQ(server.Requests()[0].Header("content-length"), "0");
}

TEST(HttpClientTest, ReturnsWhateverTheServerAnswers) {
  for (const int status : {204, 301, 400, 403, 404, 500, 503}) {
    const TestHttpServer server(
        Always({.status = status, .headers = {{"Location", "/elsewhere"}}}));
    const auto client = MakeHttpClient({.use_proxy = false});
    EXPECT_EQ(client->Perform({.url = server.url() + "/"}, {}).status, status);
    EXPECT_THAT(server.Requests(), SizeIs(1)) << "a redirect was followed";
  }
}

TEST(HttpClientTest, ABodyGoesIntoTheCallersBuffer) {
  std::atomic<int> status = 206;
  const TestHttpServer server([&](const TestHttpRequest&) {
    return TestHttpResponse{.status = status, .body = "0123456789"};
  });
  const auto client = MakeHttpClient({.use_proxy = false});
  std::string buffer(12, '-');
  HttpResponse response = client->Perform({.url = server.url() + "/", .into = buffer}, {});
  EXPECT_EQ(response.into_size, 10u);
  EXPECT_EQ(buffer, "0123456789--");
  EXPECT_EQ(response.body, "");
  // An error's text must not be taken for the object.
  status = 403;
  buffer.assign(12, '-');
  response = client->Perform({.url = server.url() + "/", .into = buffer}, {});
  EXPECT_EQ(response.body, "0123456789");
  EXPECT_EQ(buffer, "------------");
}

TEST(HttpClientTest, AnAnswerThatIsTooLongEndsTheCall) {
  const TestHttpServer server(Always({.body = "0123456789"}));
  const auto client = MakeHttpClient({.use_proxy = false, .max_body = 9});
  std::string buffer(9, '-');
  for (const HttpRequest& request : {HttpRequest{.url = server.url() + "/"},
                                     HttpRequest{.url = server.url() + "/", .into = buffer}}) {
    const Error error = ErrorOf(*client, request);
    EXPECT_THAT(error.what(), HasSubstr("longer than it may be"));
    EXPECT_FALSE(error.transient()) << "it would be as long the next time";
  }
  EXPECT_EQ(buffer.size(), 9u);
}

TEST(HttpClientTest, KeepsConnectionsAndHasOneForEachCallAtATime) {
  TestHttpServer server([](const TestHttpRequest& request) {
    return TestHttpResponse{.fault = request.path() == "/held" ? TestHttpFault::kHold
                                                               : TestHttpFault::kNone};
  });
  const auto client = MakeHttpClient({.use_proxy = false});
  std::thread held([&] { client->Perform({.url = server.url() + "/held"}, {}); });
  server.WaitUntilHeld();
  for (int i = 0; i < 5; ++i) client->Perform({.url = server.url() + "/"}, {});
  server.Release();
  held.join();
  std::map<uint64_t, int> calls;
  for (const TestHttpRequest& request : server.Requests()) ++calls[request.connection];
  EXPECT_EQ(calls, (std::map<uint64_t, int>{{1, 1}, {2, 5}}));
}

// A server may close a kept connection at the moment at which it is used again: the body goes out
// anew, and whole.
TEST(HttpClientTest, AConnectionThatWasClosedMeanwhileIsReplaced) {
  const std::string body(3 << 20, 'x');
  const TestHttpServer server([](const TestHttpRequest& request) {
    const bool again = request.path() == "/second" && request.connection == 1;
    return TestHttpResponse{.body = std::to_string(request.body.size()),
                            .fault = again ? TestHttpFault::kClose : TestHttpFault::kNone};
  });
  const auto client = MakeHttpClient({.use_proxy = false});
  for (const char* const path : {"/first", "/second"}) {
    const HttpRequest request{.method = "PUT", .url = server.url() + path, .body = body};
    EXPECT_EQ(client->Perform(request, {}).body, std::to_string(body.size()));
  }
  EXPECT_THAT(server.Requests(), SizeIs(3));
}

TEST(HttpClientTest, ACallThatIsStoppedReturnsAtOnce) {
  TestHttpServer server(Always({.fault = TestHttpFault::kHold}));
  const auto client = MakeHttpClient({.use_proxy = false});
  std::stop_source stop;
  std::chrono::steady_clock::time_point asked;
  std::thread stopper([&] {
    server.WaitUntilHeld();
    asked = std::chrono::steady_clock::now();
    stop.request_stop();
  });
  const Error error = ErrorOf(*client, {.url = server.url() + "/"}, stop.get_token());
  const auto ended = std::chrono::steady_clock::now();
  stopper.join();
  EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  EXPECT_LT(ended - asked, seconds(2));
  // Stopped before it began: nothing goes out.
  EXPECT_EQ(ErrorOf(*client, {.url = server.url() + "/"}, stop.get_token()).kind(),
            ErrorKind::kCancelled);
  EXPECT_THAT(server.Requests(), SizeIs(1));
  server.Release();
}

TEST(HttpClientTest, AnAnswerThatDoesNotComeIsGivenUp) {
  TestHttpServer server(Always({.fault = TestHttpFault::kHold}));
  const Error stalled = ErrorOf(*MakeHttpClient({.use_proxy = false, .stall_timeout = seconds(1)}),
                                {.url = server.url() + "/"});
  EXPECT_TRUE(stalled.transient());
  const Error late = ErrorOf(*MakeHttpClient({.use_proxy = false}),
                             {.url = server.url() + "/", .timeout = std::chrono::milliseconds(50)});
  EXPECT_TRUE(late.transient());
  EXPECT_THAT(late.what(), HasSubstr(server.url()));
  server.Release();
}

TEST(HttpClientTest, WhoDoesNotListenMayDoSoLater) {
  const std::string place = "http://127.0.0.1:" + std::to_string(FreePort());
  const Error error =
      ErrorOf(*MakeHttpClient({.use_proxy = false}), {.url = place + "/secret?signature=hidden"});
  EXPECT_EQ(error.kind(), ErrorKind::kStore);
  EXPECT_TRUE(error.transient());
  EXPECT_EQ(error.what(), "no answer from " + place);
  EXPECT_THAT(error.what() + error.cause() + error.hint(), Not(HasSubstr("hidden")));
  EXPECT_THAT(error.hint(), HasSubstr("https_proxy"));
}

TEST(HttpClientTest, ANameThatIsNotKnownMayBeSoLater) {
  const Error error =
      ErrorOf(*MakeHttpClient({.use_proxy = false}), {.url = "http://nowhere.invalid/"});
  EXPECT_TRUE(error.transient());
  EXPECT_THAT(error.cause(), HasSubstr("nowhere.invalid"));
}

TEST(HttpClientTest, OnlyHttpIsSpoken) {
  EXPECT_FALSE(
      ErrorOf(*MakeHttpClient({.use_proxy = false}), {.url = "file:///etc/passwd"}).transient());
}

// As a service that speaks no TLS, or nothing but it, answers.
Error ErrorOfServerThatSays(const std::string& bytes, const std::string& scheme) {
  const Listener listener = ListenOnLoopback();
  const std::jthread server([&] {
    RawConnection connection(FileDescriptor(::accept(listener.socket.get(), nullptr, nullptr)));
    connection.ReadSome(1);
    connection.Write(bytes);
    connection.Shutdown();
  });
  return ErrorOf(*MakeHttpClient({.use_proxy = false}),
                 {.url = fmt::format("{}://127.0.0.1:{}/", scheme, listener.port)});
}

TEST(HttpClientTest, TheWrongSchemeIsFinalAndSaysSo) {
  const Error plain = ErrorOfServerThatSays("HTTP/1.1 400 Bad Request\r\n\r\n", "https");
  EXPECT_FALSE(plain.transient()) << plain.cause();
  EXPECT_THAT(plain.hint(), HasSubstr("S3_USE_SSL=false"));
  const Error tls = ErrorOfServerThatSays("\x15\x03\x01 no HTTP at all\n", "http");
  EXPECT_FALSE(tls.transient()) << tls.cause();
  EXPECT_THAT(tls.hint(), HasSubstr("https://"));
}

class ProxyTest : public testing::Test {
 protected:
  // Whether a call to a host that does not exist reached the proxy, and as what.
  std::string TargetBy(const HttpOptions& options,
                       const std::map<std::string, std::string>& names) {
    std::map<std::string, std::string> all = {
        {"http_proxy", ""}, {"all_proxy", ""}, {"no_proxy", ""}, {"NO_PROXY", ""}};
    for (const auto& [name, value] : names) all[name] = value;
    const Variables variables(all);
    const size_t before = proxy_.Requests().size();
    try {
      MakeHttpClient(options)->Perform({.url = "http://bucket.invalid:81/key"}, {});
    } catch (const Error&) {
      return "not by the proxy";
    }
    EXPECT_EQ(proxy_.Requests().size(), before + 1);
    return proxy_.Requests().back().target;
  }

  const TestHttpServer proxy_{Always({})};
  const HttpOptions options_;
};

TEST_F(ProxyTest, IsUsedAsTheVariablesSay) {
  const std::string by_proxy = "http://bucket.invalid:81/key";
  EXPECT_EQ(TargetBy(options_, {{"http_proxy", proxy_.url()}}), by_proxy);
  EXPECT_EQ(TargetBy(options_, {{"all_proxy", proxy_.url()}}), by_proxy);
  EXPECT_EQ(TargetBy(options_, {{"http_proxy", proxy_.url()}, {"no_proxy", "other.invalid"}}),
            by_proxy);
}

TEST_F(ProxyTest, IsNotUsedForWhatNoProxyNames) {
  for (const char* const names : {"bucket.invalid", ".invalid", "a, bucket.invalid", "*"}) {
    EXPECT_EQ(TargetBy(options_, {{"http_proxy", proxy_.url()}, {"no_proxy", names}}),
              "not by the proxy");
  }
}

TEST_F(ProxyTest, IsNotUsedForServicesOfThisMachine) {
  EXPECT_EQ(TargetBy({.use_proxy = false}, {{"http_proxy", proxy_.url()}}), "not by the proxy");
}

TEST_F(ProxyTest, TlsGoesThroughItUnseen) {
  const TestHttpServer refusing(Always({.status = 403}));
  const Variables variables({{"https_proxy", refusing.url()}, {"no_proxy", ""}, {"NO_PROXY", ""}});
  ErrorOf(*MakeHttpClient({}), {.url = "https://bucket.invalid/key?hidden"});
  ASSERT_THAT(refusing.Requests(), SizeIs(1));
  EXPECT_EQ(refusing.Requests()[0].method, "CONNECT");
  EXPECT_EQ(refusing.Requests()[0].target, "bucket.invalid:443");
}

}  // namespace
}  // namespace oxbackup
