// Going back behind restores: which one, as a whole, and whatever dies or fails meanwhile.
#include "engine/undo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/open_runs.h"
#include "engine/restore_testing.h"

namespace oxbackup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Of the steps of a restore of the whole site, one at which some entries are exchanged.
constexpr int kInTheSwap = 12;

class UndoTest : public RestoreFixture {
 protected:
  UndoTest() : archive_(BackUp({"a", "b"}, "archive")) {}

  void RestoreKeeping(std::set<std::string> only = {}) {
    RestoreFrom(archive_, Targets(), /*keep_old=*/true, std::move(only));
  }

  const std::string archive_;
};

TEST_F(UndoTest, IsOfTheLastRestoreAloneAndThenOfTheOneBefore) {
  WriteAll("before");
  RestoreKeeping({"caddy"});
  RestoreKeeping({"media"});
  EXPECT_THAT(UndoAll(Targets()), ElementsAre(HasSubstr("media")));
  EXPECT_EQ(ReadAll(), "at first|before|before|before");
  EXPECT_THAT(UndoAll(Targets()), ElementsAre(HasSubstr("caddy")));
  EXPECT_EQ(ReadAll(), "before|before|before|before");
  EXPECT_EQ(UndoError(Targets()).kind(), ErrorKind::kNotFound);
  EXPECT_THAT(LeftBehind(), IsEmpty());
}

// Whichever component a later restore has replaced again, the first one does not come back in the
// others alone unless somebody asks for that.
TEST_F(UndoTest, OfARestoreThatIsNotWholeAnyMoreIsRefusedAndCanBeHadInPart) {
  for (const std::string later : {"caddy", "media", "config"}) {
    SCOPED_TRACE(later);
    WriteAll("before the first");
    RestoreKeeping();
    WriteAll("between");
    RestoreKeeping({later});
    EXPECT_THAT(UndoAll(Targets()), ElementsAre(HasSubstr(later)));
    EXPECT_EQ(ReadAll(), "between|between|between|between");
    const Error error = UndoError(Targets());
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("replaced in " + later));
    EXPECT_THAT(error.hint(), HasSubstr("restore --undo --only "));
    EXPECT_EQ(ReadAll(), "between|between|between|between");
    std::set<std::string> others = {"caddy", "media", "config"};
    others.erase(later);
    EXPECT_THAT(UndoAll(Targets(), others), SizeIs(2));
    EXPECT_EQ(Read(later == "media" ? "a" : later == "config" ? "config.yml" : later), "between");
    EXPECT_EQ(Read(later == "caddy" ? "a" : "caddy"), "before the first");
  }
}

TEST_F(UndoTest, ThatDiesAnywhereIsGoneOnWithByTheNextRun) {
  int gone_on = 0;
  for (int step = 0;; ++step) {
    SCOPED_TRACE(step);
    WriteAll("before");
    RestoreKeeping();
    const bool died =
        DiesAt(step, [&](const BeforeStep& before) { UndoAll(SteppingTargets(before)); });
    if (!died) {
      EXPECT_GT(step, 10);
      break;
    }
    gone_on += static_cast<int>(FinishAll().size());
    if (ReadAll() == "at first|at first|at first|at first") UndoAll(Targets());
    ASSERT_EQ(ReadAll(), "before|before|before|before");
  }
  EXPECT_GT(gone_on, 10);
}

TEST_F(UndoTest, OfSomeComponentsThatDiesAnywhereLeavesTheOthersAlone) {
  const std::set<std::string> some = {"caddy", "config"};
  for (int step = 0;; ++step) {
    SCOPED_TRACE(step);
    WriteAll("before");
    RestoreKeeping();
    const bool died =
        DiesAt(step, [&](const BeforeStep& before) { UndoAll(SteppingTargets(before), some); });
    FinishAll();
    if (ReadAll() == "at first|at first|at first|at first") UndoAll(Targets(), some);
    ASSERT_EQ(ReadAll(), "before|at first|at first|before");
    if (!died) break;
  }
}

TEST_F(UndoTest, ThatFailsBeforeAnythingIsBackChangesNothing) {
  WriteAll("before");
  RestoreKeeping();
  const auto fail = [](const std::string& call) {
    if (call == "UndoSwap") throw Error(ErrorKind::kSource, "a fault of the test");
  };
  EXPECT_EQ(UndoError(Targets("config", fail)).outcome(), "Nothing has changed.");
  EXPECT_THAT(FinishAll(), IsEmpty());
  EXPECT_EQ(ReadAll(), "at first|at first|at first|at first");
  EXPECT_THAT(UndoAll(Targets()), SizeIs(3));
  EXPECT_EQ(ReadAll(), "before|before|before|before");
}

TEST_F(UndoTest, ThatFailsLaterIsGoneOnWithByTheNextRun) {
  for (const std::string failing : {"caddy", "media"}) {
    WriteAll("before");
    RestoreKeeping();
    const auto fail = [](const std::string& call) {
      if (call == "UndoSwap") throw Error(ErrorKind::kSource, "a fault of the test");
    };
    EXPECT_THAT(UndoError(Targets(failing, fail)).outcome(), HasSubstr("goes on with it"));
    EXPECT_THAT(FinishAll(), SizeIs(1));
    EXPECT_EQ(ReadAll(), "before|before|before|before");
  }
}

