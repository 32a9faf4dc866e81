// What a restore does about swaps that fail: real trees and archives in memory; only the faults are
// made up.
#include "engine/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <set>
#include <stdexcept>

#include "base/error.h"
#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "engine/backup.h"
#include "store/memory/memory_store.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A target whose calls fail on demand, before they have done anything.
class FailingTarget final : public RestoreTarget {
 public:
  using Fault = std::function<void(const std::string& call)>;
  FailingTarget(std::unique_ptr<RestoreTarget> inner, Fault fault)
      : inner_(std::move(inner)), fault_(std::move(fault)) {}

  std::string_view name() const override { return inner_->name(); }
  std::optional<OpenSwap> FindOpenSwap() override { return inner_->FindOpenSwap(); }
  std::optional<SwapIntent> FindKeptSwap() override { return inner_->FindKeptSwap(); }
  void CompleteSwap() override { inner_->CompleteSwap(); }
  void UndoSwap(const std::string& run_id) override { inner_->UndoSwap(run_id); }
  RestorePlan Plan(const Manifest* manifest) override { return inner_->Plan(manifest); }
  void Load(ArchiveReader& reader) override { inner_->Load(reader); }
  void Verify(const ComponentManifest* expected) override { inner_->Verify(expected); }
  void WriteIntent(const SwapIntent& intent) override {
    fault_("WriteIntent");
    inner_->WriteIntent(intent);
  }
  void Swap() override {
    fault_("Swap");
    inner_->Swap();
  }
  void CloseSwap(bool keep_old) override {
    fault_("CloseSwap");
    inner_->CloseSwap(keep_old);
  }
  void Abandon() override { inner_->Abandon(); }
  int64_t swap_ms() const override { return inner_->swap_ms(); }

 private:
  std::unique_ptr<RestoreTarget> inner_;
  Fault fault_;
};

class RestoreTest : public testing::Test {
 protected:
  RestoreTest() {
    for (const std::string name : {"caddy", "a", "b"}) Write(name, "at first");
    WriteTestFile(folder_.path() / "config.yml", "at first");
  }

  void Write(const std::string& tree, const std::string& content) {
    WriteTestFile(folder_.path() / tree / "file", content);
  }
  std::string Read(const std::string& tree) { return ReadTestFile(folder_.path() / tree / "file"); }

  Site SiteWith(const std::vector<std::string>& media) {
    Site site;
    site.caddy = folder_.path() / "caddy";
    for (const std::string& name : media) site.media.push_back({name, folder_.path() / name});
    site.tutor_config = folder_.path() / "config.yml";
    return site;
  }

  std::string BackUp(const std::vector<std::string>& media, const std::string& name) {
    const Site site = SiteWith(media);
    BackupSources sources = MakeSources(site, {}, test_.run);
    RestoreTargets none;
    BackupOptions options;
    options.name = name;
    return Backup(store_, sources, none, options, test_.run).name;
  }

  RestoreTargets Targets(const std::string& failing = "", const FailingTarget::Fault& fault = {}) {
    RestoreTargets targets = MakeTargets(SiteWith({"a", "b"}), test_.run);
    for (auto& target : targets) {
      if (target->name() != failing) continue;
      target = std::make_unique<FailingTarget>(std::move(target), fault);
    }
    return targets;
  }

  void RestoreFrom(const std::string& archive, RestoreTargets targets, bool keep_old = false,
                   std::set<std::string> only = {}) {
    RestoreOptions options;
    options.selection.only = std::move(only);
    options.choice.name = archive;
    options.keep_old = keep_old;
    options.confirm = [](const RestorePreview&) { return true; };
    EXPECT_TRUE(Restore(store_, targets, options, test_.run).swapped);
  }

  // The error that a restore ends with when `failing` fails in `call`.
  Error ErrorOf(const std::string& archive, const std::string& failing, const std::string& call) {
    try {
      RestoreFrom(archive, Targets(failing, [&](const std::string& now) {
                    if (now == call)
                      throw Error(ErrorKind::kSource, "a fault of the test")
                          .Hint("a hint of whoever failed");
                  }));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "the restore should have failed";
    return Error(ErrorKind::kInternal, "");
  }

  std::vector<std::string> LeftBehind() const {
    std::vector<std::string> left;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename();
      if (name.starts_with(".openedx-backup")) left.push_back(entry.path());
    }
    return left;
  }

  TestRun test_;
  TemporaryFolder folder_;
  MemoryStore store_{test_.clock};
};

