// What the command tells its monitoring, and that bad monitoring costs a run nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "command_testing.h"
#include "http/http_server_testing.h"

namespace oxbackup {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class MonitoringTest : public ::testing::Test {
 protected:
  using Environment = std::map<std::string, std::string>;

  std::vector<std::string> BackupFlags(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> flags = {
        "backup", "--to", site_.archives(), "--caddy", site_.caddy(), "--progress", "none"};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }

  // A file that holds the server's address.
  std::string AddressFile(const std::string& path, const std::string& user = "") const {
    const std::string file = site_.path() / "address";
    WriteTestFile(file, "http://" + user + server_.url().substr(7) + path + "\n");
    return file;
  }

  std::vector<std::string> Calls() const {
    std::vector<std::string> calls;
    for (const TestHttpRequest& request : server_.Requests()) {
      calls.push_back(request.method + " " + request.target);
    }
    return calls;
  }

  std::string metrics() const { return site_.path() / "openedx.prom"; }

  const CommandSite site_;
  std::function<TestHttpResponse(const TestHttpRequest&)> answer_ = [](const TestHttpRequest&) {
    return TestHttpResponse{};
  };
  TestHttpServer server_{[this](const TestHttpRequest& request) { return answer_(request); }};
};

TEST_F(MonitoringTest, CommandsShareAFileOfMetrics) {
  const Environment file = {{"METRICS_FILE", metrics()}, {"METRICS_LABELS", "site=campus"}};
  const std::vector<std::vector<std::string>> commands = {
      BackupFlags(),
      {"verify", "--from", site_.archives()},
      {"restore", "--from", site_.archives(), "--caddy", site_.caddy(), "--yes"},
      {"prune", "--from", site_.archives(), "--keep-last", "1", "--yes"},
  };
  for (const std::vector<std::string>& command : commands) {
    const ProcessResult result = site_.Run(command, file);
    ASSERT_EQ(result.status, 0) << command[0] << result.error;
  }
  const std::string good = ReadTestFile(metrics());
  for (const std::string name : {"openedx_backup_last_success_timestamp_seconds",
                                 "openedx_backup_verify_last_success_timestamp_seconds",
                                 "openedx_restore_applied_backup_timestamp_seconds",
                                 "openedx_backup_prune_last_success_timestamp_seconds",
                                 "openedx_backup_retained_archives"}) {
    EXPECT_THAT(good, HasSubstr("\n" + name + "{site=\"campus\"} "));
  }
  EXPECT_THAT(good, HasSubstr("\nopenedx_backup_rows{component=\"caddy\",site=\"campus\"} "));

  const std::string last_success =
      good.substr(good.find("\nopenedx_backup_last_success_timestamp_seconds"), 90);
  EXPECT_EQ(site_.Run(BackupFlags({"--mysql-socket", site_.path() / "no.sock"}), file).status, 1);
  const std::string bad = ReadTestFile(metrics());
  EXPECT_THAT(bad, HasSubstr("\nopenedx_backup_last_run_status{site=\"campus\"} 1\n"));
  EXPECT_THAT(bad, HasSubstr(last_success)) << "the last success is still known";
}

TEST_F(MonitoringTest, WhatIsNoWholeRunWritesNoMetrics) {
  const Environment file = {{"METRICS_FILE", metrics()}};
  ASSERT_EQ(site_.Run(BackupFlags()).status, 0);
  EXPECT_EQ(site_.Run({"verify", "--from", site_.archives(), "--quick"}, file).status, 0);
  EXPECT_EQ(
      site_
          .Run({"restore", "--from", site_.archives(), "--caddy", site_.caddy(), "--dry-run"}, file)
          .status,
      0);
  EXPECT_EQ(site_.Run({"restore", "--undo", "--caddy", site_.caddy(), "--yes"}, file).status, 4);
  EXPECT_FALSE(std::filesystem::exists(metrics()));
}

TEST_F(MonitoringTest, StartAndEndAreTold) {
  const std::string address = AddressFile("/s3cret/{command}");
  const std::vector<std::string> ping = {"--ping-url-file", address};
  ProcessResult result = site_.Run(BackupFlags(ping));
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_THAT(Calls(), ElementsAre("POST /s3cret/backup/start", "POST /s3cret/backup"));
  const nlohmann::json summary = nlohmann::json::parse(server_.Requests()[1].body);
  EXPECT_EQ(summary["exit_status"], 0);
  EXPECT_THAT(summary["archive"].get<std::string>(), HasSubstr("backup."));

  result = site_.Run({"verify", "--from", site_.archives(), "--name", "none"},
                     {{"PING_URL_FILE", address}});
  EXPECT_EQ(result.status, 4);
  EXPECT_EQ(Calls().back(), "POST /s3cret/verify/fail");
}

TEST_F(MonitoringTest, ADryRunIsToldToNobody) {
  ASSERT_EQ(site_.Run(BackupFlags()).status, 0);
  const std::string address = AddressFile("/x");
  EXPECT_EQ(site_
                .Run({"restore", "--from", site_.archives(), "--caddy", site_.caddy(), "--dry-run",
                      "--ping-url-file", address, "--webhook-url-file", address})
                .status,
            0);
  EXPECT_THAT(Calls(), IsEmpty());
}

TEST_F(MonitoringTest, WhatCannotBeToldIsAWarningOfTheLogAndShowsNoSecret) {
  answer_ = [](const TestHttpRequest& request) {
    return TestHttpResponse{.status = 500, .body = request.target + " failed"};
  };
  const std::string address = AddressFile("/s3cret", "me:hunter2@");
  const ProcessResult result = site_.Run(
      BackupFlags({"--ping-url-file", address, "--webhook-url-file", address,
                   "--metrics-pushgateway-url-file", address, "--log-level", "debug", "--json"}));
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(nlohmann::json::parse(result.out)["warnings"].size(), 0u);
  EXPECT_THAT(result.error,
              AllOf(HasSubstr("PING_URL (127.0.0.1) was not told of the run's start"),
                    HasSubstr("PING_URL (127.0.0.1) was not told of the run's success"),
                    HasSubstr("WEBHOOK_URL (127.0.0.1) was not told of the run's success"),
                    HasSubstr("METRICS_PUSHGATEWAY_URL (127.0.0.1) was not told of the run's "
                              "metrics")));
  EXPECT_THAT(result.error + result.out,
              AllOf(Not(HasSubstr("s3cret")), Not(HasSubstr("hunter2"))));
}

TEST_F(MonitoringTest, AHangingServerDoesNotHoldTheBackupUp) {
  answer_ = [](const TestHttpRequest&) { return TestHttpResponse{.fault = TestHttpFault::kHold}; };
  const auto backup = site_.Start(BackupFlags({"--ping-url-file", AddressFile("/x")}));
  server_.WaitUntilHeld();
  // The archive appears while the start is still being told.
  while (site_.Stored().empty() || site_.Stored()[0].starts_with(".")) std::this_thread::yield();
  EXPECT_THAT(Calls(), Each("POST /x/start"));
  server_.Release();
  EXPECT_EQ(backup->Wait().status, 0);
  EXPECT_EQ(Calls().back(), "POST /x");
}

TEST_F(MonitoringTest, AnInterruptedRunIsToldAsAFailure) {
  std::filesystem::resize_file(site_.caddy() + "/locks/empty", uint64_t{8} << 30);
  const auto backup = site_.Start(BackupFlags({"--ping-url-file", AddressFile("/x")}));
  while (site_.Stored().empty()) std::this_thread::yield();
  backup->Signal(SIGTERM);
  EXPECT_EQ(backup->Wait().status, 130);
  ASSERT_THAT(Calls(), Not(IsEmpty()));
  EXPECT_EQ(Calls().back(), "POST /x/fail");
  EXPECT_THAT(server_.Requests().back().body, HasSubstr("\"status\":\"interrupted\""));
}

TEST_F(MonitoringTest, ASecondSignalEndsTheTellingAtOnce) {
  std::filesystem::resize_file(site_.caddy() + "/locks/empty", uint64_t{8} << 30);
  answer_ = [](const TestHttpRequest& request) {
    const bool end = request.target == "/x/fail";
    return TestHttpResponse{.fault = end ? TestHttpFault::kHold : TestHttpFault::kNone};
  };
  const auto backup = site_.Start(BackupFlags({"--ping-url-file", AddressFile("/x")}));
  while (site_.Stored().empty()) std::this_thread::yield();
  backup->Signal(SIGTERM);
  server_.WaitUntilHeld();
  // What comes sooner is taken for the same one.
  const auto later = std::chrono::steady_clock::now() + std::chrono::milliseconds(250);
  while (std::chrono::steady_clock::now() < later) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  backup->Signal(SIGTERM);
  EXPECT_EQ(backup->Wait().status, 130);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  server_.Release();
}

TEST_F(MonitoringTest, ImpossibleSettingsEndTheRunBeforeItBegins) {
  const std::string no_address = site_.path() / "no-address";
  WriteTestFile(no_address, "hunter2\n");
  const std::vector<std::vector<std::string>> mistakes = {
      {"--ping-url-file", no_address},
      {"--webhook-url-file", no_address},
      {"--metrics-pushgateway-url-file", no_address},
      {"--metrics-file", site_.path() / "gone" / "x.prom"},
      {"--metrics-file", site_.path() / "x.txt"},
      {"--metrics-file", metrics(), "--metrics-label", "my-site=x"},
      {"--metrics-file", metrics(), "--metrics-label", "job=x"},
      {"--metrics-label", "site=x"},
      {"--warnings-as-success", "perhaps"},
  };
  for (const std::vector<std::string>& flags : mistakes) {
    const ProcessResult result = site_.Run(BackupFlags(flags));
    const std::string shown = ::testing::PrintToString(flags);
    EXPECT_EQ(result.status, 2) << shown << result.error;
    EXPECT_THAT(result.error, AllOf(HasSubstr("error: "), Not(HasSubstr("hunter2")))) << shown;
  }
  EXPECT_THAT(site_.Stored(), IsEmpty());
  EXPECT_EQ(
      site_.Run({"verify", "--from", site_.archives(), "--quick", "--metrics-file", metrics()})
          .status,
      2);
}

}  // namespace
}  // namespace oxbackup
