// A restore that is killed before any of its steps: the next run finishes or undoes it.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "files/mount_testing.h"
#include "files/tree.h"
#include "files/tree_testing.h"
#include "files/tree_walk.h"

namespace oxbackup::files {
namespace {

namespace fs = std::filesystem;

// What the hook throws in place of a kill: no Error, so that nobody could handle it by mistake.
struct Killed {};

class KillTest {
 public:
  KillTest(const fs::path& folder, std::vector<std::string> names)
      : folder_(folder), names_(std::move(names)) {
    int variant = 0;
    for (const std::string& name : names_) {
      const fs::path source = folder_ / "source" / name;
      MakeSampleTree(source, 100 + variant);
      MakeSampleTree(folder_ / "original" / name, ++variant);
      for (Member& member : MembersOf(source, "data/media/" + name)) {
        members_.push_back(std::move(member));
      }
      new_.push_back(Fingerprint(source));
    }
  }

  // Kills a restore before its n-th step, for all n; `after` is what the next run does,
  // `expect_new` what has to be live then.
  template <class After>
  void AtEveryStep(bool keep_old, After after) {
    for (int kill_at = 0;; ++kill_at) {
      SCOPED_TRACE("killed before step " + std::to_string(kill_at));
      ResetLive();
      const bool finished = RestoreUntil(kill_at, keep_old);
      after(*this, finished);
      if (testing::Test::HasFatalFailure() || testing::Test::HasFailure()) return;
      if (finished) {
        EXPECT_GT(kill_at, 3) << "the restore has hardly any steps";
        return;
      }
    }
  }

  void RestoreWhole(bool keep_old, const std::function<void(const std::string&)>& hook = {}) {
    ResetLive();
    EXPECT_TRUE(Restore(hook, keep_old));
  }

  std::vector<std::string> warnings() const { return test_.warnings.All(); }

  std::unique_ptr<RestoreTarget> Target(std::function<void(const std::string&)> before_step = {}) {
    std::vector<Tree> trees;
    for (const std::string& name : names_) trees.push_back({name, folder_ / "live" / name});
    return MakeTreeTarget("media", "data/media", trees, {.threads = 1, .before_step = before_step},
                          test_.run);
  }

  // As a later run may have it: the folders by other paths, or not all of them.
  void NextRunNames(std::function<fs::path(const fs::path&)> respell) {
    respell_ = std::move(respell);
  }
  std::unique_ptr<RestoreTarget> Next(const std::string& only = "") {
    std::vector<Tree> trees;
    for (const std::string& name : names_) {
      const fs::path path = folder_ / "live" / name;
      if (only.empty() || name == only) trees.push_back({name, respell_ ? respell_(path) : path});
    }
    return MakeTreeTarget("media", "data/media", trees, {}, test_.run);
  }

  std::function<void(const std::string&)> KillAt(int step) {
    steps_ = 0;
    return [this, step](const std::string&) {
      if (steps_++ == step) throw Killed{};
    };
  }

  void ExpectLive(bool is_new) {
    for (size_t i = 0; i < names_.size(); ++i) {
      EXPECT_EQ(Fingerprint(folder_ / "live" / names_[i]), is_new ? new_[i] : old_[i])
          << (is_new ? "the new" : "the old") << " data should be live in " << names_[i];
    }
  }

  // All old or all new, when no record is left to say which.
  void ExpectLiveIsWhole() {
    std::vector<std::map<std::string, std::string>> live;
    for (const std::string& name : names_) {
      live.push_back(Fingerprint(folder_ / "live" / name));
      live.back().erase(".");  // an unfinished load inside a mount point has touched its time
    }
    auto all_old = old_;
    auto all_new = new_;
    for (auto& tree : all_old) tree.erase(".");
    for (auto& tree : all_new) tree.erase(".");
    EXPECT_TRUE(live == all_old || live == all_new);
  }

  void ExpectNothingLeft() {
    size_t entries = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "live")) {
      const std::string name = entry.path().filename();
      const bool ours = name.starts_with(".openedx-backup");
      if (ours && !name.starts_with(kAppliedFile)) ++entries;
    }
    EXPECT_EQ(entries, 0u);
    EXPECT_EQ(Target()->FindOpenSwap(), std::nullopt);
  }

