#include "mongodb/swap.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mongodb/restore_fixture_testing.h"
#include "mongodb/restore_target.h"
#include "mongodb/swap_record.h"

namespace oxbackup::mongodb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ModelOptions AsBackupAndRestore() {
  ModelOptions options;
  options.backup_and_restore = true;
  return options;
}

/// With the roles backup and restore alone.
class LeastRightsTest : public RestoreTargetTest {
 protected:
  LeastRightsTest() : RestoreTargetTest(AsBackupAndRestore()) {}
};

TEST_F(LeastRightsTest, RestoresKeepsUndoesAndForgets) {
  const State before = Data();
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  EXPECT_EQ(Live(), Restored());
  MakeRestoreTarget(connect_, options_, run_.run)->UndoSwap("");
  EXPECT_EQ(Data(), before);
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_EQ(Data(), Restored());
  EXPECT_FALSE(model_.Find("openedx_backup.swaps"));
}

TEST_F(LeastRightsTest, SwapsInOneStepWhereEachRenameMayBeAloneInAnApplyOps) {
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_EQ(Data(), Restored());
  EXPECT_EQ(server_.Commands("applyOps").size(), 2u);
  EXPECT_TRUE(Renames().empty());
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST_F(LeastRightsTest, NamesTheRightWhenTheSwapWasNotOneStep) {
  server_.Fail({.command = "applyOps", .times = 0}, 13, "not authorized on admin");
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_EQ(Data(), Restored());
  EXPECT_EQ(Renames().size(), 6u);
  EXPECT_THAT(run_.warnings.All(), ElementsAre(HasSubstr("anyAction on anyResource")));
}

// A nested applyOps that says that it did it all, and did the first `done` of its operations.
class UnbelievableReplyTest : public LeastRightsTest, public testing::WithParamInterface<int> {};

TEST_P(UnbelievableReplyTest, IsCheckedAndTheRestIsDoneOneByOne) {
  server_.Handle("applyOps", [&](const ScriptedCommand& command) -> std::optional<Bson> {
    if (!FindPath(command.body, {"applyOps", "0", "o", "applyOps"})) return std::nullopt;
    for (int at = 0; at < GetParam(); ++at) {
      const Element one = FindPath(command.body, {"applyOps", std::to_string(at)}).value();
      const Bson alone = Bson().AddArray("applyOps", Bson().Add("0", one));
      model_.Run({command.db, command.name, std::string(alone.bytes()), command.connection});
    }
    return OkReply(R"({"applied": 6})");
  });
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_EQ(Data(), Restored());
  EXPECT_EQ(Renames().size(), static_cast<size_t>(6 - GetParam()));
  EXPECT_THAT(run_.warnings.All(), ElementsAre(HasSubstr("some had not moved")));
}

INSTANTIATE_TEST_SUITE_P(Operations, UnbelievableReplyTest, testing::Values(0, 1, 3));

TEST_F(LeastRightsTest, RefusesBeforeTheLoadWhatNeedsFurtherRights) {
  const auto target = MakeRestoreTarget(connect_, options_, run_.run);
  Manifest manifest = archive_.manifest();
  static_cast<void>(target->Plan(&manifest, RestoreRoom::kBeside));
  manifest.components[0].positions["oplog_start"] = "1795379997:31";
  try {
    static_cast<void>(target->Plan(&manifest, RestoreRoom::kBeside));
    FAIL() << "a replay removes documents";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.hint(), HasSubstr("readWriteAnyDatabase"));
  }
  manifest = archive_.manifest();
  model_.Insert("forum.system.js", R"({"_id": "f", "value": "live"})");
  EXPECT_THROW(static_cast<void>(target->Plan(&manifest, RestoreRoom::kBeside)), Error);
}

TEST_F(RestoreTargetTest, ReportsWhatTheServerSetAsideDuringTheSwap) {
  options_.before_step = [&](std::string_view step) {
    if (step == "apply all renames at once") {
      model_.Insert("openedx.fs.files", R"({"_id": "created by the site"})");
    }
  };
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_THAT(model_.Documents("openedx.fs.files"), ElementsAre(HasSubstr("\"f\"")));
  EXPECT_THAT(run_.warnings.All(), ElementsAre(testing::ContainsRegex("tmp[0-9]+.rename holds")));
}

