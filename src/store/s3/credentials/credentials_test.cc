// The order in which keys are looked for, and how they are kept and renewed.
#include "store/s3/credentials/credentials.h"

#include <atomic>
#include <latch>
#include <thread>

#include "http/retrier.h"
#include "store/s3/credentials/credentials_testing.h"

namespace oxbackup::s3 {
namespace {

using Settings = CredentialSettings;

class NoWaiter final : public RetryWaiter {
 public:
  void Wait(std::chrono::milliseconds /*time*/, const std::stop_token& /*stop*/) override {}
};

TEST_F(CredentialsTest, SettingsComeFirst) {
  environment_ = {{"AWS_ACCESS_KEY_ID", "AKIDENV"}, {"AWS_SECRET_ACCESS_KEY", "HUSH2"}};
  const Credentials keys =
      Get({.access_key = "AKIDSET", .secret_key = "HUSH1", .session_token = "HUSH3"});
  EXPECT_EQ(keys.access_key, "AKIDSET");
  EXPECT_EQ(keys.secret_key, "HUSH1");
  EXPECT_EQ(keys.session_token, "HUSH3");
  EXPECT_EQ(keys.expires, std::nullopt);
  EXPECT_EQ(keys.origin, "S3_ACCESS_KEY of the settings");
}

TEST_F(CredentialsTest, ThenTheEnvironmentsVariables) {
  environment_ = {{"AWS_ACCESS_KEY_ID", "AKIDENV"},
                  {"AWS_SECRET_ACCESS_KEY", "HUSH2"},
                  {"AWS_SESSION_TOKEN", "HUSH3"},
                  {"AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"},
                  {"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"}};
  const Credentials keys = Get();
  EXPECT_EQ(keys.access_key, "AKIDENV");
  EXPECT_EQ(keys.session_token, "HUSH3");
  EXPECT_EQ(keys.origin, "AWS_ACCESS_KEY_ID of the environment");
}

TEST_F(CredentialsTest, ThenTheProfileThenTheContainerThenTheMachine) {
  Answer([](const TestHttpRequest& request) {
    const bool is_container = request.path() == "/v2/credentials";
    return TestHttpResponse{
        .body = request.path().ends_with("/security-credentials/")
                    ? "role"
                    : KeysJson(is_container ? "ASIAECS" : "ASIAEC2", "2026-11-26T18:00:00Z")};
  });
  // Empty settings count as absent.
  environment_ = {{"AWS_ACCESS_KEY_ID", ""}, {"AWS_SECRET_ACCESS_KEY", ""}, {"AWS_PROFILE", ""}};
  EXPECT_EQ(Get().access_key, "ASIAEC2");
  environment_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials";
  EXPECT_EQ(Get().access_key, "ASIAECS");
  environment_["AWS_SHARED_CREDENTIALS_FILE"] =
      File("credentials", "[default]\naws_access_key_id=AKIDFILE\naws_secret_access_key=HUSH\n");
  EXPECT_EQ(Get().access_key, "AKIDFILE");
}

TEST_F(CredentialsTest, AProfileThatTheSettingsNameComesBeforeTheVariables) {
  environment_ = {{"AWS_ACCESS_KEY_ID", "AKIDENV"}, {"AWS_SECRET_ACCESS_KEY", "HUSH"}};
  environment_["AWS_SHARED_CREDENTIALS_FILE"] =
      File("credentials", "[backup]\naws_access_key_id=AKIDFILE\naws_secret_access_key=HUSH\n");
  EXPECT_EQ(Get({.profile = "backup"}).access_key, "AKIDFILE");
  environment_["AWS_PROFILE"] = "backup";
  EXPECT_EQ(Get().access_key, "AKIDENV");
}

TEST_F(CredentialsTest, HalfAPairIsAnErrorThatNamesBoth) {
  for (const Settings& settings :
       {Settings{.access_key = "AKID"}, Settings{.secret_key = "HUSH"}}) {
    const Error error = Failure(settings);
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(WholeText(error).find("S3_ACCESS_KEY"), std::string::npos) << WholeText(error);
    EXPECT_NE(WholeText(error).find("S3_SECRET_ACCESS_KEY"), std::string::npos) << WholeText(error);
  }
  environment_ = {{"AWS_SECRET_ACCESS_KEY", "HUSH"}};
  EXPECT_STREQ(Failure().what(),
               "AWS_SECRET_ACCESS_KEY is set in the environment, and AWS_ACCESS_KEY_ID is not");
}

TEST_F(CredentialsTest, AKeyWithALineBreakIsAnError) {
  const Error error = Failure({.access_key = "AKID", .secret_key = "HUSH\n"});
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_STREQ(error.what(), "the S3_SECRET_ACCESS_KEY of the settings is no key");
  EXPECT_THROW(Get({.access_key = "AKID\r\nX-Header: 1", .secret_key = "HUSH"}), Error);
  EXPECT_THROW(Get({.access_key = "A", .secret_key = "HUSH", .session_token = " t"}), Error);
}

TEST_F(CredentialsTest, WithoutKeysTheErrorSaysWhereTheyWereLookedFor) {
  environment_ = {{"HOME", "/nowhere"}};
  const Error error = Failure();
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_FALSE(error.transient());
  for (const char* place :
       {"S3_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE",
        "/nowhere/.aws/credentials", "AWS_CONTAINER_CREDENTIALS_", "http://169.254.169.254"}) {
    EXPECT_NE(error.cause().find(place), std::string::npos) << place << ": " << error.cause();
  }
}

// Keys from a container's service that expire at 18:00, then 23:00.
class RenewalTest : public CredentialsTest {
 protected:
  RenewalTest() {
    environment_ = {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/keys"}};
    Answer({.body = KeysJson("ASIA1", "2026-11-26T18:00:00Z")});
    source_ = Make();
    EXPECT_EQ(source_->Get({}).access_key, "ASIA1");
  }
  void AnswerSecond() { Answer({.body = KeysJson("ASIA2", "2026-11-26T23:00:00Z")}); }
  size_t Calls() const { return server_.Requests().size(); }

  std::unique_ptr<CredentialSource> source_;
};

TEST_F(RenewalTest, KeysAreKeptUntilFiveMinutesBeforeTheyExpire) {
  AnswerSecond();
  clock_.Set("2026-11-26T17:54:59Z");
  EXPECT_EQ(source_->Get({}).access_key, "ASIA1");
  EXPECT_EQ(Calls(), 1u);
  clock_.Set("2026-11-26T17:55:00Z");
  const Credentials keys = source_->Get({});
  EXPECT_EQ(keys.access_key, "ASIA2");
  EXPECT_EQ(keys.secret_key, "HUSH of ASIA2");
  EXPECT_EQ(keys.expires, ParseRfc3339("2026-11-26T23:00:00Z"));
  EXPECT_EQ(source_->Get({}).access_key, "ASIA2");
  EXPECT_EQ(Calls(), 2u);
}

TEST_F(RenewalTest, KeysThatTheServerCallsExpiredAreFetchedAnewOnceAMinute) {
  const Credentials first = source_->Get({});
  AnswerSecond();
  EXPECT_TRUE(source_->Renew(first));
  const Credentials second = source_->Get({});
  EXPECT_EQ(second.access_key, "ASIA2");
  EXPECT_TRUE(source_->Renew(first)) << "somebody else has done it";
  EXPECT_EQ(Calls(), 2u);
  EXPECT_FALSE(source_->Renew(second));
  EXPECT_EQ(source_->Get({}).access_key, "ASIA2");
  EXPECT_EQ(Calls(), 2u);
  clock_.Set("2026-11-26T17:00:00Z");
  EXPECT_TRUE(source_->Renew(second));
  source_->Get({});
  EXPECT_EQ(Calls(), 3u);
}

// Without a time of their own.
TEST_F(CredentialsTest, KeysOfAFileAreReadAnewWhenTheServerCallsThemExpired) {
  environment_["AWS_SHARED_CREDENTIALS_FILE"] =
      File("credentials", "[default]\naws_access_key_id=AKID1\naws_secret_access_key=HUSH\n");
  const auto source = Make();
  const Credentials first = source->Get({});
  File("credentials", "[default]\naws_access_key_id=AKID2\naws_secret_access_key=HUSH\n");
  EXPECT_EQ(source->Get({}).access_key, "AKID1");
  EXPECT_TRUE(source->Renew(first));
  EXPECT_EQ(source->Get({}).access_key, "AKID2");
}

TEST_F(RenewalTest, WhileRenewalFailsTheOldKeysAreUsedAndTheLogSaysSo) {
  Answer({.status = 500, .body = R"({"message": "HUSHS are out"})"});
  clock_.Set("2026-11-26T17:56:00Z");
  EXPECT_EQ(source_->Get({}).access_key, "ASIA1");
  EXPECT_NE(log_.Text().find("could not be renewed"), std::string::npos) << log_.Text();
  EXPECT_NE(log_.Text().find("2026-11-26T18:00:00.000Z"), std::string::npos) << log_.Text();
  // Not at each request.
  EXPECT_EQ(source_->Get({}).access_key, "ASIA1");
  EXPECT_EQ(Calls(), 2u);
  AnswerSecond();
  clock_.Set("2026-11-26T17:57:00Z");
  EXPECT_EQ(source_->Get({}).access_key, "ASIA2");
}

TEST_F(RenewalTest, WhenTheOldKeysHaveExpiredAFailureIsOne) {
  Answer({.status = 500});
  clock_.Set("2026-11-26T17:59:30Z");
  EXPECT_EQ(source_->Get({}).access_key, "ASIA1");
  clock_.Set("2026-11-26T18:00:00Z");
  const Error error = FailureOf(*source_);
  EXPECT_EQ(error.kind(), ErrorKind::kStore);
  EXPECT_TRUE(error.transient());
  AnswerSecond();
  EXPECT_EQ(source_->Get({}).access_key, "ASIA2");
}

TEST_F(RenewalTest, TheRetrierRidesOutAServiceThatFailsForAWhile) {
  std::atomic<int> failures = 2;
  Answer([&](const TestHttpRequest&) {
    if (failures-- > 0) return TestHttpResponse{.status = 500};
    return TestHttpResponse{.body = KeysJson("ASIA2", "2026-11-26T23:00:00Z")};
  });
  clock_.Set("2026-11-26T19:00:00Z");
  Retrier retrier({}, std::make_unique<NoWaiter>(), log_);
  const Credentials keys = retrier.Run("asking", {}, [&] { return source_->Get({}); });
  EXPECT_EQ(keys.access_key, "ASIA2");
  EXPECT_EQ(Calls(), 4u);
}

TEST_F(RenewalTest, KeysThatHaveExpiredByOurClockAreTriedAndSaidToBe) {
  Answer({.body = KeysJson("ASIA2", "2026-11-26T18:30:00Z")});
  clock_.Set("2026-11-26T19:00:00Z");
  EXPECT_EQ(source_->Get({}).access_key, "ASIA2");
  EXPECT_NE(log_.Text().find("expired at 2026-11-26T18:30:00.000Z"), std::string::npos);
  EXPECT_EQ(source_->Get({}).access_key, "ASIA2");
  EXPECT_EQ(Calls(), 2u);
  clock_.Set("2026-11-26T19:01:00Z");
  EXPECT_EQ(source_->Get({}).access_key, "ASIA2");
  EXPECT_EQ(Calls(), 3u);
}

TEST_F(RenewalTest, OneThreadFetchesAndTheOthersWaitForIt) {
  Answer({.body = KeysJson("ASIA2", "2026-11-26T23:00:00Z"), .fault = TestHttpFault::kHold});
  clock_.Set("2026-11-26T18:30:00Z");
  constexpr int kThreads = 8;
  std::latch started(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        started.count_down();
        EXPECT_EQ(source_->Get({}).access_key, "ASIA2");
      });
    }
    started.wait();
    server_.WaitUntilHeld();
    server_.Release();
  }
  EXPECT_EQ(Calls(), 2u);
}

