#include "mongodb/restore_target.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mongodb/restore_fixture_testing.h"
#include "mongodb/swap_record.h"

namespace oxbackup::mongodb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ModelOptions LikeFerretdb() {
  ModelOptions options;
  options.version = "7.0.77";
  options.ferretdb = true;
  return options;
}

/// Kills a restore at every step of its swap, on a server with applyOps and one without.
/// What is said to be live is, after a death anywhere and after the next run.
class SwapDeathTest : public RestoreTargetTest, public testing::WithParamInterface<bool> {
 protected:
  SwapDeathTest() : RestoreTargetTest(GetParam() ? LikeFerretdb() : ModelOptions{}) {
    if (!GetParam()) {
      archive_.AddView("openedx", "view", R"({"viewOn": "modules", "pipeline": [{"$skip": 1}]})");
      archive_.AddView("openedx", "fresh_view", R"({"viewOn": "modules", "pipeline": []})");
      archive_.Add("openedx", "was_view", {R"({"_id": 1})"});
    }
    Refill();
  }

  void Refill() {
    Session session(connect_, {});
    for (const char* const database : {"openedx", "forum", "openedx_backup"}) {
      session.Run(database, Bson().Add("dropDatabase", int32_t{1}), "drop");
    }
    model_.Insert("openedx.modules", R"({"_id": 1, "v": "live"})");
    model_.Insert("openedx.newer", R"({"_id": "newer than the backup"})");
    model_.Insert("forum.contents", R"({"_id": 7, "v": "live"})");
    model_.Insert("forum.dotted.name", R"({"_id": "also newer than the backup"})");
    if (!GetParam()) {
      model_.Create("openedx.view", R"({"viewOn": "newer", "pipeline": []})");
      model_.Create("openedx.was_view", R"({"viewOn": "newer", "pipeline": []})");
    }
  }

  /// The run whose data are said to be live; empty when nothing is.
  std::string AppliedRun() {
    const auto applied = MakeRestoreTarget(connect_, options_, run_.run)->Applied();
    return applied ? applied->run_id : "";
  }

  /// What the engine does when it finds an open swap.
  void FinishLater(bool keep_old = false) {
    const auto target = MakeRestoreTarget(connect_, options_, run_.run);
    if (const auto open = target->FindOpenSwap()) {
      EXPECT_EQ(open->intent, TestIntent());
      target->CompleteSwap();
      target->CloseSwap(keep_old);
    }
  }
};

TEST_P(SwapDeathTest, IsFinishedByTheNextRunWhereverItDied) {
  const State before = Live();
  const State after = [&] {
    RestoreAll(connect_, options_, archive_, run_);
    return Live();
  }();
  ASSERT_NE(before, after);
  for (int step = 0;; ++step) {
    Refill();
    const bool died = DiesAt(step, options_, [&](const RestoreOptions& options) {
      RestoreAll(connect_, options, archive_, run_);
    });
    if (!died) {
      EXPECT_GT(step, 3);
      break;
    }
    const bool announced = !model_.Documents("openedx_backup.swaps").empty();
    EXPECT_TRUE(AppliedRun().empty() || Live() == after) << "died at step " << step;
    FinishLater();
    EXPECT_EQ(Live(), announced || step > 0 ? after : before) << "died at step " << step;
    EXPECT_EQ(AppliedRun(), Live() == after ? "run-1" : "") << "died at step " << step;
    EXPECT_THAT(model_.Documents("openedx_backup.swaps"), IsEmpty()) << "died at step " << step;
  }
}

TEST_P(SwapDeathTest, IsUndoneByTheNextRunWhereverItDied) {
  const State before = Live();
  for (int step = 0;; ++step) {
    Refill();
    const bool died = DiesAt(step, options_, [&](const RestoreOptions& options) {
      RestoreAll(connect_, options, archive_, run_, /*keep_old=*/true);
    });
    if (!died) break;
    // With its record closed the restore has ended, and its old data are kept.
    const auto target = MakeRestoreTarget(connect_, options_, run_.run);
    if (target->FindOpenSwap() || target->FindKeptSwap()) target->UndoSwap("");
    EXPECT_EQ(Live(), before) << "died at step " << step;
    EXPECT_EQ(AppliedRun(), "") << "died at step " << step;
    EXPECT_THAT(model_.Documents("openedx_backup.swaps"), IsEmpty()) << "died at step " << step;
  }
}

