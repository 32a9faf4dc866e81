// Metrics in a real Pushgateway: that it takes them, and what a failed run leaves there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/kept_log_testing.h"
#include "report/run_reporter.h"
#include "report/run_summary_testing.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class PushgatewayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const url = std::getenv("TESTBED_PUSHGATEWAY_URL");
    ASSERT_NE(url, nullptr) << "testbed/testbed up pushgateway; eval \"$(testbed/testbed env)\"";
    url_ = url;
    const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
    labels_ = {{"site", test->name()}};
  }

  void Tell(const RunSummary& run) {
    RunReporter reporter(
        {.pushgateway = ParseServiceAddress(url_, "METRICS_PUSHGATEWAY_URL"), .labels = labels_},
        MakeHttpClient({.use_proxy = false}), log_);
    reporter.Ended(run, std::stop_token());
  }

  // All that Prometheus would scrape.
  std::string Scrape() const {
    const HttpResponse response = MakeHttpClient({.use_proxy = false})
                                      ->Perform({.url = url_ + "/metrics"}, std::stop_token());
    EXPECT_EQ(response.status, 200);
    return response.body;
  }

  // As the gateway writes a sample's labels, sorted.
  std::string Group(const std::string& command, const std::string& site) const {
    return "command=\"" + command + "\",instance=\"\",job=\"openedx_backup\",site=\"" + site +
           "\"} ";
  }

  std::string url_;
  MetricLabels labels_;
  KeptLog log_;
};

TEST_F(PushgatewayTest, AFailedRunKeepsTheLastSuccess) {
  Tell(SuccessfulBackup());
  Tell(FailedBackup());
  EXPECT_THAT(log_.Warnings(), IsEmpty());
  const std::string group = Group("backup", labels_[0].second);
  const std::string metrics = Scrape();
  EXPECT_THAT(metrics, HasSubstr("openedx_backup_last_run_status{" + group + "1\n"));
  EXPECT_THAT(metrics, HasSubstr("openedx_backup_last_success_timestamp_seconds{" + group +
                                 "1.7956596345e+09\n"));
  EXPECT_THAT(metrics, HasSubstr("openedx_backup_size_bytes{command=\"backup\",component=\"mysql\","
                                 "instance=\"\",job=\"openedx_backup\",kind=\"raw\",site=\"" +
                                 labels_[0].second + "\"} 3000\n"));
}

TEST_F(PushgatewayTest, CommandsAreGroupsOfTheirOwn) {
  Tell(SuccessfulBackup());
  Tell(SuccessfulRestore());
  EXPECT_THAT(log_.Warnings(), IsEmpty());
  EXPECT_THAT(Scrape(), HasSubstr("openedx_restore_swap_seconds{" +
                                  Group("restore", labels_[0].second) + "1.5\n"));
}

TEST_F(PushgatewayTest, LabelsMayHoldAnything) {
  labels_ = {{"site", "a/b c\"d\"\\ü+?&"}};
  Tell(SuccessfulBackup());
  EXPECT_THAT(log_.Warnings(), IsEmpty());
  EXPECT_THAT(Scrape(), HasSubstr("openedx_backup_warnings{" +
                                  Group("backup", "a/b c\\\"d\\\"\\\\ü+?&") + "0\n"));
}

TEST_F(PushgatewayTest, AnAddressThatIsNoGatewaysIsAWarning) {
  url_ += "/api/v1/nothing-there";
  Tell(SuccessfulBackup());
  ASSERT_THAT(log_.Warnings(), SizeIs(1));
  EXPECT_THAT(log_.Warnings()[0], HasSubstr("METRICS_PUSHGATEWAY_URL (127.0.0.1)"));
  EXPECT_THAT(log_.Warnings()[0], Not(HasSubstr("nothing-there")));
}

}  // namespace
}  // namespace oxbackup
