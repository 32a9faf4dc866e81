// Against a real HTTP server on the loopback: what arrives, and what a bad server costs.
#include "report/run_reporter.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/kept_log_testing.h"
#include "base/temporary_folder_testing.h"
#include "http/http_server_testing.h"
#include "report/run_summary_testing.h"

namespace oxbackup {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class RunReporterTest : public ::testing::Test {
 protected:
  ServiceAddress At(std::string_view path, const std::string& setting = "PING_URL",
                    std::string_view user = "") const {
    return ParseServiceAddress(fmt::format("http://{}127.0.0.1:{}{}", user, server_.port(), path),
                               setting);
  }

  RunReporter Make(ReportOptions options) {
    return RunReporter(std::move(options), MakeHttpClient({.use_proxy = false}), log_);
  }

  std::vector<std::string> Calls() const {
    std::vector<std::string> calls;
    for (const TestHttpRequest& request : server_.Requests()) {
      calls.push_back(request.method + " " + request.target);
    }
    return calls;
  }

  std::function<TestHttpResponse(const TestHttpRequest&)> answer_ = [](const TestHttpRequest&) {
    return TestHttpResponse{};
  };
  TestHttpServer server_{[this](const TestHttpRequest& request) { return answer_(request); }};
  KeptLog log_;
  std::stop_source stop_;
};

TEST_F(RunReporterTest, StartAndEndArriveInTheirOrder) {
  RunReporter reporter = Make({.ping = At("/uuid")});
  reporter.Started("backup", SuccessfulBackup().started, stop_.get_token());
  reporter.Ended(SuccessfulBackup(), stop_.get_token());
  EXPECT_THAT(Calls(), ElementsAre("POST /uuid/start", "POST /uuid"));
  EXPECT_THAT(server_.Requests()[1].body, HasSubstr("\"archive\":\"backup.2026-11-26.tar.xz\""));
  EXPECT_THAT(log_.Warnings(), IsEmpty());
}

TEST_F(RunReporterTest, AWebhookGetsEventAndLabels) {
  RunReporter reporter =
      Make({.webhook = At("/hook?token=x", "WEBHOOK_URL"), .labels = {{"site", "campus"}}});
  reporter.Started("backup", SuccessfulBackup().started, stop_.get_token());
  reporter.Ended(FailedBackup(), stop_.get_token());
  const std::vector<TestHttpRequest> requests = server_.Requests();
  ASSERT_THAT(requests, SizeIs(2));
  const nlohmann::json start = nlohmann::json::parse(requests[0].body);
  EXPECT_EQ(start["event"], "start");
  EXPECT_EQ(start["command"], "backup");
  EXPECT_EQ(start["started"], "2026-11-26T02:00:00.000Z");
  EXPECT_EQ(start["labels"]["site"], "campus");
  const nlohmann::json end = nlohmann::json::parse(requests[1].body);
  EXPECT_EQ(end["event"], "failure");
  EXPECT_EQ(end["exit_status"], 1);
  EXPECT_EQ(requests[1].target, "/hook?token=x");
  EXPECT_EQ(requests[1].Header("content-type"), "application/json");
}

TEST_F(RunReporterTest, APushgatewayGetsMetricsWithThePassword) {
  RunReporter reporter = Make(
      {.pushgateway = At("", "METRICS_PUSHGATEWAY_URL", "me:secret@"), .labels = {{"site", "x"}}});
  reporter.Started("backup", SuccessfulBackup().started, stop_.get_token());
  reporter.Ended(SuccessfulBackup(), stop_.get_token());
  const std::vector<TestHttpRequest> requests = server_.Requests();
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].method, "POST") << "PUT would take away what a failed run does not tell";
  EXPECT_EQ(requests[0].target, "/metrics/job/openedx_backup/command/backup/site/x");
  EXPECT_EQ(requests[0].Header("authorization"), "Basic bWU6c2VjcmV0");
  EXPECT_THAT(requests[0].body, HasSubstr("# TYPE openedx_backup_size_bytes gauge\n"));
}

TEST_F(RunReporterTest, AnErrorOfTheServerIsTriedAgainAndThenAWarning) {
  answer_ = [](const TestHttpRequest& request) {
    return TestHttpResponse{.status = 500, .body = "no " + request.target};
  };
  RunReporter reporter = Make({.ping = At("/s3cret", "PING_URL", "me:hunter2@")});
  reporter.Ended(SuccessfulBackup(), stop_.get_token());
  EXPECT_THAT(Calls(), SizeIs(3));
  ASSERT_THAT(log_.Warnings(), SizeIs(1));
  EXPECT_THAT(log_.Warnings()[0],
              AllOf(HasSubstr("PING_URL (127.0.0.1) was not told of the run's success"),
                    HasSubstr("status 500"), HasSubstr("3 times")));
  EXPECT_THAT(log_.Text(), AllOf(Not(HasSubstr("s3cret")), Not(HasSubstr("hunter2"))));
}

TEST_F(RunReporterTest, AServerThatComesBackIsTold) {
  answer_ = [this](const TestHttpRequest&) {
    return TestHttpResponse{.status = server_.Requests().size() < 2 ? 503 : 200};
  };
  RunReporter reporter = Make({.ping = At("/x")});
  reporter.Ended(SuccessfulBackup(), stop_.get_token());
  EXPECT_THAT(Calls(), SizeIs(2));
  EXPECT_THAT(log_.Warnings(), IsEmpty());
}

