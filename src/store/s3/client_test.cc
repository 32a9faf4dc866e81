#include "store/s3/client.h"

#include <gmock/gmock.h>

#include <atomic>

#include "store/s3/bucket_testing.h"

namespace oxbackup::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const char* const kDate = "Thu, 26 Nov 2026 12:00:00 GMT";

class ClientTest : public ServedBucketTest {
 protected:
  HttpResponse Get(std::vector<int> expected = {}) { return Call("GET", std::move(expected)); }
  HttpResponse Call(const std::string& method, std::vector<int> expected = {}) {
    Operation operation{.method = method, .key = "f/k", .expected = std::move(expected)};
    operation.request = {
        .what = "cannot look", .action = "s3:GetObject", .resource = "s3://backups/f/k"};
    return client().Call(operation, stop_.get_token());
  }

  // A server whose bucket lies in a region: it answers who signs for that region.
  void AnswerIn(const std::string& region, const TestHttpResponse& elsewhere) {
    Answer([=](const TestHttpRequest& request) {
      const bool here = SignedRegion(request) == region;
      return here ? TestHttpResponse{.body = "here"} : elsewhere;
    });
  }
  static std::string SignedRegion(const TestHttpRequest& request) {
    const std::string authorization = request.Header("authorization");
    const size_t end = authorization.find("/s3/aws4_request");
    return authorization.substr(authorization.rfind('/', end - 1) + 1,
                                end - authorization.rfind('/', end - 1) - 1);
  }
  static std::string TimeOf(const TestHttpRequest& request) { return request.Header("x-amz-date"); }

  // A server whose clock says so: it refuses what is signed for another quarter of an hour.
  void AnswerAt(const std::string& date, const std::string& day_and_hour, int status = 403) {
    Answer([=](const TestHttpRequest& request) {
      if (TimeOf(request).starts_with(day_and_hour)) return TestHttpResponse{.body = "now"};
      TestHttpResponse response = Refusal(status, "RequestTimeTooSkewed");
      response.headers = {{"Date", date}};
      if (request.method == "HEAD") response.body.clear();
      return response;
    });
  }
};

TEST_F(ClientTest, SignsForTheRegionAtTheTimeOfTheRun) {
  AnswerIn("us-east-1", Refusal(400, "AuthorizationHeaderMalformed"));
  EXPECT_EQ(Get().body, "here");
  ASSERT_THAT(Requests(), SizeIs(1));
  EXPECT_EQ(TimeOf(Requests()[0]), "20261126T120000Z");
  EXPECT_EQ(Requests()[0].Header("authorization").find("hidden"), std::string::npos);
}

