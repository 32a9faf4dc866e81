// Old data that a restore keeps, and restores that did not end, through the command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <sstream>
#include <thread>

#include "command_testing.h"

namespace oxbackup {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class KeptDataTest : public ::testing::Test {
 protected:
  KeptDataTest() {
    site_.Backup();
    WriteTestFile(File(), "another");
  }

  std::string File() const { return site_.caddy() + "/certificates/campus.crt"; }
  std::vector<std::string> Restore(std::vector<std::string> more) const {
    more.insert(more.begin(), {"restore", "--caddy", site_.caddy()});
    return more;
  }
  std::vector<std::string> RestoreArchive(std::vector<std::string> more) const {
    more.insert(more.begin(), {"--from", site_.archives()});
    return Restore(std::move(more));
  }

  // Kills a restore as soon as its swap is announced, which may be in the middle of it.
  void InterruptARestore() {
    // Each entry of the folder is exchanged by itself.
    for (int i = 0; i < 3000; ++i) WriteTestFile(site_.caddy() + "/e" + std::to_string(i), "x");
    site_.Backup();
    const std::string record = site_.caddy() + "/.openedx-backup/record.json";
    const auto process = site_.Start(RestoreArchive({"--yes"}));
    while (process->Runs() && !std::filesystem::exists(record)) std::this_thread::yield();
    process->Signal(SIGKILL);
    process->Wait();
    ASSERT_TRUE(std::filesystem::exists(record)) << "the restore was faster";
  }

  const CommandSite site_;
};

TEST_F(KeptDataTest, AnUndoSaysWhatComesBackAndAsks) {
  EXPECT_EQ(site_.RunJson(RestoreArchive({"--yes", "--keep-old"}))["kept_old"], true);
  const ProcessResult refused = site_.Run(Restore({"--undo"}));
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.error, HasSubstr("This undoes the restore of backup."));
  EXPECT_THAT(refused.error, HasSubstr("in caddy."));
  EXPECT_THAT(refused.error, HasSubstr("pass --yes"));
  EXPECT_EQ(ReadTestFile(File()), "a certificate");
  EXPECT_THAT(site_.RunJson(Restore({"--undo", "--yes"}))["undone"], SizeIs(1));
  EXPECT_EQ(ReadTestFile(File()), "another");
  EXPECT_EQ(site_.RunJson(Restore({"--undo", "--yes"}))["exit_status"], 4);
}

// It is run by a shell as it was printed.
TEST_F(KeptDataTest, TheCommandToGoBackWorksAsItIsPrinted) {
  const std::string odd = site_.path() / "caddy's data";
  std::filesystem::rename(site_.caddy(), odd);
  const ProcessResult restored = site_.Run({"restore", "--from", site_.archives(), "--caddy", odd,
                                            "--yes", "--keep-old", "--only", "caddy"});
  ASSERT_EQ(restored.status, 0) << restored.error;
  std::istringstream lines(restored.out);
  std::string line;
  while (std::getline(lines, line) && line.find("To go back:") == std::string::npos) {
  }
  ASSERT_TRUE(std::getline(lines, line)) << restored.out;
  EXPECT_THAT(line, Not(HasSubstr("--only")));
  const std::string folder = std::filesystem::path(OPENEDX_BACKUP_COMMAND).parent_path();
  const ProcessResult undone = RunProcess({"bash", "-c", "PATH=" + folder + ":$PATH " + line});
  EXPECT_EQ(undone.status, 0) << line << undone.error;
  EXPECT_EQ(ReadTestFile(odd + "/certificates/campus.crt"), "another");
}

TEST_F(KeptDataTest, ABackupNamesThemWithoutAWarningAndTheyCanBeDropped) {
  ASSERT_EQ(site_.Run(RestoreArchive({"--yes", "--keep-old"})).status, 0);
  const std::vector<std::string> backup = {"backup", "--to", site_.archives(), "--caddy",
                                           site_.caddy()};
  const ProcessResult result = site_.Run(backup);
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_THAT(result.out, HasSubstr("replaced in caddy is kept"));
  EXPECT_EQ(site_.Run(Restore({"--drop-old"})).status, 2);
  const nlohmann::json dropped = site_.RunJson(Restore({"--drop-old", "--yes"}));
  EXPECT_EQ(dropped["exit_status"], 0);
  EXPECT_THAT(dropped["dropped"], SizeIs(1));
  EXPECT_EQ(ReadTestFile(File()), "a certificate");
  EXPECT_THAT(site_.RunJson(backup)["kept_old"], IsEmpty());
  EXPECT_EQ(site_.RunJson(Restore({"--drop-old", "--yes"}))["exit_status"], 4);
}

TEST_F(KeptDataTest, AnInterruptedRestoreIsToldOfByWhatOnlyLooks) {
  ASSERT_NO_FATAL_FAILURE(InterruptARestore());
  const std::string told = "has not ended";
  const nlohmann::json dry = site_.RunJson(RestoreArchive({"--dry-run"}));
  EXPECT_EQ(dry["exit_status"], 3);
  ASSERT_THAT(dry["warnings"], SizeIs(1));
  EXPECT_THAT(std::string(dry["warnings"][0]), HasSubstr(told));
  EXPECT_THAT(site_.Run(RestoreArchive({"--dry-run"})).out, HasSubstr(told));
  const ProcessResult compared =
      site_.Run({"verify", "--from", site_.archives(), "--against-live", "--caddy", site_.caddy()});
  EXPECT_TRUE(compared.status == 3 || compared.status == 5) << compared.status;
  EXPECT_THAT(compared.error, HasSubstr(told));
  const ProcessResult refused = site_.Run(Restore({"--undo"}));
  EXPECT_EQ(refused.status, 2);
  // Lines are broken between words.
  EXPECT_THAT(refused.error, ContainsRegex("which was\\sinterrupted"));
  EXPECT_THAT(refused.error, HasSubstr("pass --yes"));
  EXPECT_EQ(site_.Run(Restore({"--drop-old", "--yes"})).status, 2);
  EXPECT_EQ(site_.RunJson(Restore({"--undo", "--yes"}))["exit_status"], 0);
  EXPECT_EQ(site_.RunJson(RestoreArchive({"--dry-run"}))["exit_status"], 0);
}

TEST_F(KeptDataTest, AFailureAfterAnInterruptedRestoreWasFinishedDoesNotDenyThat) {
  ASSERT_NO_FATAL_FAILURE(InterruptARestore());
  const nlohmann::json failed = site_.RunJson(RestoreArchive({"--yes", "--name", "none.tar.xz"}));
  EXPECT_EQ(failed["exit_status"], 4);
  EXPECT_THAT(std::string(failed["aftermath"]),
              ContainsRegex("that was interrupted .* was .*\\. Nothing else was changed\\."));
}

}  // namespace
}  // namespace oxbackup
