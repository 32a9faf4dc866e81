// Restores in place, through the command: the live data go first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "command_testing.h"

namespace oxbackup {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

class InPlaceTest : public ::testing::Test {
 protected:
  InPlaceTest() {
    site_.Backup();
    WriteTestFile(File(), "another");
    WriteTestFile(Newer(), "newer");
  }

  std::string File() const { return site_.caddy() + "/certificates/campus.crt"; }
  std::string Newer() const { return site_.caddy() + "/newer/file"; }
  std::vector<std::string> Restore(std::vector<std::string> more) const {
    more.insert(more.begin(),
                {"restore", "--from", site_.archives(), "--caddy", site_.caddy(), "--in-place"});
    return more;
  }
  void ExpectRestored() const {
    EXPECT_EQ(ReadTestFile(File()), "a certificate");
    EXPECT_FALSE(fs::exists(Newer()));
    EXPECT_FALSE(fs::exists(site_.caddy() + "/.openedx-backup"));
  }
  void ExpectUnchanged() const {
    EXPECT_EQ(ReadTestFile(File()), "another");
    EXPECT_EQ(ReadTestFile(Newer()), "newer");
  }

  const CommandSite site_;
};

TEST_F(InPlaceTest, TheQuestionSaysThatTheLiveDataGoAndThatThereIsNoUndo) {
  const ProcessResult refused = site_.Run(Restore({}));
  EXPECT_EQ(refused.status, 2);
  // Lines are broken between words.
  EXPECT_THAT(refused.error, AllOf(ContainsRegex("caddy\\s+is\\s+REMOVED"),
                                   ContainsRegex("site\\s+is\\s+down\\s+meanwhile"),
                                   ContainsRegex("there\\s+is\\s+no\\s+undo")));
  ExpectUnchanged();
}

TEST_F(InPlaceTest, ADryRunShowsItAndChangesNothing) {
  EXPECT_THAT(site_.Run(Restore({"--dry-run"})).out, ContainsRegex("is\\s+REMOVED"));
  const nlohmann::json dry = site_.RunJson(Restore({"--dry-run"}));
  EXPECT_EQ(dry["exit_status"], 0);
  EXPECT_EQ(dry["in_place"], true);
  ExpectUnchanged();
  const nlohmann::json beside =
      site_.RunJson({"restore", "--from", site_.archives(), "--caddy", site_.caddy(), "--dry-run"});
  EXPECT_EQ(beside["in_place"], false);
}

TEST_F(InPlaceTest, PromisesNoOldDataThatItCannotKeep) {
  EXPECT_THAT(site_.Run(Restore({"--yes"})).out, HasSubstr("The old data are gone (--in-place)."));
}

TEST_F(InPlaceTest, BringsBackWhatTheArchiveHoldsAndNothingElse) {
  const nlohmann::json done = site_.RunJson(Restore({"--yes"}));
  EXPECT_EQ(done["exit_status"], 0) << done;
  EXPECT_EQ(done["in_place"], true);
  EXPECT_EQ(done["kept_old"], false);
  ExpectRestored();
}

TEST_F(InPlaceTest, KeptOldDataAreRefusedUntilTheyAreDropped) {
  ASSERT_EQ(site_
                .Run({"restore", "--from", site_.archives(), "--caddy", site_.caddy(), "--yes",
                      "--keep-old"})
                .status,
            0);
  WriteTestFile(File(), "another");
  const nlohmann::json refused = site_.RunJson(Restore({"--yes"}));
  EXPECT_EQ(refused["exit_status"], 2);
  EXPECT_THAT(std::string(refused["error"]["do"]), HasSubstr("restore --drop-old"));
  EXPECT_EQ(ReadTestFile(File()), "another");
  ASSERT_EQ(site_.Run({"restore", "--caddy", site_.caddy(), "--drop-old", "--yes"}).status, 0);
  EXPECT_EQ(site_.Run(Restore({"--yes"})).status, 0);
  ExpectRestored();
}

// That a hard link leads out of its tree is seen when it is to be made.
TEST_F(InPlaceTest, AnErrorInTheLoadSaysThatTheDataAreGoneAndHowToGoOn) {
  const std::string whole = site_.Stored().at(0);
  WriteTestFile(site_.path() / "data" / "other" / "file", "content");
  fs::create_directories(site_.path() / "data" / "caddy");
  fs::create_hard_link(site_.path() / "data" / "other" / "file",
                       site_.path() / "data" / "caddy" / "link");
  const std::string odd = site_.archives() + "/odd.tar";
  ASSERT_EQ(RunProcess({"tar", "-C", site_.path(), "-cf", odd, "data/other", "data/caddy"}).status,
            0);
  const nlohmann::json failed = site_.RunJson(Restore({"--name", "odd.tar", "--yes"}));
  EXPECT_EQ(failed["status"], "corrupt");
  EXPECT_THAT(std::string(failed["aftermath"]),
              AllOf(HasSubstr("The live data of caddy were removed (--in-place)"),
                    HasSubstr("nothing of odd.tar is live yet"), HasSubstr("--from"),
                    HasSubstr("--name odd.tar")));
  EXPECT_FALSE(fs::exists(site_.caddy() + "/certificates"));
  EXPECT_FALSE(fs::exists(Newer()));
  const ProcessResult backup =
      site_.Run({"backup", "--to", site_.archives(), "--caddy", site_.caddy()});
  EXPECT_EQ(backup.status, 2);
  EXPECT_THAT(backup.error, AllOf(HasSubstr("the live data of caddy are gone"),
                                  HasSubstr("--name odd.tar"), HasSubstr("--drop-old")));
  EXPECT_EQ(site_.Run(Restore({"--name", whole, "--yes"})).status, 0);
  ExpectRestored();
}

TEST_F(InPlaceTest, AKillInTheLoadIsFollowedByARunThatSucceeds) {
  for (int i = 0; i < 3000; ++i) WriteTestFile(site_.caddy() + "/e" + std::to_string(i), "x");
  fs::remove_all(site_.caddy() + "/newer");
  WriteTestFile(File(), "a certificate");
  const std::string archive = site_.Backup();
  WriteTestFile(Newer(), "newer");
  // The working folder alone is left of what was live.
  const auto is_loading = [&] {
    std::error_code none;
    return !fs::exists(File(), none) && !fs::exists(Newer(), none) &&
           fs::exists(site_.caddy() + "/.openedx-backup/new/e1", none);
  };
  const auto process = site_.Start(Restore({"--yes", "--name", fs::path(archive).filename()}));
  while (process->Runs() && !is_loading()) std::this_thread::yield();
  process->Signal(SIGKILL);
  process->Wait();
  ASSERT_FALSE(fs::exists(File())) << "the restore was faster";
  const ProcessResult next = site_.Run(Restore({"--yes", "--name", fs::path(archive).filename()}));
  EXPECT_EQ(next.status, 0) << next.error;
  ExpectRestored();
  EXPECT_TRUE(fs::exists(site_.caddy() + "/e2999"));
}

}  // namespace
}  // namespace oxbackup