TEST_F(UndoTest, SaysWhatComesBackAndTakesNoForAnAnswer) {
  WriteAll("before");
  RestoreKeeping({"caddy", "config"});
  RestoreTargets targets = Targets();
  std::vector<std::string> told;
  const ConfirmKept no = [&](const std::vector<KeptRestore>& restores) {
    told = restores.front().components;
    EXPECT_FALSE(restores.front().interrupted);
    EXPECT_EQ(restores.front().intent.archive, archive_);
    return false;
  };
  EXPECT_FALSE(Undo(targets, {}, no, test_.run).confirmed);
  EXPECT_THAT(told, ElementsAre("caddy", "config"));
  EXPECT_FALSE(DropKept(targets, no, test_.run).confirmed);
  EXPECT_EQ(ReadAll(), "at first|before|before|at first");
  EXPECT_THAT(UndoAll(Targets()), SizeIs(2));
}

TEST_F(UndoTest, KeptDataThatAreDroppedLeaveNothingToGoBackTo) {
  WriteAll("before");
  RestoreKeeping({"caddy", "media"});
  RestoreKeeping({"config"});
  RestoreTargets targets = Targets();
  const ConfirmKept yes = [](const std::vector<KeptRestore>& restores) {
    return restores.size() == 2;
  };
  EXPECT_THAT(DropKept(targets, yes, test_.run).sentences, SizeIs(3));
  EXPECT_THAT(LeftBehind(), IsEmpty());
  EXPECT_EQ(ReadAll(), "at first|at first|at first|at first");
  EXPECT_EQ(UndoError(Targets()).kind(), ErrorKind::kNotFound);
  EXPECT_THROW(DropKept(targets, yes, test_.run), Error);
}

TEST_F(UndoTest, DroppingThatDiesAnywhereLeavesTheLiveDataAlone) {
  const ConfirmKept yes = [](const std::vector<KeptRestore>&) { return true; };
  for (int step = 0;; ++step) {
    SCOPED_TRACE(step);
    WriteAll("before");
    RestoreKeeping();
    const bool died = DiesAt(step, [&](const BeforeStep& before) {
      RestoreTargets targets = SteppingTargets(before);
      DropKept(targets, yes, test_.run);
    });
    FinishAll();
    ASSERT_EQ(ReadAll(), "at first|at first|at first|at first");
    // Nothing is brought back in part.
    if (step > 0) {
      EXPECT_EQ(UndoError(Targets()).kind(), ErrorKind::kNotFound);
    }
    if (!died) break;
  }
}

TEST_F(UndoTest, ARestoreThatHasNotEndedIsDescribedAndItsOldDataAreNotDropped) {
  WriteAll("before");
  ASSERT_TRUE(DiesAt(kInTheSwap, [&](const BeforeStep& before) {
    RestoreFrom(archive_, SteppingTargets(before));
  }));
  const std::vector<std::string> left = LeftBehind();
  RestoreTargets targets = Targets();
  const std::vector<std::string> sentences = DescribeOpenSwaps(targets);
  ASSERT_THAT(sentences, SizeIs(1));
  EXPECT_THAT(sentences[0], HasSubstr("The restore of " + archive_));
  EXPECT_EQ(LeftBehind(), left);
  const ConfirmKept yes = [](const std::vector<KeptRestore>&) { return true; };
  try {
    DropKept(targets, yes, test_.run);
    ADD_FAILURE() << "its old data may be needed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  }
  EXPECT_EQ(LeftBehind(), left);
  RestoreOptions dry;
  dry.dry_run = true;
  EXPECT_FALSE(Restore(store_, targets, dry, test_.run).swapped);
  EXPECT_THAT(test_.warnings.All(), ElementsAre(sentences[0]));
  EXPECT_EQ(LeftBehind(), left);
  const ConfirmKept asked = [](const std::vector<KeptRestore>& restores) {
    return restores.front().interrupted;
  };
  EXPECT_THAT(Undo(targets, {}, asked, test_.run).sentences, ElementsAre(HasSubstr("taken back")));
  EXPECT_EQ(ReadAll(), "before|before|before|before");
  RestoreTargets later = Targets();
  EXPECT_THAT(DescribeOpenSwaps(later), IsEmpty());
}

TEST_F(UndoTest, AnInterruptedRestoreIsNotTakenBackInPart) {
  WriteAll("before");
  ASSERT_TRUE(DiesAt(kInTheSwap, [&](const BeforeStep& before) {
    RestoreFrom(archive_, SteppingTargets(before));
  }));
  EXPECT_THROW(UndoAll(Targets(), {"caddy"}), Error);
  EXPECT_THAT(UndoAll(Targets()), SizeIs(1));
  EXPECT_EQ(ReadAll(), "before|before|before|before");
}

}  // namespace
}  // namespace oxbackup
