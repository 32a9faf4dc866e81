// A site goes on while a swap is open, or after it: what it makes in the way of an undo, or of the
// rest of a swap, stops neither and is not lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "files/tree.h"
#include "files/tree_testing.h"

namespace oxbackup::files {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Killed {};

// A media folder whose archive has no grades/, and another file of the name settings.
class TreeStraysTest : public testing::Test {
 protected:
  TreeStraysTest() {
    WriteTestFile(live_ / "grades" / "old", "old grades");
    WriteTestFile(live_ / "settings", "old settings");
    WriteTestFile(source_ / "settings", "new settings");
    WriteTestFile(source_ / "uploads" / "file", "new upload");
  }

  std::unique_ptr<RestoreTarget> Target(std::function<void(const std::string&)> before_step = {}) {
    return MakeTreeTarget("media", "data/media", {{"", live_}},
                          {.threads = 1, .before_step = std::move(before_step)}, test_.run);
  }

  void Restore(RestoreTarget& target, bool keep_old) {
    MemberListReader reader(MembersOf(source_, "data/media"), nullptr);
    target.Load(reader);
    target.WriteIntent({"run", "archive", "2026-11-22T20:48:20Z", {"media"}, keep_old});
    target.Swap();
    target.CloseSwap(keep_old);
  }

  // As the site writes a file anew.
  void Rewrite(const fs::path& path, const std::string& content) {
    WriteTestFile(path.string() + ".part", content);
    fs::rename(path.string() + ".part", path);
  }

  void ExpectOld() {
    EXPECT_EQ(ReadTestFile(live_ / "grades" / "old"), "old grades");
    EXPECT_EQ(ReadTestFile(live_ / "settings"), "old settings");
    EXPECT_FALSE(fs::exists(live_ / "uploads"));
  }
  void ExpectStray(const fs::path& below_strays, const std::string& content) {
    const fs::path strays = live_ / ".openedx-backup" / "strays";
    EXPECT_EQ(ReadTestFile(strays / below_strays), content);
    EXPECT_THAT(test_.warnings.All(), testing::Contains(HasSubstr(strays.string())));
  }

  TestRun test_;
  TemporaryFolder folder_;
  const fs::path live_ = folder_.path() / "live";
  const fs::path source_ = folder_.path() / "source";
};

TEST_F(TreeStraysTest, AnUndoSetsAsideAFolderThatWasMadeAnew) {
  Restore(*Target(), true);
  WriteTestFile(live_ / "grades" / "since", "grades since");
  Target()->UndoSwap("");
  ExpectOld();
  ExpectStray("1/grades/since", "grades since");
  EXPECT_EQ(Target()->FindOpenSwap(), std::nullopt);
}

TEST_F(TreeStraysTest, AnUndoSetsAsideAFileThatWasWrittenAnew) {
  Restore(*Target(), true);
  Rewrite(live_ / "settings", "settings since");
  Target()->UndoSwap("");
  ExpectOld();
  ExpectStray("1/settings", "settings since");
}

TEST_F(TreeStraysTest, ASingleFileThatWasWrittenAnewDoesNotStopAnUndo) {
  const fs::path file = folder_.path() / "config.yml";
  WriteTestFile(file, "old");
  const auto target = [&] {
    return MakeTreeTarget("config", "data/tutor/config.yml", {{"", file}}, {}, test_.run);
  };
  {
    const auto restore = target();
    MemberListReader reader(MembersOf(source_ / "settings", "data/tutor/config.yml"), nullptr);
    restore->Load(reader);
    restore->WriteIntent({"run", "archive", "2026-11-22T20:48:20Z", {"config"}, true});
    restore->Swap();
    restore->CloseSwap(true);
  }
  Rewrite(file, "since");
  target()->UndoSwap("");
  EXPECT_EQ(ReadTestFile(file), "old");
  EXPECT_EQ(
      ReadTestFile(folder_.path() / ".openedx-backup-config.yml" / "strays" / "1" / "config.yml"),
      "since");
}

TEST_F(TreeStraysTest, StraysOutliveLaterRestoresAndAreNoPartOfATree) {
  Restore(*Target(), true);
  Rewrite(live_ / "settings", "settings since");
  Target()->UndoSwap("");
  Restore(*Target(), true);
  Rewrite(live_ / "settings", "later settings");
  Target()->UndoSwap("");
  ExpectOld();
  ExpectStray("1/settings", "settings since");
  ExpectStray("2/settings", "later settings");
  EXPECT_EQ(Fingerprint(live_).size(), 4u);
}

// Between the kill and the next run the site makes everything anew that it misses, and writes
// everything anew that it has.
void MakeAnew(const fs::path& live) {
  fs::create_directories(live / "grades");
  WriteTestFile(live / "grades" / "between", "grades between");
  WriteTestFile(live / "settings.part", "settings between");
  fs::rename(live / "settings.part", live / "settings");
}

TEST_F(TreeStraysTest, ASwapThatWasKilledAtAnyStepCanBeFinishedAndTakenBackAllTheSame) {
  const fs::path pristine = folder_.path() / "pristine";
  fs::copy(live_, pristine, fs::copy_options::recursive);
  size_t steps = 1;
  for (size_t kill_at = 0; kill_at < steps; ++kill_at) {
    for (const bool complete : {true, false}) {
      SCOPED_TRACE(std::to_string(kill_at) + (complete ? " finished" : " taken back"));
      fs::remove_all(live_);
      fs::copy(pristine, live_, fs::copy_options::recursive);
      size_t step = 0;
      try {
        Restore(*Target([&](const std::string&) {
          if (step++ == kill_at) throw Killed{};
        }),
                true);
      } catch (const Killed&) {
        steps = kill_at + 2;
      }
      const auto next = Target();
      const std::optional<OpenSwap> open = next->FindOpenSwap();
      if (!open) continue;
      MakeAnew(live_);
      if (complete) {
        next->CompleteSwap();
        next->CloseSwap(true);
        EXPECT_EQ(ReadTestFile(live_ / "uploads" / "file"), "new upload");
      } else {
        next->UndoSwap("run");
        EXPECT_FALSE(fs::exists(live_ / "uploads"));
        EXPECT_TRUE(fs::exists(live_ / "grades" / "old"));
      }
      EXPECT_EQ(Target()->FindOpenSwap(), std::nullopt);
      // What the site has made is live, was replaced as any old data, or is set aside.
      size_t found = 0;
      for (const auto& entry : fs::recursive_directory_iterator(live_)) {
        if (entry.path().filename() == "between") ++found;
        if (entry.is_regular_file() && entry.path().filename() == "settings" &&
            ReadTestFile(entry.path()) == "settings between") {
          ++found;
        }
      }
      EXPECT_EQ(found, 2u);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(steps, 6u);
}

}  // namespace
}  // namespace oxbackup::files
