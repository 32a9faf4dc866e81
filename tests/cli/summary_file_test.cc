// The summary of a run for whoever started it: a container's termination message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "command_testing.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SummaryFileCommandTest : public ::testing::Test {
 protected:
  std::string file() const { return site_.path() / "summary.json"; }

  std::vector<std::string> BackupFlags(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> flags = {"backup",  "--to",           site_.archives(),
                                      "--caddy", site_.caddy(),    "--progress",
                                      "none",    "--summary-file", file()};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }

  nlohmann::json Summary() const {
    const std::string text = ReadTestFile(file());
    EXPECT_TRUE(text.ends_with("}\n")) << text;
    EXPECT_LE(text.size(), 4001u);
    return nlohmann::json::parse(text, nullptr, false);
  }

  // A link that cannot be followed is a warning of nobody; a pipe in the folder is one.
  void MakeTheBackupWarn() const {
    ASSERT_EQ(::mkfifo((site_.caddy() + "/pipe").c_str(), 0600), 0);
  }

  const CommandSite site_;
};

TEST_F(SummaryFileCommandTest, ABackupAndWhatFollowsItTellWhatTheyDid) {
  ASSERT_EQ(site_.Run(BackupFlags()).status, 0);
  nlohmann::json summary = Summary();
  const std::string archive = summary["archive"];
  EXPECT_EQ(summary["command"], "backup");
  EXPECT_EQ(summary["exit_status"], 0);
  EXPECT_EQ(summary["location"], site_.archives());
  EXPECT_EQ(summary["stored_bytes"], std::filesystem::file_size(site_.archives() + "/" + archive));
  EXPECT_GT(summary["components"]["caddy"]["items"], 0);

  const std::vector<std::string> restore = {
      "restore",    "--from", site_.archives(), "--caddy",        site_.caddy(),
      "--progress", "none",   "--yes",          "--summary-file", file()};
  std::vector<std::string> dry_run = restore;
  dry_run.push_back("--dry-run");
  ASSERT_EQ(site_.Run(dry_run).status, 0);
  summary = Summary();
  EXPECT_EQ(summary["archive"], archive);
  EXPECT_EQ(summary["dry_run"], true);
  EXPECT_FALSE(summary.contains("applied"));

  ASSERT_EQ(site_.Run(restore).status, 0);
  summary = Summary();
  EXPECT_EQ(summary["command"], "restore");
  EXPECT_EQ(summary["applied"]["archive"], archive);
  EXPECT_GT(summary["components"]["caddy"]["items"], 0);

  for (const std::string command : {"verify", "list", "prune"}) {
    std::vector<std::string> line = {command, "--from", site_.archives(), "--summary-file", file()};
    if (command == "prune") line.insert(line.end(), {"--keep-last", "1", "--yes"});
    ASSERT_EQ(site_.Run(line).status, 0) << command;
    summary = Summary();
    EXPECT_EQ(summary["command"], command);
    EXPECT_EQ(summary["status"], "complete");
    if (command != "verify") {
      EXPECT_EQ(summary["retained_archives"], 1) << command;
    }
  }

  ASSERT_EQ(site_
                .Run({"extract", "--from", site_.archives(), "--to", site_.path() / "out",
                      "--summary-file", file()})
                .status,
            0);
  EXPECT_EQ(Summary()["archive"], archive);
}

TEST_F(SummaryFileCommandTest, AFailedRunTellsWhy) {
  EXPECT_EQ(site_.Run(BackupFlags({"--mysql-socket", site_.path() / "no.sock"})).status, 1);
  const nlohmann::json summary = Summary();
  EXPECT_EQ(summary["status"], "failed");
  EXPECT_EQ(summary["exit_status"], 1);
  EXPECT_EQ(summary["error"]["kind"], "source");
  EXPECT_THAT(summary["error"]["message"], Not(IsEmpty()));
  EXPECT_EQ(summary["aftermath"], "Nothing was written.");
  EXPECT_EQ(summary["location"], site_.archives());
}