TEST_F(ClientTest, GoesOnInTheRegionThatARefusalNames) {
  AnswerIn("eu-west-3", Refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"));
  EXPECT_EQ(Get().body, "here");
  EXPECT_THAT(Requests(), SizeIs(2));
  EXPECT_EQ(Get().body, "here");
  EXPECT_THAT(Requests(), SizeIs(3)) << "it has to be learnt once";
  EXPECT_THAT(log_.Text(), HasSubstr("the bucket backups lies in eu-west-3"));
  EXPECT_THAT(log_.Text(), HasSubstr("S3_REGION_NAME"));
}

TEST_F(ClientTest, GoesOnInTheRegionThatARedirectNames) {
  TestHttpResponse redirect = Refusal(301, "PermanentRedirect");
  redirect.headers = {{"x-amz-bucket-region", "eu-west-3"}};
  AnswerIn("eu-west-3", redirect);
  EXPECT_EQ(Get().body, "here");
}

TEST_F(ClientTest, GoesOnInTheRegionThatAnAnswerToHeadNames) {
  AnswerIn("eu-west-3", {.status = 400, .headers = {{"x-amz-bucket-region", "eu-west-3"}}});
  EXPECT_TRUE(Call("HEAD").ok());
}

// The first call of a backup expects refusals: of a wrong region it must not conclude anything.
TEST_F(ClientTest, AnotherRegionIsNoAnswerThatWasExpected) {
  AnswerIn("eu-west-3", Refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"));
  EXPECT_EQ(Get({400, 403}).body, "here");
}

TEST_F(ClientTest, MovesToTheRegionsHostOfAws) {
  settings_.endpoint.clear();
  TestHttpResponse redirect = Refusal(301, "PermanentRedirect");
  redirect.headers = {{"x-amz-bucket-region", "eu-west-3"}};
  AnswerIn("eu-west-3", redirect);
  Get();
  EXPECT_THAT(Urls(), ElementsAre("https://backups.s3.us-east-1.amazonaws.com/f/k",
                                  "https://backups.s3.eu-west-3.amazonaws.com/f/k"));
}

TEST_F(ClientTest, LeavesAHostOfAwsThatRedirectsForTheRegions) {
  settings_.endpoint = "https://s3.us-east-1.amazonaws.com";
  Answer([this](const TestHttpRequest&) {
    TestHttpResponse response{.body = "here"};
    if (Urls().back().find("eu-west-3") == std::string::npos) {
      response = Refusal(301, "PermanentRedirect");
      response.headers = {{"x-amz-bucket-region", "eu-west-3"}};
    }
    return response;
  });
  EXPECT_EQ(Get().body, "here");
  EXPECT_EQ(Urls().back(), "https://backups.s3.eu-west-3.amazonaws.com/f/k");
}

TEST_F(ClientTest, SaysWhereTheBucketLiesWhenGoingThereDoesNotHelp) {
  TestHttpResponse redirect = Refusal(301, "PermanentRedirect");
  redirect.headers = {{"x-amz-bucket-region", "eu-west-3"}};
  Answer([=](const TestHttpRequest&) { return redirect; });
  const Error error = ErrorOf([this] { Get(); });
  EXPECT_THAT(error.hint(), HasSubstr("lies in eu-west-3"));
  EXPECT_THAT(Requests(), SizeIs(2));
}

TEST_F(ClientTest, LearnsTheServersTimeOnceAndSaysSo) {
  AnswerAt("Thu, 26 Nov 2026 13:30:00 GMT", "20261126T13");
  EXPECT_EQ(Get().body, "now");
  EXPECT_EQ(Get().body, "now");
  EXPECT_THAT(Requests(), SizeIs(3));
  EXPECT_EQ(TimeOf(Requests().back()), "20261126T133000Z");
  EXPECT_THAT(warnings_.All(), ElementsAre(HasSubstr("behind that of the bucket backups")));
}

TEST_F(ClientTest, LearnsTheServersTimeFromAnAnswerToHead) {
  AnswerAt("Wed, 25 Nov 2026 12:00:00 GMT", "20261125T12");
  EXPECT_TRUE(Call("HEAD").ok());
  EXPECT_THAT(warnings_.All(), ElementsAre(HasSubstr("ahead of that of the bucket backups")));
}

TEST_F(ClientTest, AnotherTimeIsNoAnswerThatWasExpected) {
  AnswerAt("Thu, 26 Nov 2026 13:30:00 GMT", "20261126T13");
  EXPECT_EQ(Get({403}).body, "now");
}

TEST_F(ClientTest, TheServersTimeIsWarnedOfOnceByManyCalls) {
  std::atomic<int> waiting = 0;
  // The first answers go out together: each call learns by itself that its time is wrong.
  Answer([&](const TestHttpRequest& request) {
    if (TimeOf(request).starts_with("20261126T13")) return TestHttpResponse{.body = "now"};
    ++waiting;
    while (waiting < 4) std::this_thread::yield();
    TestHttpResponse response = Refusal(403, "RequestTimeTooSkewed");
    response.headers = {{"Date", "Thu, 26 Nov 2026 13:30:00 GMT"}};
    return response;
  });
  client();
  std::vector<std::thread> calls;
  for (int i = 0; i < 4; ++i) calls.emplace_back([this] { EXPECT_EQ(Get().body, "now"); });
  for (std::thread& call : calls) call.join();
  EXPECT_THAT(warnings_.All(), SizeIs(1));
  EXPECT_THAT(Requests(), SizeIs(8));
}

TEST_F(ClientTest, TheTimeIsTheServersWhereOursIsFarOff) {
  const TimePoint ours = client().Now();
  AnswerAt("Thu, 26 Nov 2026 13:30:00 GMT", "20261126T13");
  Get();
  EXPECT_EQ(client().Now() - ours, std::chrono::minutes(90));
}

TEST_F(ClientTest, ARefusalAtTheRightTimeIsFinal) {
  TestHttpResponse refusal = Refusal(403, "AccessDenied");
  refusal.headers = {{"Date", kDate}};
  Answer([=](const TestHttpRequest&) { return refusal; });
  const Error error = ErrorOf([this] { Get(); });
  EXPECT_THAT(error.hint(), HasSubstr("allow s3:GetObject on s3://backups/f/k"));
  EXPECT_FALSE(error.transient());
  EXPECT_THAT(Requests(), SizeIs(1));
  EXPECT_THAT(warnings_.All(), IsEmpty());
}

TEST_F(ClientTest, KeysThatHaveExpiredAreFetchedAnewOnce) {
  std::string good = "AKNEW";
  Answer([&](const TestHttpRequest& request) {
    const bool is_good = request.Header("authorization").find(good) != std::string::npos;
    return is_good ? TestHttpResponse{.body = "here"} : Refusal(400, "ExpiredToken");
  });
  EXPECT_EQ(Get({400}).body, "here");
  EXPECT_THAT(Requests(), SizeIs(2));
  good = "none";
  EXPECT_THAT(ErrorOf([&] { Get({400}); }).hint(), HasSubstr("expired"));
  EXPECT_THAT(Requests(), SizeIs(3));
}

TEST_F(ClientTest, OtherRefusalsAreFinalAtOnce) {
  for (const int status : {400, 401, 404, 405, 409, 412, 416, 501}) {
    Answer([=](const TestHttpRequest&) { return Refusal(status, "Whatever"); });
    const size_t before = Requests().size();
    EXPECT_THROW(Get(), Error);
    EXPECT_EQ(Requests().size(), before + 1) << status;
  }
}

TEST_F(ClientTest, FaultsAndOverloadAreTriedAgain) {
  for (const int status : {429, 500, 502, 503, 504}) {
    std::atomic<int> left = 3;
    Answer([&](const TestHttpRequest&) {
      return left-- > 0 ? TestHttpResponse{.status = status} : TestHttpResponse{.body = "well"};
    });
    EXPECT_EQ(Get().body, "well") << status;
  }
  Answer([](const TestHttpRequest&) { return Refusal(503, "SlowDown"); });
  const Error error = ErrorOf([this] { Get(); });
  EXPECT_THAT(error.tried(), HasSubstr("8 times"));
  EXPECT_THAT(error.cause(), HasSubstr("SlowDown"));
}

TEST_F(ClientTest, ExpectedStatusesAreReturnedUnlessTheyAreAboutTheKeysOrTheBucket) {
  Answer([](const TestHttpRequest&) { return Refusal(404, "NoSuchKey"); });
  EXPECT_EQ(Get({404}).status, 404);
  Answer([](const TestHttpRequest&) { return Refusal(404, "NoSuchBucket"); });
  EXPECT_EQ(ErrorOf([this] { Get({404}); }).kind(), ErrorKind::kNotFound);
  for (const char* const code : {"SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken"}) {
    Answer([=](const TestHttpRequest&) { return Refusal(403, code); });
    EXPECT_THAT(ErrorOf([this] { Get({403}); }).cause(), HasSubstr(code));
  }
}

TEST_F(ClientTest, AnErrorBehindA200OfAPostIsAnError) {
  std::atomic<int> left = 2;
  Answer([&](const TestHttpRequest&) {
    return left-- > 0 ? Refusal(200, "InternalError") : TestHttpResponse{.body = "<Done/>"};
  });
  EXPECT_EQ(Call("POST").body, "<Done/>");
  Answer([](const TestHttpRequest&) { return Refusal(200, "InvalidPart"); });
  EXPECT_THAT(ErrorOf([this] { Call("POST"); }).cause(), HasSubstr("InvalidPart"));
  // Of a GET it is somebody's object.
  EXPECT_THAT(Get().body, HasSubstr("InvalidPart"));
}

TEST_F(ClientTest, SignsInVersion2WhereItIsAsked) {
  settings_.signature = SignatureVersion::kV2;
  Answer([](const TestHttpRequest&) { return TestHttpResponse{.body = "yes"}; });
  EXPECT_EQ(Get().body, "yes");
  EXPECT_THAT(Requests()[0].Header("authorization"), testing::StartsWith("AWS AKTEST:"));
  EXPECT_EQ(Requests()[0].Header("date"), kDate);
}

TEST_F(ClientTest, AStopEndsACallThatIsOnItsWay) {
  Answer([](const TestHttpRequest&) { return TestHttpResponse{.fault = TestHttpFault::kHold}; });
  client();
  std::thread stopper([this] {
    server_.WaitUntilHeld();
    stop_.request_stop();
  });
  EXPECT_EQ(ErrorOf([this] { Get(); }).kind(), ErrorKind::kCancelled);
  stopper.join();
  server_.Release();
}

TEST_F(ClientTest, SecretsAreInNoLogAndNoError) {
  Answer([](const TestHttpRequest&) { return Refusal(503, "SlowDown"); });
  EXPECT_THAT(WholeText(ErrorOf([this] { Get(); })), Not(HasSubstr("hidden")));
  EXPECT_THAT(log_.Text(), HasSubstr("SlowDown"));
  EXPECT_THAT(log_.Text(), Not(HasSubstr("hidden")));
}

}  // namespace
}  // namespace oxbackup::s3
