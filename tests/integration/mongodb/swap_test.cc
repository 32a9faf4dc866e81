// The swap on a real server: deaths at every step, undo, kept old data.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "mongodb/live_names.h"
#include "mongodb/restore_target.h"
#include "mongodb/restore_testing.h"
#include "mongodb/server_testing.h"
#include "mongodb/swap_record.h"

namespace oxbackup::mongodb {
namespace {

using State = std::map<std::string, std::vector<std::string>>;

class SwapTest : public testing::Test {
 protected:
  SwapTest() : database_("swap"), records_("swap_records"), connect_(TestServer()) {
    options_.record_database = records_.name();
    archive_.Add(database_.name(), "modules", {R"({"_id": 1, "v": "backup"})", R"({"_id": 2})"});
    archive_.Add(database_.name(), "fs.files", {R"({"_id": "backup"})"},
                 R"({"indexes": [{"v": 2, "key": {"a": 1}, "name": "a_1"}]})");
    archive_.Add(database_.name(), "fs.new", {R"({"_id": "backup"})"});
    archive_.Add(database_.name(), "fresh", {R"({"_id": "f"})"});
    Refill();
  }

  void Refill() {
    database_.session().Run(database_.name(), Bson().Add("dropDatabase", int32_t{1}), "drop");
    database_.Insert("modules", {Bson().Add("_id", int32_t{1}).Add("v", "live")});
    database_.Insert("fs.files", {Bson().Add("_id", "live")});
    database_.Insert("fs.newer", {Bson().Add("_id", "live")});
    database_.Insert("newer", {Bson().Add("_id", "newer")});
    for (SwapRecord& record : ReadSwapRecords(database_.session(), options_.record_database)) {
      RemoveSwapRecord(database_.session(), options_.record_database, record);
    }
  }

  /// The run whose data are said to be live; empty when nothing is.
  std::string AppliedRun() {
    const auto applied = MakeRestoreTarget(connect_, options_, run_.run)->Applied();
    return applied ? applied->run_id : "";
  }

  State Live(bool all = false) {
    State state;
    for (const auto& [name, entry] : ListLive(database_.session(), database_.name())) {
      if (!all && IsBeside(name)) continue;
      Cursor cursor(database_.session(), database_.name(),
                    Bson().Add("find", name).Add("sort", Bson().Add("_id", int32_t{1})));
      std::vector<std::string>& documents = state[name];
      while (cursor.NextOrThrow("cannot read")) documents.emplace_back(cursor.document());
    }
    return state;
  }

  TestDatabase database_;
  TestDatabase records_;
  RestoreOptions options_;
  ConnectOptions connect_;
  TestArchive archive_;
  TestRun run_;
};

TEST_F(SwapTest, ReplacesUndoesAndLeavesNothingBehind) {
  const auto names =
      testing::UnorderedElementsAre(testing::Key("modules"), testing::Key("fresh"),
                                    testing::Key("fs.files"), testing::Key("fs.new"));
  const State before = Live(true);
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  EXPECT_THAT(Live(), names);
  EXPECT_EQ(AppliedRun(), "run-1");
  MakeRestoreTarget(connect_, options_, run_.run)->UndoSwap("");
  EXPECT_EQ(Live(true), before);
  EXPECT_EQ(AppliedRun(), "");
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/false);
  EXPECT_THAT(Live(true), names);
  EXPECT_EQ(AppliedRun(), "run-1");
}

TEST_F(SwapTest, KeptDataOutliveARestoreThatDiesWhileItLoads) {
  const State before = Live(true);
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  LoadAndDie(connect_, options_, archive_, run_);
  ASSERT_NE(Live(true).count("modules__restore"), 0u);
  MakeRestoreTarget(connect_, options_, run_.run)->UndoSwap("");
  EXPECT_EQ(Live(true), before);
}

TEST_F(SwapTest, IsFinishedByTheNextRunWhereverItDied) {
  RestoreAll(connect_, options_, archive_, run_);
  const State after = Live();
  for (int step = 0;; ++step) {
    Refill();
    const bool died = DiesAt(step, options_, [&](const RestoreOptions& options) {
      RestoreAll(connect_, options, archive_, run_);
    });
    if (!died) {
      EXPECT_GT(step, 3);
      break;
    }
    const auto target = MakeRestoreTarget(connect_, options_, run_.run);
    const bool open = target->FindOpenSwap().has_value();
    if (open) {
      target->CompleteSwap();
      target->CloseSwap(false);
    }
    if (open || step > 0) {
      EXPECT_EQ(Live(), after) << "died at step " << step;
    }
    EXPECT_EQ(AppliedRun(), Live() == after ? "run-1" : "") << "died at step " << step;
    EXPECT_FALSE(target->FindOpenSwap());
  }
}

TEST_F(SwapTest, IsUndoneByTheNextRunWhereverItDied) {
  const State before = Live();
  for (int step = 0;; ++step) {
    Refill();
    const bool died = DiesAt(step, options_, [&](const RestoreOptions& options) {
      RestoreAll(connect_, options, archive_, run_, /*keep_old=*/true);
    });
    if (!died) break;
    const auto target = MakeRestoreTarget(connect_, options_, run_.run);
    // With its record closed the restore has ended, and its old data are kept.
    EXPECT_TRUE(AppliedRun().empty() || target->FindKeptSwap()) << "died at step " << step;
    if (target->FindOpenSwap() || target->FindKeptSwap()) target->UndoSwap("");
    EXPECT_EQ(Live(), before) << "died at step " << step;
    EXPECT_EQ(AppliedRun(), "") << "died at step " << step;
  }
}

}  // namespace
}  // namespace oxbackup::mongodb