 private:
  void ResetLive() {
    old_.clear();
    fs::create_directories(folder_ / "live");
    for (const auto& entry : fs::directory_iterator(folder_ / "live")) {
      // A mount point itself stays.
      for (const auto& inner : fs::directory_iterator(entry.path())) fs::remove_all(inner.path());
      if (entry.path().filename().string().starts_with(".")) fs::remove_all(entry.path());
    }
    int variant = 0;
    for (const std::string& name : names_) {
      MakeSampleTree(folder_ / "live" / name, ++variant);
      old_.push_back(Fingerprint(folder_ / "live" / name));
    }
  }

  bool RestoreUntil(int step, bool keep_old) { return Restore(KillAt(step), keep_old); }

  // True when the restore came to its end.
  bool Restore(const std::function<void(const std::string&)>& before_step, bool keep_old) {
    try {
      const auto target = Target(before_step);
      MemberListReader reader(members_, nullptr);
      target->Load(reader);
      target->WriteIntent({"run", "archive", "2026-11-22T20:48:20Z", {"media"}, keep_old});
      target->Swap();
      target->CloseSwap(keep_old);
      return true;
    } catch (const Killed&) {
      return false;
    }
  }

  TestRun test_;
  const fs::path folder_;
  const std::vector<std::string> names_;
  std::vector<Member> members_;
  std::vector<std::map<std::string, std::string>> old_;
  std::vector<std::map<std::string, std::string>> new_;
  std::function<fs::path(const fs::path&)> respell_;
  int steps_ = 0;
};

void CompletesAtEveryStep(KillTest& kill) {
  kill.AtEveryStep(false, [](KillTest& test, bool finished) {
    const auto target = test.Next();
    const auto open = target->FindOpenSwap();
    EXPECT_FALSE(finished && open);
    if (open) {
      EXPECT_EQ(open->intent.run_id, "run");
      target->CompleteSwap();
      test.ExpectLive(true);
      target->CloseSwap(false);
      test.ExpectLive(true);
      test.ExpectNothingLeft();
    } else if (finished) {
      test.ExpectLive(true);
      test.ExpectNothingLeft();
    } else {
      test.ExpectLiveIsWhole();
    }
  });
}

void UndoesAtEveryStep(KillTest& kill) {
  kill.AtEveryStep(false, [](KillTest& test, bool) {
    const auto target = test.Target();
    if (!target->FindOpenSwap()) return;
    try {
      target->UndoSwap("");
    } catch (const Error& error) {
      // Killed while it removed old data: too late, but it says so and can still be completed.
      EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
      target->CompleteSwap();
      target->CloseSwap(false);
      test.ExpectLive(true);
      return;
    }
    test.ExpectLive(false);
    test.ExpectNothingLeft();
  });
}

// Kills the undo of a kept restore at every step and then goes on in either direction.
void SurvivesKillsOfTheUndo(KillTest& test, bool then_complete) {
  bool undone = false;
  for (int kill_at = 0; !undone && !testing::Test::HasFailure(); ++kill_at) {
    SCOPED_TRACE("undo killed before step " + std::to_string(kill_at));
    test.RestoreWhole(true);
    try {
      test.Target(test.KillAt(kill_at))->UndoSwap("");
      undone = true;
    } catch (const Killed&) {
    }
    const auto target = test.Target();
    if (target->FindOpenSwap()) {
      if (then_complete) {
        target->CompleteSwap();
        test.ExpectLive(true);
        target->CloseSwap(true);
      }
      target->UndoSwap("");
    } else if (!undone && kill_at == 0) {
      target->UndoSwap("");  // killed before it began
    }
    test.ExpectLive(false);
  }
}

TEST(TreeSwapKill, OneTreeIsCompleted) {
  const TemporaryFolder folder;
  KillTest kill(folder.path(), {"one"});
  CompletesAtEveryStep(kill);
}

TEST(TreeSwapKill, TheNextRunMaySpellThePathsInAnotherWay) {
  const TemporaryFolder folder;
  KillTest kill(folder.path(), {"one", "two"});
  kill.NextRunNames([](const fs::path& path) { return fs::relative(path) / "."; });
  CompletesAtEveryStep(kill);
}

// What such a run knows is not enough to go on; nothing may be lost by its looking.
void RefusesWithoutOneOfTheTrees(const std::string& only) {
  const TemporaryFolder folder;
  KillTest kill(folder.path(), {"one", "two"});
  int refused = 0;
  kill.AtEveryStep(false, [&](KillTest& test, bool) {
    try {
      EXPECT_EQ(test.Next(only)->FindOpenSwap(), std::nullopt);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      ++refused;
    }
    const auto target = test.Next();
    if (target->FindOpenSwap()) {
      target->CompleteSwap();
      target->CloseSwap(false);
      test.ExpectLive(true);
      test.ExpectNothingLeft();
    } else {
      test.ExpectLiveIsWhole();
    }
  });
  EXPECT_GT(refused, 5);
}