TEST_F(RunReporterTest, ARefusalIsNotTriedAgain) {
  for (const int status : {301, 404}) {
    answer_ = [status](const TestHttpRequest&) { return TestHttpResponse{.status = status}; };
    const size_t before = Calls().size();
    Make({.ping = At("/x")}).Ended(SuccessfulBackup(), stop_.get_token());
    EXPECT_EQ(Calls().size(), before + 1);
    EXPECT_THAT(log_.Warnings().back(), HasSubstr(std::to_string(status)));
  }
}

TEST_F(RunReporterTest, ThePushgatewaysOwnWordsAreShown) {
  answer_ = [](const TestHttpRequest&) {
    return TestHttpResponse{.status = 400,
                            .body = "pushed metrics are invalid or inconsistent: because\nmore"};
  };
  Make({.pushgateway = At("", "METRICS_PUSHGATEWAY_URL")})
      .Ended(SuccessfulBackup(), stop_.get_token());
  ASSERT_THAT(log_.Warnings(), SizeIs(1));
  EXPECT_THAT(log_.Warnings()[0],
              AllOf(HasSubstr("METRICS_PUSHGATEWAY_URL"), HasSubstr("inconsistent: because"),
                    Not(HasSubstr("more"))));
}

TEST_F(RunReporterTest, NobodyListeningIsAWarningAndNoError) {
  ServiceAddress nobody = At("/x");
  nobody.url.port = "1";
  RunReporter reporter = Make({.ping = nobody, .webhook = At("/hook", "WEBHOOK_URL")});
  reporter.Ended(SuccessfulBackup(), stop_.get_token());
  EXPECT_THAT(Calls(), ElementsAre("POST /hook"));
  ASSERT_THAT(log_.Warnings(), SizeIs(1));
  EXPECT_THAT(log_.Warnings()[0], HasSubstr("PING_URL (127.0.0.1)"));
}

TEST_F(RunReporterTest, AServerThatHangsHoldsNothingUpForLong) {
  answer_ = [](const TestHttpRequest&) { return TestHttpResponse{.fault = TestHttpFault::kHold}; };
  RunReporter reporter = Make({.ping = At("/x"), .webhook = At("/hook", "WEBHOOK_URL")});
  const steady_clock::time_point begin = steady_clock::now();
  reporter.Started("backup", SuccessfulBackup().started, stop_.get_token());
  EXPECT_LT(steady_clock::now() - begin, milliseconds(1000)) << "the run goes on at once";
  server_.WaitUntilHeld();
  reporter.Ended(SuccessfulBackup(), stop_.get_token());
  EXPECT_LT(steady_clock::now() - begin, milliseconds(18'000));
  EXPECT_THAT(log_.Warnings(), SizeIs(4));
  server_.Release();
}

TEST_F(RunReporterTest, AStopEndsTheTelling) {
  answer_ = [](const TestHttpRequest&) { return TestHttpResponse{.fault = TestHttpFault::kHold}; };
  RunReporter reporter = Make({.ping = At("/x")});
  std::jthread stopper([this] {
    server_.WaitUntilHeld();
    stop_.request_stop();
  });
  const steady_clock::time_point begin = steady_clock::now();
  reporter.Ended(SuccessfulBackup(), stop_.get_token());
  EXPECT_LT(steady_clock::now() - begin, milliseconds(3'500));
  ASSERT_THAT(log_.Warnings(), SizeIs(1));
  EXPECT_THAT(log_.Warnings()[0], HasSubstr("stopped on request"));
  server_.Release();
}

TEST_F(RunReporterTest, TheEndOfAStoppedRunIsStillTold) {
  RunReporter reporter = Make({.ping = At("/x")});
  reporter.Started("backup", FailedBackup().started, stop_.get_token());
  while (Calls().empty()) std::this_thread::yield();
  stop_.request_stop();
  RunSummary run = FailedBackup();
  run.exit_status = 130;
  reporter.Ended(run, stop_.get_token());
  EXPECT_THAT(Calls(), ElementsAre("POST /x/start", "POST /x/fail"));
}

TEST_F(RunReporterTest, FilesAreWrittenWhateverBecomesOfOneOfThem) {
  const TemporaryFolder folder;
  const std::string metrics = folder.path() / "x.prom";
  RunReporter reporter = Make({.summary_file = "/dev/full", .metrics_file = metrics});
  reporter.Ended(SuccessfulBackup(), stop_.get_token());
  EXPECT_THAT(ReadTestFile(metrics), HasSubstr("openedx_backup_last_run_status 0\n"));
  ASSERT_THAT(log_.Warnings(), SizeIs(1));
  EXPECT_THAT(log_.Warnings()[0], HasSubstr("/dev/full"));
}

TEST_F(RunReporterTest, ARunWithoutMetricsLeavesTheFileAlone) {
  const TemporaryFolder folder;
  RunSummary list = SuccessfulBackup();
  list.command = "list";
  Make({.metrics_file = folder.path() / "x.prom"}).Ended(list, stop_.get_token());
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "x.prom"));
}

}  // namespace
}  // namespace oxbackup