// The archive of the second restore lacks the tree b, whose kept data are the first one's.
TEST_F(RestoreTest, TakingBackAFailedSwapLeavesAnEarlierKeptRestoreAlone) {
  const std::string first = BackUp({"a", "b"}, "first");
  const std::string second = BackUp({"a"}, "second");
  for (const std::string name : {"caddy", "a", "b"}) Write(name, "before the first restore");
  RestoreFrom(first, Targets(), /*keep_old=*/true);
  Write("a", "since");
  Write("b", "since");
  const Error error = ErrorOf(second, "config", "Swap");
  EXPECT_THAT(error.outcome(), HasSubstr("Nothing has changed"));
  EXPECT_EQ(Read("a"), "since");
  EXPECT_EQ(Read("b"), "since");
}

// The second restore is of caddy alone: what the first one replaced in the others stays replaced.
TEST_F(RestoreTest, AnUndoIsOfTheLastRestoreAlone) {
  const std::string archive = BackUp({"a", "b"}, "archive");
  for (const std::string name : {"caddy", "a", "b"}) Write(name, "before the first");
  RestoreFrom(archive, Targets(), /*keep_old=*/true);
  for (const std::string name : {"caddy", "a", "b"}) Write(name, "before the second");
  RestoreFrom(archive, Targets(), /*keep_old=*/true, {"caddy"});
  RestoreTargets targets = Targets();
  EXPECT_THAT(Undo(targets, test_.run), testing::ElementsAre(HasSubstr("caddy")));
  for (const std::string name : {"caddy", "a", "b"}) EXPECT_EQ(Read(name), "before the second");
  // Caddy's data from before the first one are gone, so that one cannot be undone whole.
  try {
    Undo(targets, test_.run);
    ADD_FAILURE() << "a mixture";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("caddy"));
  }
  for (const std::string name : {"caddy", "a", "b"}) EXPECT_EQ(Read(name), "before the second");
}

TEST_F(RestoreTest, AnUndoThatEndedBetweenTwoComponentsGoesOn) {
  const std::string archive = BackUp({"a", "b"}, "archive");
  for (const std::string name : {"caddy", "a", "b"}) Write(name, "live");
  RestoreFrom(archive, Targets(), /*keep_old=*/true);
  RestoreTargets targets = Targets();
  targets.back()->UndoSwap("");
  EXPECT_THAT(Undo(targets, test_.run), testing::SizeIs(2));
  for (const std::string name : {"caddy", "a", "b"}) EXPECT_EQ(Read(name), "live");
}

TEST_F(RestoreTest, AnIntentThatCannotBeWrittenChangesNothing) {
  const std::string archive = BackUp({"a", "b"}, "archive");
  for (const std::string failing : {"caddy", "media", "config"}) {
    SCOPED_TRACE(failing);
    for (const std::string name : {"caddy", "a", "b"}) Write(name, "live");
    const Error error = ErrorOf(archive, failing, "WriteIntent");
    EXPECT_THAT(error.outcome(), HasSubstr("Nothing has changed"));
    for (const std::string name : {"caddy", "a", "b"}) EXPECT_EQ(Read(name), "live");
    EXPECT_THAT(LeftBehind(), testing::IsEmpty());
    EXPECT_THAT(test_.warnings.All(), testing::IsEmpty());
  }
}

TEST_F(RestoreTest, ASwapThatEndsWithAnyExceptionIsTakenBack) {
  const std::string archive = BackUp({"a", "b"}, "archive");
  for (const std::string name : {"caddy", "a", "b"}) Write(name, "live");
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

// Records are closed from the first component to the last: one that is closed before an earlier one
// would make the next run take the earlier one back.
TEST_F(RestoreTest, AfterARecordThatCannotBeClosedTheNextRunFinishesTheRestore) {
  const std::string archive = BackUp({"a", "b"}, "archive");
  for (const std::string failing : {"caddy", "media", "config"}) {
    SCOPED_TRACE(failing);
    for (const std::string name : {"caddy", "a", "b"}) Write(name, "live");
    const Error error = ErrorOf(archive, failing, "CloseSwap");
    EXPECT_THAT(error.outcome(), HasSubstr("The restored data are live"));
    RestoreTargets targets = Targets();
    EXPECT_THAT(FinishOpenSwaps(targets, test_.run), testing::SizeIs(1));
    for (const std::string name : {"caddy", "a", "b"}) EXPECT_EQ(Read(name), "at first");
    EXPECT_THAT(LeftBehind(), testing::IsEmpty());
  }
}

}  // namespace
}  // namespace oxbackup