TEST_F(RenewalTest, WhileOneFetchesTheOthersUseKeysThatHold) {
  Answer({.body = KeysJson("ASIA2", "2026-11-26T23:00:00Z"), .fault = TestHttpFault::kHold});
  clock_.Set("2026-11-26T17:58:00Z");
  std::jthread fetcher([&] { EXPECT_EQ(source_->Get({}).access_key, "ASIA2"); });
  server_.WaitUntilHeld();
  EXPECT_EQ(source_->Get({}).access_key, "ASIA1");
  server_.Release();
}

TEST_F(RenewalTest, WhenTheFetchFailsAllWhoWaitedFail) {
  Answer({.status = 500, .body = R"({"message": "down"})", .fault = TestHttpFault::kHold});
  clock_.Set("2026-11-26T18:30:00Z");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(FailureOf(*source_).cause(), "down (HTTP 500)"); });
  }
  server_.WaitUntilHeld();
  server_.Release();
  threads.clear();
  AnswerSecond();
  EXPECT_EQ(source_->Get({}).access_key, "ASIA2");
}

TEST_F(RenewalTest, AStopEndsAFetchAndTheWaitForOne) {
  Answer({.fault = TestHttpFault::kHold});
  clock_.Set("2026-11-26T18:30:00Z");
  std::stop_source stop;
  const auto is_cancelled = [&] {
    try {
      source_->Get(stop.get_token());
    } catch (const Error& error) {
      return error.kind() == ErrorKind::kCancelled;
    }
    return false;
  };
  std::jthread fetcher([&] { EXPECT_TRUE(is_cancelled()); });
  server_.WaitUntilHeld();
  std::jthread waiter([&] { EXPECT_TRUE(is_cancelled()); });
  stop.request_stop();
  waiter.join();
  fetcher.join();
  server_.Release();
  AnswerSecond();
  EXPECT_EQ(source_->Get({}).access_key, "ASIA2");
}

}  // namespace
}  // namespace oxbackup::s3