TEST_F(RestoreTargetTest, LeavesWhatSomebodyElsePutBesideTheRecords) {
  options_.before_step = [&](std::string_view step) {
    if (step == "close the record") {
      model_.Insert("openedx_backup.swaps", R"({"_id": "a note", "intent": "?"})");
    }
  };
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_THAT(model_.Documents("openedx_backup.swaps"), testing::Contains(HasSubstr("a note")));
}

TEST_F(RestoreTargetTest, DoesNotChangeARecordThatAnotherRunHasChanged) {
  Session session(connect_, {});
  SwapRecord record;
  record.intent = TestIntent();
  WriteSwapRecord(session, "openedx_backup", record);
  SwapRecord one = ReadSwapRecords(session, "openedx_backup").at(0);
  SwapRecord other = ReadSwapRecords(session, "openedx_backup").at(0);
  one.state = SwapState::kDone;
  WriteSwapRecord(session, "openedx_backup", one);
  other.state = SwapState::kUndoing;
  EXPECT_THROW(WriteSwapRecord(session, "openedx_backup", other), Error);
  EXPECT_EQ(ReadSwapRecords(session, "openedx_backup").at(0).state, SwapState::kDone);
}

/// A server that runs without a journal, as Tutor 13 to 17 start theirs.
class NoJournalTest : public RestoreTargetTest {
 protected:
  NoJournalTest() {
    server_.Handle("insert", [](const ScriptedCommand& command) -> std::optional<Bson> {
      if (!FindPath(command.body, {"writeConcern", "j"})) return std::nullopt;
      return ErrorReply(2, "BadValue",
                        "cannot use 'j' option when a host does not have journaling enabled");
    });
  }

  /// What came after each insert of a record that was taken.
  std::vector<std::string> AfterRecords() const {
    std::vector<std::string> after;
    bool record = false;
    for (const ScriptedCommand& command : server_.Commands()) {
      if (record) after.push_back(command.name);
      record = command.name == "insert" && command.db == "openedx_backup" &&
               !FindPath(command.body, {"writeConcern", "j"});
    }
    return after;
  }
};

TEST_F(NoJournalTest, HasACheckpointAfterEachRecord) {
  server_.Handle("fsync", [](const ScriptedCommand& command) -> std::optional<Bson> {
    EXPECT_EQ(command.db, "admin");
    EXPECT_FALSE(FindField(command.body, "lock"));
    return OkReply(R"({"numFiles": 1})");
  });
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  EXPECT_EQ(Live(), Restored());
  EXPECT_THAT(AfterRecords(),
              testing::AllOf(testing::SizeIs(testing::Ge(3u)), testing::Each("fsync")));
  EXPECT_FALSE(model_.Documents("openedx_backup.applied").empty());
  for (const ScriptedCommand& insert : server_.Commands("insert")) {
    if (insert.db == "openedx_backup") {
      EXPECT_EQ(insert.Text({"writeConcern", "w"}), "majority");
    }
  }
}

TEST_F(NoJournalTest, DoesWithoutACheckpointThatTheAccountMayNotHave) {
  server_.Fail({.command = "fsync", .times = 0}, 13,
               "not authorized on admin to execute command { fsync: 1 }");
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_EQ(Live(), Restored());
}

TEST_F(NoJournalTest, StopsBeforeTheSwapWhenTheCheckpointFails) {
  const State before = Live();
  server_.Fail({.command = "fsync", .times = 0}, 8, "WT_PANIC");
  try {
    RestoreAll(connect_, options_, archive_, run_);
    FAIL() << "its record is not durable";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("record of the swap durably"));
  }
  EXPECT_EQ(Live(), before);
}

// Any other bad value is not about the journal.
TEST_F(RestoreTargetTest, DoesNotTakeEachRefusedRecordForALackOfAJournal) {
  server_.Fail({.command = "insert",
                .times = 0,
                .when = [](const auto& command) { return command.db == "openedx_backup"; }},
               2, "cannot use 'w' > 1 when a host is not replicated");
  EXPECT_THROW(RestoreAll(connect_, options_, archive_, run_), Error);
  EXPECT_THAT(server_.Commands("fsync"), IsEmpty());
}

}  // namespace
}  // namespace oxbackup::mongodb
