#include "engine/restore_testing.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "engine/backup.h"
#include "engine/open_runs.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kTrees = {"caddy", "a", "b"};

// A target whose calls fail on demand, before they have done anything.
class FailingTarget final : public RestoreTarget {
 public:
  FailingTarget(std::unique_ptr<RestoreTarget> inner, Fault fault)
      : inner_(std::move(inner)), fault_(std::move(fault)) {}

  std::string_view name() const override { return inner_->name(); }
  std::optional<OpenSwap> FindOpenSwap() override { return inner_->FindOpenSwap(); }
  std::optional<OpenSwap> PeekOpenSwap() override { return inner_->PeekOpenSwap(); }
  std::optional<SwapIntent> FindKeptSwap() override { return inner_->FindKeptSwap(); }
  void PrepareUndo(const SwapIntent& intent, bool begun) override {
    fault_("PrepareUndo");
    inner_->PrepareUndo(intent, begun);
  }
  void DropKept() override { inner_->DropKept(); }
  std::optional<AppliedArchive> Applied() override { return inner_->Applied(); }
  void CompleteSwap() override { inner_->CompleteSwap(); }
  void UndoSwap(const std::string& run_id) override {
    fault_("UndoSwap");
    inner_->UndoSwap(run_id);
  }
  RestorePlan Plan(const Manifest* manifest, RestoreRoom room) override {
    return inner_->Plan(manifest, room);
  }
  void PrepareRemoval(ArchiveReader& reader) override {
    fault_("PrepareRemoval");
    inner_->PrepareRemoval(reader);
  }
  void RemoveLive(const AppliedArchive& awaited) override {
    fault_("RemoveLive");
    inner_->RemoveLive(awaited);
  }
  std::optional<AppliedArchive> Awaited() override { return inner_->Awaited(); }
  void ForgetAwaited() override { inner_->ForgetAwaited(); }
  void Load(ArchiveReader& reader) override {
    fault_("Load");
    inner_->Load(reader);
  }
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

bool Yes(const std::vector<KeptRestore>& /*restores*/) { return true; }

}  // namespace

bool DiesAt(int fatal_step, const std::function<void(const BeforeStep& before_step)>& body) {
  constexpr int kDied = 9;
  constexpr int kFailed = 1;
  const pid_t child = ::fork();
  if (child == 0) {
    int steps = 0;
    try {
      body([&](const std::string&) {
        if (steps++ == fatal_step) ::_exit(kDied);
      });
    } catch (...) {
      ::_exit(kFailed);
    }
    ::_exit(testing::Test::HasFailure() ? kFailed : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const int ended = WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
  EXPECT_TRUE(ended == 0 || ended == kDied) << "an error in the process that is to die";
  return ended == kDied;
}

RestoreFixture::RestoreFixture() { WriteAll("at first"); }

void RestoreFixture::Write(const std::string& tree, const std::string& content) {
  const fs::path path = folder_.path() / tree;
  WriteTestFile(tree == "config.yml" ? path : path / "file", content);
}

void RestoreFixture::WriteAll(const std::string& content) {
  for (const std::string& tree : kTrees) Write(tree, content);
  Write("config.yml", content);
}

std::string RestoreFixture::Read(const std::string& tree) const {
  const fs::path path = folder_.path() / tree;
  const fs::path file = tree == "config.yml" ? path : path / "file";
  return fs::exists(file) ? ReadTestFile(file) : "";
}

std::string RestoreFixture::ReadAll() const {
  std::string all;
  for (const std::string& tree : kTrees) all += Read(tree) + "|";
  return all + Read("config.yml");
}

Site RestoreFixture::SiteWith(const std::vector<std::string>& media) const {
  Site site;
  site.caddy = folder_.path() / "caddy";
  for (const std::string& name : media) site.media.push_back({name, folder_.path() / name});
  site.tutor_config = folder_.path() / "config.yml";
  return site;
}

std::string RestoreFixture::BackUp(const std::vector<std::string>& media, const std::string& name) {
  const Site site = SiteWith(media);
  BackupSources sources = MakeSources(site, {}, test_.run);
  RestoreTargets none;
  BackupOptions options;
  options.name = name;
  const std::string archive = Backup(store_, sources, none, options, test_.run).name;
  std::map<std::string, std::string>& content = contents_[archive];
  content = {{"caddy", Read("caddy")}, {"config.yml", Read("config.yml")}};
  for (const std::string& tree : media) content[tree] = Read(tree);
  return archive;
}

RestoreTargets RestoreFixture::Targets(const std::string& failing, const Fault& fault) {
  RestoreTargets targets = MakeTargets(SiteWith({"a", "b"}), test_.run);
  for (auto& target : targets) {
    if (target->name() != failing) continue;
    target = std::make_unique<FailingTarget>(std::move(target), fault);
  }
  return targets;
}

RestoreTargets RestoreFixture::SteppingTargets(const BeforeStep& before_step) {
  Site site = SiteWith({"a", "b"});
  site.tree_restore.before_step = before_step;
  return MakeTargets(site, test_.run);
}

void RestoreFixture::RestoreFrom(const std::string& archive, RestoreTargets targets, bool keep_old,
                                 std::set<std::string> only) {
  RestoreOptions options;
  options.selection.only = std::move(only);
  options.choice.name = archive;
  options.keep_old = keep_old;
  options.confirm = [](const RestorePreview&) { return true; };
  EXPECT_TRUE(Restore(store_, targets, options, test_.run).swapped);
}

std::vector<std::string> RestoreFixture::UndoAll(RestoreTargets targets,
                                                 std::set<std::string> only) {
  ComponentSelection selection;
  selection.only = std::move(only);
  return Undo(targets, selection, Yes, test_.run).sentences;
}

Error RestoreFixture::UndoError(RestoreTargets targets) {
  try {
    Undo(targets, {}, Yes, test_.run);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "the undo should have failed";
  return Error(ErrorKind::kInternal, "");
}

std::vector<std::string> RestoreFixture::FinishAll() {
  RestoreTargets targets = Targets();
  return FinishOpenSwaps(targets, test_.run);
}

std::vector<std::string> RestoreFixture::HeldNow() {
  std::vector<std::string> held;
  for (const auto& target : Targets()) {
    const std::optional<AppliedArchive> applied = target->Applied();
    if (!applied) continue;
    const std::string name(target->name());
    held.push_back(name + "=" + applied->archive);
    for (const auto& [tree, content] : contents_.at(applied->archive)) {
      const std::string of = tree == "caddy" ? "caddy" : tree == "config.yml" ? "config" : "media";
      if (of != name) continue;
      EXPECT_EQ(Read(tree), content) << tree << " is not what the record claims";
    }
  }
  return held;
}

std::vector<std::string> RestoreFixture::LeftBehind() const {
  std::vector<std::string> left;
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
    const std::string name = entry.path().filename();
    const bool ours = name.starts_with(".openedx-backup");
    if (ours && !name.starts_with(".openedx-backup-applied")) left.push_back(entry.path());
  }
  return left;
}

}  // namespace oxbackup