TEST_F(SummaryFileCommandTest, SoDoesOneThatDidNotEvenBegin) {
  EXPECT_EQ(site_.Run(BackupFlags({"--memory", "1K"})).status, 2);
  nlohmann::json summary = Summary();
  EXPECT_EQ(summary["status"], "usage");
  EXPECT_THAT(summary["error"]["message"], HasSubstr("--memory"));

  WriteTestFile(site_.path() / "settings.toml", "summary-file = \"" + file() + "\"\n");
  EXPECT_EQ(site_
                .Run({"backup", "--to", site_.archives(), "--config",
                      site_.path() / "settings.toml", "--mysql-port", "3307"})
                .status,
            2);
  EXPECT_THAT(Summary()["error"]["message"], HasSubstr("--mysql-port"));

  EXPECT_EQ(site_.Run({"backup", "--no-such-flag"}, {{"SUMMARY_FILE", file()}}).status, 2);
  summary = Summary();
  EXPECT_EQ(summary["command"], "backup");
  EXPECT_THAT(summary["error"]["message"], HasSubstr("--no-such-flag"));
}

TEST_F(SummaryFileCommandTest, ACommandWithoutASummaryLeavesThatOfAnotherAlone) {
  WriteTestFile(file(), "of a backup");
  EXPECT_EQ(site_.Run({"inspect", "--no-such-flag"}, {{"SUMMARY_FILE", file()}}).status, 2);
  EXPECT_EQ(site_.Run({"version"}, {{"SUMMARY_FILE", file()}}).status, 0);
  EXPECT_EQ(ReadTestFile(file()), "of a backup");
}

TEST_F(SummaryFileCommandTest, AFileThatCannotBeWrittenEndsItBeforeItBegins) {
  const ProcessResult result =
      site_.Run({"backup", "--to", site_.archives(), "--caddy", site_.caddy(), "--summary-file",
                 site_.path() / "missing" / "summary.json"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.error, HasSubstr("the file that --summary-file names"));
  EXPECT_THAT(site_.Stored(), IsEmpty());
}

TEST_F(SummaryFileCommandTest, WarningsAreASuccessForTheProcessAloneWhenAskedFor) {
  MakeTheBackupWarn();
  EXPECT_EQ(site_.Run(BackupFlags({"--name", "one"})).status, 3);
  EXPECT_EQ(Summary()["exit_status"], 3);
  const ProcessResult result =
      site_.Run(BackupFlags({"--name", "two", "--warnings-as-success", "true", "--json"}));
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(nlohmann::json::parse(result.out)["exit_status"], 3);
  const nlohmann::json summary = Summary();
  EXPECT_EQ(summary["exit_status"], 3);
  EXPECT_EQ(summary["status"], "warnings");
  EXPECT_EQ(summary["warnings"], 1);
  EXPECT_THAT(summary["first_warnings"][0], HasSubstr("pipe"));
}

TEST_F(SummaryFileCommandTest, FailuresStayFailuresWithWarningsAsSuccess) {
  const ProcessResult result =
      site_.Run({"verify", "--from", site_.archives(), "--summary-file", file()},
                {{"WARNINGS_AS_SUCCESS", "true"}});
  EXPECT_EQ(result.status, 4);
  EXPECT_EQ(Summary()["status"], "not_found");
}

TEST_F(SummaryFileCommandTest, AnInterruptedRunTellsThatItWas) {
  // Far more than is read between two looks at the folder.
  std::filesystem::resize_file(site_.caddy() + "/locks/empty", uint64_t{8} << 30);
  const std::unique_ptr<Process> backup = site_.Start(BackupFlags());
  while (site_.Stored().empty()) std::this_thread::yield();
  backup->Signal(SIGTERM);
  EXPECT_EQ(backup->Wait().status, 130);
  const nlohmann::json summary = Summary();
  EXPECT_EQ(summary["status"], "interrupted");
  EXPECT_EQ(summary["exit_status"], 130);
  EXPECT_EQ(summary["error"]["kind"], "cancelled");
  EXPECT_THAT(site_.Stored(), IsEmpty());
}

}  // namespace
}  // namespace oxbackup