// As the engine does it: what is open is finished, and then the next restore begins.
TEST_P(SwapDeathTest, ARestoreRightAfterwardsSucceedsWhereverItDied) {
  RestoreAll(connect_, options_, archive_, run_);
  const State after = Live();
  for (const bool keep_old : {false, true}) {
    for (int step = 0;; ++step) {
      Refill();
      const bool died = DiesAt(step, options_, [&](const RestoreOptions& options) {
        RestoreAll(connect_, options, archive_, run_, keep_old);
      });
      FinishLater(keep_old);
      RestoreAll(connect_, options_, archive_, run_, keep_old);
      EXPECT_EQ(Live(), after) << "died at step " << step << ", keeps " << keep_old;
      if (!died) break;
    }
  }
}

// What the failed one had loaded goes, and what the kept one replaced stays.
TEST_P(SwapDeathTest, KeptDataOutliveARestoreThatDiesWhileItLoads) {
  const State before = Live();
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  LoadAndDie(connect_, options_, archive_, run_);
  MakeRestoreTarget(connect_, options_, run_.run)->UndoSwap("");
  EXPECT_EQ(Live(), before);
  EXPECT_EQ(Data(), before) << "something was left beside";
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

// The undo of several components is marked before it begins.
TEST_P(SwapDeathTest, SoTheyDoWhereTheUndoIsMarkedBeforehand) {
  const State before = Live();
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  LoadAndDie(connect_, options_, archive_, run_);
  const auto target = MakeRestoreTarget(connect_, options_, run_.run);
  target->PrepareUndo(TestIntent(), /*begun=*/true);
  target->UndoSwap(TestIntent().run_id);
  EXPECT_EQ(Data(), before);
}

TEST_P(SwapDeathTest, AnUndoThatDiedIsFinishedWhereverItDied) {
  const State before = Live();
  for (int step = 0;; ++step) {
    Refill();
    RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
    const State after = Live();
    const bool died = DiesAt(step, options_, [&](const RestoreOptions& options) {
      MakeRestoreTarget(connect_, options, run_.run)->UndoSwap("");
    });
    EXPECT_TRUE(AppliedRun().empty() || Live() == after) << "died at step " << step;
    const auto target = MakeRestoreTarget(connect_, options_, run_.run);
    if (target->FindOpenSwap()) {
      target->CompleteSwap();
      target->CloseSwap(true);
    } else if (target->FindKeptSwap()) {
      EXPECT_EQ(Live(), after) << "died at step " << step;
      target->UndoSwap("");
    }
    EXPECT_EQ(Live(), before) << "died at step " << step;
    EXPECT_FALSE(target->FindOpenSwap()) << "died at step " << step;
    EXPECT_EQ(AppliedRun(), "") << "died at step " << step;
    if (!died) break;
  }
}

TEST_P(SwapDeathTest, SurvivesALostConnectionInTheMiddleOfTheSwap) {
  const char* const command = GetParam() ? "renameCollection" : "applyOps";
  RestoreAll(connect_, options_, archive_, run_);
  const State after = Live();
  for (const bool applied : {false, true}) {
    for (int skip = 0; skip < (GetParam() ? 3 : 1); ++skip) {
      Refill();
      server_.Drop({.command = command, .skip = skip, .times = 1, .when = IsNoProbe}, applied);
      EXPECT_THROW(RestoreAll(connect_, options_, archive_, run_), Error);
      FinishLater();
      EXPECT_EQ(Live(), after) << "applied " << applied << " skip " << skip;
    }
  }
}

TEST_P(SwapDeathTest, KeepsWhatTheSiteWroteIntoTheGap) {
  if (!GetParam()) return;  // one step has no gap
  int writes = 0;
  options_.before_step = [&](std::string_view step) {
    if (step == "rename openedx.modules__restore to openedx.modules" && writes < 3) {
      model_.Insert("openedx.modules", fmt::format(R"({{"_id": "gap {}"}})", ++writes));
    }
  };
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_THAT(model_.Documents("openedx.modules"), testing::SizeIs(2));
  EXPECT_THAT(model_.Documents("openedx.modules__stray"), ElementsAre(HasSubstr("gap 1")));
  EXPECT_THAT(model_.Documents("openedx.modules__2__stray"), ElementsAre(HasSubstr("gap 2")));
  EXPECT_THAT(run_.warnings.All(), testing::Contains(HasSubstr("openedx.modules__stray holds")));
  EXPECT_THAT(run_.warnings.All(), testing::Contains(HasSubstr("modules__3__stray holds")));
}

INSTANTIATE_TEST_SUITE_P(Servers, SwapDeathTest, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "OneByOne" : "AtOnce"; });

}  // namespace
}  // namespace oxbackup::mongodb
