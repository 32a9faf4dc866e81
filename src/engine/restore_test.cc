// What a restore does about swaps that fail: real trees and archives in memory; only the faults are
// made up.
#include "engine/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "engine/restore_testing.h"

namespace oxbackup {
namespace {

using testing::HasSubstr;

class RestoreTest : public RestoreFixture {
 protected:
  // The error that a restore ends with when `failing` fails in `call`.
  Error ErrorOf(const std::string& archive, const std::string& failing, const std::string& call) {
    return ErrorWhen(archive, failing, [&](const std::string& now) { return now == call; });
  }

  Error ErrorWhen(const std::string& archive, const std::string& failing,
                  const std::function<bool(const std::string& call)>& fails) {
    try {
      RestoreFrom(archive, Targets(failing, [&](const std::string& now) {
                    if (fails(now))
                      throw Error(ErrorKind::kSource, "a fault of the test")
                          .Hint("a hint of whoever failed");
                  }));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "the restore should have failed";
    return Error(ErrorKind::kInternal, "");
  }
};

// The archive of the second restore lacks the tree b, whose kept data are the first one's.
TEST_F(RestoreTest, TakingBackAFailedSwapLeavesAnEarlierKeptRestoreAlone) {
  const std::string first = BackUp({"a", "b"}, "first");
  const std::string second = BackUp({"a"}, "second");
  WriteAll("before the first restore");
  RestoreFrom(first, Targets(), /*keep_old=*/true);
  Write("a", "since");
  Write("b", "since");
  const Error error = ErrorOf(second, "config", "Swap");
  EXPECT_THAT(error.outcome(), HasSubstr("Nothing has changed"));
  EXPECT_EQ(Read("a"), "since");
  EXPECT_EQ(Read("b"), "since");
}

TEST_F(RestoreTest, AnIntentThatCannotBeWrittenChangesNothing) {
  const std::string archive = BackUp({"a", "b"}, "archive");
  for (const std::string failing : {"caddy", "media", "config"}) {
    SCOPED_TRACE(failing);
    WriteAll("live");
    const Error error = ErrorOf(archive, failing, "WriteIntent");
    EXPECT_THAT(error.outcome(), HasSubstr("Nothing has changed"));
    for (const std::string name : {"caddy", "a", "b"}) EXPECT_EQ(Read(name), "live");
    EXPECT_THAT(LeftBehind(), testing::IsEmpty());
    EXPECT_THAT(test_.warnings.All(), testing::IsEmpty());
  }
}

TEST_F(RestoreTest, ASwapThatEndsWithAnyExceptionIsTakenBack) {
  const std::string archive = BackUp({"a", "b"}, "archive");
  WriteAll("live");
  try {
    RestoreFrom(archive, Targets("config", [](const std::string& call) {
                  if (call == "Swap") throw std::runtime_error("no Error of ours");
                }));
    ADD_FAILURE() << "the restore should have failed";
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), "no Error of ours");
    EXPECT_THAT(error.outcome(), HasSubstr("Nothing has changed"));
  }
  for (const std::string name : {"caddy", "a", "b"}) EXPECT_EQ(Read(name), "live");
  EXPECT_THAT(LeftBehind(), testing::IsEmpty());
}

TEST_F(RestoreTest, AnArchiveMayHaveANameThatIsNotUtf8) {
  const std::string archive = BackUp({"a", "b"}, "archive");
  const std::string odd = "r\xe9sum\xe9.tar.xz";
  const auto source = store_.Open(archive);
  std::string bytes(source->Size(), '\0');
  source->ReadAt(0, bytes.data(), bytes.size());
  store_.Put(odd, std::move(bytes));
  Write("a", "live");
  RestoreFrom(odd, Targets());
  EXPECT_EQ(Read("a"), "at first");
}

// As of a connection that is gone: the record may have arrived, and cannot be taken back.
TEST_F(RestoreTest, AnAnnouncementThatCannotBeTakenBackIsNoSwap) {
  const std::string archive = BackUp({"a", "b"}, "archive");
  for (const std::string failing : {"caddy", "media", "config"}) {
    SCOPED_TRACE(failing);
    WriteAll("live");
    bool broken = false;
    const Error error = ErrorWhen(archive, failing, [&](const std::string& call) {
      return (broken = broken || call == "WriteIntent");
    });
    EXPECT_THAT(error.outcome(), HasSubstr("Nothing is swapped yet, and records are open"));
    const bool is_last = failing == "config";
    EXPECT_EQ(error.outcome().find("takes the restore back.") == std::string::npos, is_last);
    EXPECT_EQ(ReadAll(), "live|live|live|live");
    // The others keep what they have loaded only where the next run may complete the swap.
    const std::map<std::string, size_t> trees = {{"caddy", 1}, {"media", 2}, {"config", 1}};
    EXPECT_EQ(LeftBehind().size() > trees.at(failing), is_last);
    FinishAll();
    EXPECT_EQ(ReadAll(), "live|live|live|live");
    RestoreFrom(archive, Targets());
    EXPECT_EQ(ReadAll(), "at first|at first|at first|at first");
    EXPECT_THAT(LeftBehind(), testing::IsEmpty());
  }
}

TEST_F(RestoreTest, ASwapThatCannotBeTakenBackIsNeverFinishedInPart) {
  const std::string archive = BackUp({"a", "b"}, "archive");
  for (const std::string failing : {"caddy", "media", "config"}) {
    SCOPED_TRACE(failing);
    WriteAll("live");
    bool broken = false;
    const Error error = ErrorWhen(archive, failing, [&](const std::string& call) {
      return (broken = broken || call == "Swap");
    });
    EXPECT_THAT(error.outcome(), HasSubstr("Part of the site may be swapped"));
    FinishAll();
    EXPECT_EQ(ReadAll(),
              failing == "config" ? "at first|at first|at first|at first" : "live|live|live|live");
    EXPECT_THAT(LeftBehind(), testing::IsEmpty());
  }
}

// Records are closed from the first component to the last: one that is closed before an earlier one
// would make the next run take the earlier one back.
TEST_F(RestoreTest, AfterARecordThatCannotBeClosedTheNextRunFinishesTheRestore) {
  const std::string archive = BackUp({"a", "b"}, "archive");
  for (const std::string failing : {"caddy", "media", "config"}) {
    SCOPED_TRACE(failing);
    WriteAll("live");
    const Error error = ErrorOf(archive, failing, "CloseSwap");
    EXPECT_THAT(error.outcome(), HasSubstr("The restored data are live"));
    EXPECT_THAT(FinishAll(), testing::SizeIs(1));
    for (const std::string name : {"caddy", "a", "b"}) EXPECT_EQ(Read(name), "at first");
    EXPECT_THAT(LeftBehind(), testing::IsEmpty());
  }
}

}  // namespace
}  // namespace oxbackup
