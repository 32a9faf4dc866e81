// The real command is killed by SIGKILL while it restores. Whatever it was doing, the live site is
// whole, and the next run succeeds at once.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/temporary_folder_testing.h"
#include "site_testing.h"

namespace oxbackup {
namespace {

class KilledRestore : public SiteTest {
 protected:
  // Starts a restore and kills it as soon as `is_time`. On a busy machine that can be looked for
  // too late: a restore that has succeeded by then is made again, after `again`, a few times.
  template <class IsTime, class Again>
  ::testing::AssertionResult KillWhen(const IsTime& is_time, const Again& again) const {
    constexpr int kTries = 5;
    for (int i = 0; i < kTries; ++i) {
      const ProcessResult result = KilledAt(is_time);
      if (result.status == 128 + SIGKILL) return ::testing::AssertionSuccess();
      if (result.status != 0) {
        return ::testing::AssertionFailure()
               << "it ended before, with status " << result.status << "\n"
               << result.error;
      }
      again();
    }
    return ::testing::AssertionFailure() << "it was faster " << kTries << " times";
  }

  template <class IsTime>
  ProcessResult KilledAt(const IsTime& is_time) const {
    std::vector<std::string> arguments = {"restore", "--yes"};
    for (const std::string& argument : Trees()) arguments.push_back(argument);
    arguments.insert(arguments.end(), flags_.begin(), flags_.end());
    const std::unique_ptr<Process> engine = StartEngine(arguments);
    while (engine->Runs() && !is_time()) {
    }
    engine->Signal(SIGKILL);
    return engine->Wait();
  }

  // The record that a restore keeps of the swap of a folder, or "".
  static std::string RecordIn(const std::string& folder) {
    const std::string path = folder + "/.openedx-backup/record.json";
    std::error_code none;
    return std::filesystem::exists(path, none) ? ReadTestFile(path) : "";
  }

  // The site's entries at the root of a folder are exchanged one by one, and these take a while.
  static void AddEntries(const std::string& folder) {
    for (int i = 0; i < 2000; ++i) WriteTestFile(folder + "/e" + std::to_string(i), "content");
  }

  void ChangeSite() const {
    Sql("UPDATE openedx.auth_user SET first_name = 'Changed'; CREATE TABLE openedx.newer "
        "(id INT);");
    WriteTestFile(media() + "/newer.txt", "newer");
    WriteTestFile(caddy() + "/newer.txt", "newer");
  }

  // Kills at that moment, and looks at what the next run makes of it: `next` runs the command.
  template <class IsTime, class Next>
  void ExpectOneSiteAfter(const IsTime& is_time, const Next& next) {
    ChangeSite();
    const std::string old_site = LiveFingerprint();
    ASSERT_TRUE(KillWhen(is_time, [this] { ChangeSite(); }));
    next();
    const std::string mended = LiveFingerprint();
    ASSERT_TRUE(mended == old_site || mended == archived_) << "a mixture";
    ASSERT_TRUE(Ended(Restore(), 0));
    ASSERT_EQ(Fingerprint(), archived_);
  }

  bool IsLoading() const {
    return !Sql("SELECT TABLE_SCHEMA FROM information_schema.TABLES WHERE TABLE_SCHEMA="
                "'openedx__restore' GROUP BY TABLE_SCHEMA HAVING COUNT(*) > 5")
                .empty();
  }

  std::vector<std::string> flags_;  // of the restore that is killed
  std::string archived_;
};

TEST_F(KilledRestore, DuringTheLoadLeavesTheLiveSite) {
  Generator("destroy");
  Generator("fill", {"--mysql-size", "40M", "--mongodb-size", "20M", "--media-size", "1M"});
  archived_ = Fingerprint();
  ASSERT_TRUE(Ended(Backup({"--compression", "zstd"}), 0));
  ChangeSite();
  const std::string live = LiveFingerprint();
  ASSERT_TRUE(KillWhen([this] { return IsLoading(); }, [this] { ChangeSite(); }));
  EXPECT_EQ(LiveFingerprint(), live);
  ASSERT_TRUE(Ended(Restore(), 0));
  EXPECT_EQ(Fingerprint(), archived_);
}

TEST_F(KilledRestore, InPlaceDuringTheLoadIsFollowedByARunThatSucceeds) {
  Generator("destroy");
  Generator("fill", {"--mysql-size", "40M", "--mongodb-size", "20M", "--media-size", "1M"});
  archived_ = Fingerprint();
  ASSERT_TRUE(Ended(Backup({"--compression", "zstd"}), 0));
  flags_ = {"--in-place"};
  ChangeSite();
  ASSERT_TRUE(KillWhen([this] { return IsLoading(); }, [this] { ChangeSite(); }));
  EXPECT_EQ(Sql("SHOW DATABASES LIKE 'openedx'"), "");
  EXPECT_FALSE(std::filesystem::exists(media() + "/newer.txt"));
  ASSERT_TRUE(Ended(Restore({"--in-place"}), 0));
  EXPECT_EQ(Fingerprint(), archived_);
}

TEST_F(KilledRestore, InTheSwapIsOneWholeSiteAfterTheNextRun) {
  AddEntries(caddy());
  AddEntries(media());
  archived_ = Fingerprint();
  ASSERT_TRUE(Ended(Backup({"--compression", "zstd"}), 0));
  const auto announced = [&](const std::string& folder) {
    return [folder] { return !RecordIn(folder).empty(); };
  };
  const auto swapped = [&](const std::string& folder) {
    return [folder] { return RecordIn(folder).find("\"swapped\"") != std::string::npos; };
  };
  // Before the last announcement, at it, between the folders, and before the records are closed.
  const std::function<bool()> moments[] = {announced(caddy()), announced(media()), swapped(caddy()),
                                           swapped(media())};
  int moment = 0;
  for (const std::function<bool()>& is_time : moments) {
    SCOPED_TRACE(moment++);
    ASSERT_NO_FATAL_FAILURE(ExpectOneSiteAfter(is_time, [&] {
      const ProcessResult next = Backup({"--compression", "zstd", "--name", "next"});
      // 3: it says that it finished the restore, or took it back; 0: all records were closed.
      EXPECT_TRUE(next.status == 3 || next.status == 0) << next.error;
      std::filesystem::remove(archives() + "/next.tar.zst");
    }));
    // A restore right away needs no second try.
    ASSERT_NO_FATAL_FAILURE(ExpectOneSiteAfter(is_time, [&] { ASSERT_TRUE(Ended(Restore(), 0)); }));
  }
}

}  // namespace
}  // namespace oxbackup
