// Restores in place: the live data are gone before the archive is loaded. Real trees; only the
// faults are made up.
#include "engine/live_removal.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <stdexcept>

#include "engine/backup.h"
#include "engine/restore_testing.h"
#include "engine/undo.h"

namespace oxbackup {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace fs = std::filesystem;

class LiveRemovalTest : public RestoreFixture {
 protected:
  LiveRemovalTest() {
    archive_ = BackUp({"a", "b"}, "archive");
    WriteAll("live");
    for (const std::string tree : {"caddy", "a", "b"}) {
      WriteTestFile(folder_.path() / tree / "newer" / "file", "newer");
    }
  }

  RestoreReport InPlace(RestoreTargets targets, std::set<std::string> only = {},
                        bool confirmed = true) {
    RestoreOptions options;
    options.in_place = true;
    options.selection.only = std::move(only);
    options.choice.name = archive_;
    options.confirm = [&](const RestorePreview& preview) {
      EXPECT_TRUE(preview.in_place);
      return confirmed;
    };
    return Restore(store_, targets, options, test_.run);
  }

  // The error that a restore in place ends with when `failing` fails in `call`.
  Error ErrorOf(const std::string& failing, const std::string& call) {
    return ErrorOf(Targets(failing, [&](const std::string& now) {
      if (now == call) throw Error(ErrorKind::kSource, "a fault of the test");
    }));
  }
  Error ErrorOf(RestoreTargets targets) {
    try {
      InPlace(std::move(targets));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "the restore should have failed";
    return Error(ErrorKind::kInternal, "");
  }

  // The error of a backup of the whole site; nothing when it succeeds.
  std::optional<Error> BackupError() {
    RestoreTargets targets = Targets();
    BackupSources sources = MakeSources(SiteWith({"a", "b"}), {}, test_.run);
    BackupOptions options;
    options.name = fmt::format("of-what-is-left-{}", ++backups_);
    try {
      Backup(store_, sources, targets, options, test_.run);
    } catch (const Error& error) {
      return error;
    }
    return std::nullopt;
  }

  void ExpectRestored() {
    EXPECT_EQ(ReadAll(), "at first|at first|at first|at first");
    for (const std::string tree : {"caddy", "a", "b"}) {
      EXPECT_FALSE(fs::exists(folder_.path() / tree / "newer")) << tree;
    }
    EXPECT_THAT(LeftBehind(), IsEmpty());
  }
  // That of a fresh run, with nothing in its way.
  void ExpectTheNextRunRestores() {
    EXPECT_TRUE(InPlace(Targets()).swapped);
    ExpectRestored();
  }

  std::string archive_;
  int backups_ = 0;
};

TEST_F(LiveRemovalTest, TheLiveDataAreGoneBeforeTheFirstLoad) {
  std::string at_load;
  EXPECT_TRUE(InPlace(Targets("caddy", [&](const std::string& call) {
                if (call == "Load") at_load = ReadAll();
              })).swapped);
  EXPECT_EQ(at_load, "|||");
  ExpectRestored();
}

TEST_F(LiveRemovalTest, WithoutTheAnswerNothingIsRemoved) {
  EXPECT_FALSE(InPlace(Targets(), {}, /*confirmed=*/false).swapped);
  EXPECT_EQ(ReadAll(), "live|live|live|live");
  EXPECT_TRUE(fs::exists(folder_.path() / "a" / "newer" / "file"));
}

TEST_F(LiveRemovalTest, OnlyWhatIsRestoredIsRemoved) {
  EXPECT_TRUE(InPlace(Targets(), {"caddy"}).swapped);
  EXPECT_EQ(ReadAll(), "at first|live|live|live");
}

TEST_F(LiveRemovalTest, AFolderThatTheArchiveLacksStays) {
  archive_ = BackUp({"a"}, "without-b");
  Write("a", "since");
  Write("b", "since");
  InPlace(Targets());
  EXPECT_EQ(ReadAll(), "live|live|since|live");
}

// Each byte is in a block, the index or the manifest.
TEST_F(LiveRemovalTest, ADamagedArchiveLeavesTheLiveData) {
  const auto source = store_.Open(archive_);
  std::string bytes(source->Size(), '\0');
  source->ReadAt(0, bytes.data(), bytes.size());
  bytes[bytes.size() / 8] ^= 1;
  archive_ = "damaged.tar.xz";
  store_.Put(archive_, std::move(bytes));
  const Error error = ErrorOf(Targets());
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
  EXPECT_EQ(error.outcome(), "");
  EXPECT_EQ(ReadAll(), "live|live|live|live");
  EXPECT_THAT(LeftBehind(), IsEmpty());
}

TEST_F(LiveRemovalTest, ATargetThatCannotLeavesTheLiveDataOfAll) {
  const Error error = ErrorOf("config", "PrepareRemoval");
  EXPECT_EQ(error.outcome(), "");
  EXPECT_EQ(ReadAll(), "live|live|live|live");
  EXPECT_THAT(LeftBehind(), IsEmpty());
}

TEST_F(LiveRemovalTest, AFailedRemovalNamesWhatIsGoneAndTheNextRunSucceeds) {
  const Error error = ErrorOf("media", "RemoveLive");
  EXPECT_EQ(error.outcome(),
            "The live data of caddy were removed (--in-place), those of media perhaps in part, and "
            "nothing "
            "of " +
                archive_ +
                " is live yet. Run the same command again when the cause is "
                "mended, with --from as it was and --name " +
                archive_ + ": it begins anew.");
  EXPECT_EQ(ReadAll(), "|live|live|live");
  ExpectTheNextRunRestores();
}

TEST_F(LiveRemovalTest, AFailedLoadNamesWhatIsGoneAndTheNextRunSucceeds) {
  const Error error = ErrorOf("media", "Load");
  EXPECT_THAT(error.outcome(),
              AllOf(HasSubstr("The live data of caddy, media, config were removed (--in-place), "
                              "and nothing of "),
                    HasSubstr("--from as it was and --name " + archive_)));
  EXPECT_EQ(ReadAll(), "|||");
  ExpectTheNextRunRestores();
}

TEST_F(LiveRemovalTest, AnExceptionOfNoOursSaysSoToo) {
  const Error error = ErrorOf(Targets("media", [](const std::string& call) {
    if (call == "Load") throw std::runtime_error("no Error of ours");
  }));
  EXPECT_EQ(error.cause(), "no Error of ours");
  EXPECT_THAT(error.outcome(), HasSubstr("nothing of " + archive_ + " is live yet"));
}

TEST_F(LiveRemovalTest, AFailedSwapDoesNotClaimThatNothingHasChanged) {
  const Error error = ErrorOf("config", "Swap");
  EXPECT_THAT(error.outcome(), AllOf(HasSubstr("were removed (--in-place), and nothing of"),
                                     Not(HasSubstr("Nothing has changed"))));
  EXPECT_EQ(ReadAll(), "|||");
  ExpectTheNextRunRestores();
}

TEST_F(LiveRemovalTest, ASwapThatStaysOpenPromisesNoUndo) {
  const Error error = ErrorOf(Targets("config", [](const std::string& call) {
    if (call == "Swap" || call == "UndoSwap") throw std::runtime_error("a fault of the test");
  }));
  EXPECT_THAT(error.outcome(),
              AllOf(HasSubstr("the next backup or restore"), Not(HasSubstr("--undo"))));
}

// Death has no outcome to tell; what it leaves is what the next run has to do with.
TEST_F(LiveRemovalTest, ADeathAtEveryStepIsFollowedByARunThatSucceeds) {
  int step = 0;
  const std::string live = BackUp({"a", "b"}, "live");
  for (;; ++step) {
    SCOPED_TRACE(step);
    RestoreFrom(live, Targets());
    if (!DiesAt(step,
                [&](const BeforeStep& before_step) { InPlace(SteppingTargets(before_step)); })) {
      break;
    }
    HeldNow();
    if (!BackupError()) {
      EXPECT_THAT(ReadAll(), AnyOf("live|live|live|live", "at first|at first|at first|at first"));
    }
    ExpectTheNextRunRestores();
    EXPECT_FALSE(BackupError());
    EXPECT_THAT(HeldNow(), testing::SizeIs(3));
  }
  // Two entries in each folder would be removed, and a file, before the steps of the swaps.
  EXPECT_GT(step, 10);
  ExpectRestored();
}

TEST_F(LiveRemovalTest, ADeathInTheLoadIsFollowedByARunThatSucceeds) {
  EXPECT_TRUE(DiesAt(0, [&](const BeforeStep& die) {
    InPlace(Targets("media", [&](const std::string& call) {
      if (call == "Load") die(call);
    }));
  }));
  EXPECT_EQ(ReadAll(), "|||");
  EXPECT_THAT(LeftBehind(), Not(IsEmpty()));
  ExpectTheNextRunRestores();
}

// It would be the newest archive, and the one that a schedule's next restore takes.
TEST_F(LiveRemovalTest, OfASiteThatIsGoneThereIsNoBackup) {
  ErrorOf("media", "Load");
  const std::optional<Error> error = BackupError();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kUsage);
  EXPECT_THAT(error->what(), HasSubstr("the live data of caddy are gone"));
  EXPECT_THAT(error->cause(), HasSubstr("the restore of " + archive_ + " in place"));
  EXPECT_THAT(error->hint(),
              AllOf(HasSubstr("--name " + archive_), HasSubstr("restore --drop-old")));
  EXPECT_THAT(store_.List(), testing::SizeIs(1));
}

TEST_F(LiveRemovalTest, ASiteThatWasSetUpInAnotherWayIsBackedUpOnceThatIsSaid) {
  ErrorOf("media", "Load");
  WriteAll("set up anew");
  EXPECT_TRUE(BackupError());
  RestoreTargets targets = Targets();
  const auto nobody_is_asked = [](const std::vector<KeptRestore>&) { return false; };
  const KeptOutcome outcome = DropKept(targets, nobody_is_asked, test_.run);
  EXPECT_TRUE(outcome.confirmed);
  EXPECT_THAT(outcome.sentences,
              testing::ElementsAre("caddy: the data of " + archive_ + " are awaited no more",
                                   "media: the data of " + archive_ + " are awaited no more",
                                   "config: the data of " + archive_ + " are awaited no more"));
  EXPECT_FALSE(BackupError());
  EXPECT_EQ(ReadAll(), "set up anew|set up anew|set up anew|set up anew");
}

TEST_F(LiveRemovalTest, KeptOldDataAreNotBroken) {
  RestoreFrom(archive_, Targets(), /*keep_old=*/true, {"media"});
  WriteAll("since");
  const Error error = ErrorOf(Targets());
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.hint(), HasSubstr("restore --drop-old"));
  EXPECT_EQ(ReadAll(), "since|since|since|since");
  // Of another component they are not touched.
  EXPECT_TRUE(InPlace(Targets(), {"caddy"}).swapped);
  UndoAll(Targets());
  EXPECT_EQ(ReadAll(), "at first|live|live|since");
}

TEST_F(LiveRemovalTest, ThePlanCountsWhatWillBeFreed) {
  const std::string large(size_t{1} << 20, 'x');
  WriteTestFile(folder_.path() / "caddy" / "large", large);
  const auto free_in = [&](RestoreRoom room) {
    for (const auto& target : Targets()) {
      if (target->name() == "caddy") return target->Plan(nullptr, room).bytes_free.value_or(0);
    }
    return uint64_t{0};
  };
  const uint64_t beside = free_in(RestoreRoom::kBeside);
  // Others write on the same disk.
  EXPECT_NEAR(static_cast<double>(free_in(RestoreRoom::kInPlace)),
              static_cast<double>(beside + large.size()), static_cast<double>(large.size()) / 2);
}

}  // namespace
}  // namespace oxbackup