TEST(TreeSwapKill, WithoutTheFirstTreeTheNextRunIsRefused) { RefusesWithoutOneOfTheTrees("two"); }

TEST(TreeSwapKill, WithoutTheLastTreeTheNextRunIsRefused) { RefusesWithoutOneOfTheTrees("one"); }

TEST(TreeSwapKill, OneTreeIsUndone) {
  const TemporaryFolder folder;
  KillTest kill(folder.path(), {"one"});
  UndoesAtEveryStep(kill);
}

TEST(TreeSwapKill, TwoTreesAreCompletedTogether) {
  const TemporaryFolder folder;
  KillTest kill(folder.path(), {"one", "two"});
  CompletesAtEveryStep(kill);
}

TEST(TreeSwapKill, TwoTreesAreUndoneTogether) {
  const TemporaryFolder folder;
  KillTest kill(folder.path(), {"one", "two"});
  UndoesAtEveryStep(kill);
}

TEST(TreeSwapKill, AKilledUndoIsUndoneToTheEnd) {
  const TemporaryFolder folder;
  KillTest kill(folder.path(), {"one", "two"});
  SurvivesKillsOfTheUndo(kill, false);
}

TEST(TreeSwapKill, AKilledUndoCanBeTurnedAround) {
  const TemporaryFolder folder;
  KillTest kill(folder.path(), {"one", "two"});
  SurvivesKillsOfTheUndo(kill, true);
}

TEST(TreeSwapKill, MountPointsAreCompleted) {
  const TemporaryFolder folder;
  WithPrivateMounts([&] {
    KillTest kill(folder.path(), {"mounted", "plain"});
    MountOver(folder.path() / "live" / "mounted");
    CompletesAtEveryStep(kill);
  });
}

TEST(TreeSwapKill, MountPointsAreUndone) {
  const TemporaryFolder folder;
  WithPrivateMounts([&] {
    KillTest kill(folder.path(), {"plain", "mounted"});
    MountOver(folder.path() / "live" / "mounted");
    UndoesAtEveryStep(kill);
  });
}

TEST(TreeSwapKill, TheNextRunMayHaveTheFolderMountedElsewhere) {
  const TemporaryFolder folder;
  WithPrivateMounts([&] {
    const fs::path there = folder.path() / "live" / "one";
    const fs::path alias = folder.path() / "alias";
    fs::create_directories(there);
    MountFolder(there, alias);
    KillTest kill(folder.path(), {"one"});
    kill.NextRunNames([&](const fs::path&) { return alias; });
    CompletesAtEveryStep(kill);
  });
}

// As a network file system that keeps a removed file that is still open.
TEST(TreeSwapKill, OldDataThatCannotBeRemovedAreAWarning) {
  const TemporaryFolder folder;
  WithPrivateMounts([&] {
    KillTest kill(folder.path(), {"one", "two"});
    const fs::path work = folder.path() / "live" / "one" / ".openedx-backup";
    kill.RestoreWhole(false, [&](const std::string& step) {
      if (step.starts_with("remove the working folder") && fs::exists(work)) {
        MountOver(work / "old" / "deep");
      }
    });
    kill.ExpectLive(true);
    EXPECT_EQ(kill.Target()->FindOpenSwap(), std::nullopt);
    EXPECT_FALSE(fs::exists(folder.path() / "live" / "two" / ".openedx-backup"));
    const std::vector<std::string> warnings = kill.warnings();
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_NE(warnings[0].find(work.string()), std::string::npos) << warnings[0];
  });
}

TEST(TreeSwapKill, SomethingMountedInsideIsRefusedBeforeAnythingHappens) {
  const TemporaryFolder folder;
  WithPrivateMounts([&] {
    const TestRun test;
    MountOver(folder.path() / "live" / "inner mount");
    try {
      MakeTreeTarget("media", "data/media", {{"", folder.path() / "live"}}, {}, test.run)
          ->Plan(nullptr, RestoreRoom::kBeside);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    }
  });
}

}  // namespace
}  // namespace oxbackup::files
