#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/pause.h"
#include "base/text.h"
#include "files/applied_file.h"
#include "files/folder_tools.h"
#include "files/tree.h"
#include "files/tree_extractor.h"
#include "files/tree_group.h"
#include "files/tree_paths.h"
#include "files/tree_plan.h"
#include "files/tree_reading.h"
#include "files/tree_swap.h"

namespace oxbackup::files {
namespace {

const ObjectEntry* FindObject(const ComponentManifest* manifest, const std::string& name) {
  if (manifest == nullptr) return nullptr;
  const auto found = std::ranges::find(manifest->objects, name, &ObjectEntry::name);
  return found == manifest->objects.end() ? nullptr : &*found;
}

// What a restore knows about one tree between its calls.
struct TreeWork {
  TreeWork(const Tree& the_tree, const std::string& member_prefix,
           const TreeSwap::BeforeStep& before_step, Warnings& warnings)
      : tree(the_tree),
        member_path(TreeMemberPath(member_prefix, the_tree)),
        swap(the_tree.path, before_step, warnings) {}

  Tree tree;
  std::string member_path;
  TreeSwap swap;
  FileDescriptor fresh;
  std::unique_ptr<TreeExtractor> extractor;
  TreeDigest loaded;
  bool in_archive = false;
};

class TreeTarget final : public RestoreTarget {
 public:
  TreeTarget(std::string component, std::string member_prefix, std::vector<Tree> trees,
             TreeRestoreOptions options, const RunContext& run)
      : component_(std::move(component)),
        member_prefix_(std::move(member_prefix)),
        trees_(std::move(trees)),
        options_(std::move(options)),
        run_(run) {}

  std::string_view name() const override { return component_; }

  std::optional<OpenSwap> FindOpenSwap() override;
  std::optional<OpenSwap> PeekOpenSwap() override;
  std::optional<SwapIntent> FindKeptSwap() override;
  void PrepareUndo(const SwapIntent& intent, bool begun) override;
  void DropKept() override;
  void CompleteSwap() override;
  void UndoSwap(const std::string& run_id) override;
  std::optional<AppliedArchive> Applied() override;
  RestorePlan Plan(const Manifest* manifest, RestoreRoom room) override;
  void PrepareRemoval(ArchiveReader& reader) override;
  void RemoveLive() override;
  void Load(ArchiveReader& reader) override;
  void Verify(const ComponentManifest* expected) override;
  void WriteIntent(const SwapIntent& intent) override;
  void Swap() override;
  void CloseSwap(bool keep_old) override;
  void Abandon() override;
  int64_t swap_ms() const override { return swap_ms_; }

 private:
  std::vector<TreeWork>& Works();
  void Extract(const MemberInfo& info, ByteSource& content);
  void VerifyTree(TreeWork& work, const ObjectEntry* expected);
  std::vector<TreeSwap*> Swaps();
  void WarnOfRefusals(const TreeWork& work);
  void AwaitReaders();
  void CheckMayUndo(const TreeGroup& group);

  const std::string component_;
  const std::string member_prefix_;
  const std::vector<Tree> trees_;
  const TreeRestoreOptions options_;
  const RunContext run_;
  std::vector<TreeWork> works_;
  int64_t swap_ms_ = 0;
};

// Made at the first call that needs them: finding a tree's place looks at the disk.
std::vector<TreeWork>& TreeTarget::Works() {
  if (!works_.empty()) return works_;
  CheckTreeNames(trees_);
  for (const Tree& tree : trees_) {
    works_.emplace_back(tree, member_prefix_, options_.before_step, run_.warnings);
  }
  return works_;
}

std::vector<TreeSwap*> TreeTarget::Swaps() {
  std::vector<TreeSwap*> swaps;
  for (TreeWork& work : Works()) swaps.push_back(&work.swap);
  return swaps;
}

// An undo of kept data has begun, and counts as open, as soon as one record says so.
OpenSwap Describe(const TreeGroup& open) {
  return OpenSwap{
      open.intent,
      fmt::format("{} of {} swapped", open.Count(SwapState::kSwapped),
                  FormatCounted(open.CountOpen(), "folder", "folders")),
      open.Count(SwapState::kUndoing) > 0 ? OpenSwap::Stage::kUndoing : OpenSwap::Stage::kSwapping};
}

std::optional<OpenSwap> TreeTarget::PeekOpenSwap() {
  const std::optional<TreeGroup> open = FindOpenGroup(component_, Swaps());
  if (!open || open->IsWithdrawn()) return std::nullopt;
  return Describe(*open);
}

std::optional<OpenSwap> TreeTarget::FindOpenSwap() {
  const std::optional<TreeGroup> open = FindOpenGroup(component_, Swaps());
  if (!open) return std::nullopt;
  CheckAllConfigured(component_, *open, Swaps());
  LockToFinish(*open);
  if (open->IsWithdrawn()) {
    for (const auto& [place, member] : open->members) member.swap->Close(false);
    works_.clear();
    return std::nullopt;
  }
  return Describe(*open);
}

std::optional<SwapIntent> TreeTarget::FindKeptSwap() {
  const std::optional<TreeGroup> group = FindGroupToUndo(component_, Swaps(), "");
  if (!group || group->CountOpen() > 0) return std::nullopt;
  return group->intent;
}

void TreeTarget::CompleteSwap() {
  const std::optional<TreeGroup> open = FindOpenGroup(component_, Swaps());
  if (!open) return;
  for (const auto& [place, member] : open->members) member.swap->HoldOffReaders();
  for (const auto& [place, member] : open->members) member.swap->Forward();
}

void TreeTarget::CheckMayUndo(const TreeGroup& group) {
  CheckAllConfigured(component_, group, Swaps());
  CheckUndoable(component_, group);
  for (const auto& [place, member] : group.members) {
    // Refused while nothing has been done; an open swap has to be mended all the same.
    if (member.state == SwapState::kKept) CheckSwapPlace(member.swap->place());
    member.swap->HoldOffReaders();
  }
}

void TreeTarget::PrepareUndo(const SwapIntent& intent, bool begun) {
  const std::optional<TreeGroup> group = FindGroupToUndo(component_, Swaps(), intent.run_id);
  if (!group) return;
  for (const auto& [place, member] : group->members) member.swap->Lock();
  if (begun || group->CountOpen() == 0) CheckMayUndo(*group);
  const SwapState state = begun ? SwapState::kUndoing : SwapState::kKept;
  for (const auto& [place, member] : group->members) {
    if (member.state != state || group->intent != intent) member.swap->Rewrite(intent, state);
  }
}

void TreeTarget::DropKept() {
  for (TreeWork& work : Works()) {
    const std::optional<SwapRecord> record = work.swap.Record();
    if (!record || record->state != SwapState::kKept) continue;
    work.swap.Lock();
    work.swap.Close(false);
    work.swap.Forget();
  }
}

void TreeTarget::UndoSwap(const std::string& run_id) {
  const std::optional<TreeGroup> group = FindGroupToUndo(component_, Swaps(), run_id);
  if (!group) {
    if (!run_id.empty()) return;
    throw Error(ErrorKind::kNotFound,
                fmt::format("{}: no replaced files are kept to go back to", component_))
        .Hint("restore with --keep-old to be able to go back");
  }
  CheckMayUndo(*group);
  for (const auto& [place, member] : group->members) member.swap->BeginBackward();
  for (const auto& [place, member] : group->members) member.swap->Backward();
  for (auto member = group->members.rbegin(); member != group->members.rend(); ++member) {
    member->second.swap->Close(false);
    member->second.swap->Forget();
  }
}

std::optional<AppliedArchive> TreeTarget::Applied() {
  if (PeekOpenSwap()) return std::nullopt;
  std::vector<NamedAppliedTree> trees;
  for (TreeWork& work : Works()) {
    trees.push_back({work.tree.name, ReadAppliedFile(work.swap.place().target)});
  }
  return AppliedByAll(trees);
}

RestorePlan TreeTarget::Plan(const Manifest* manifest, RestoreRoom room) {
  const ComponentManifest* const described =
      manifest == nullptr ? nullptr : manifest->Find(component_);
  std::vector<PlannedTree> planned;
  for (TreeWork& work : Works()) {
    const SwapPlace place = work.swap.NewPlace();
    CheckSwapPlace(place);
    const ObjectEntry* const object = FindObject(described, work.tree.name);
    if (described == nullptr || object != nullptr) planned.push_back({place, object});
  }
  RestorePlan plan = PlanTrees(planned, room, run_);
  if (described == nullptr) return plan;
  for (const ObjectEntry& object : described->objects) {
    const bool known = std::any_of(trees_.begin(), trees_.end(),
                                   [&](const Tree& tree) { return tree.name == object.name; });
    if (known) continue;
    run_.warnings.Add(fmt::format("{}: the archive's folder '{}' has no place here and is left out",
                                  component_, object.name));
  }
  return plan;
}

void TreeTarget::PrepareRemoval(ArchiveReader& reader) {
  for (TreeWork& work : Works()) {
    (void)work.swap.BeginNew();
    work.in_archive = false;
  }
  ForEachPath(reader, run_, [this](const std::string& path) {
    for (TreeWork& work : works_) {
      work.in_archive = work.in_archive || PathInTree(work.member_path, path).has_value();
    }
  });
  AwaitReaders();
}

void TreeTarget::RemoveLive() {
  run_.progress.Begin(component_, "remove", 0);
  for (const TreeWork& work : works_) {
    if (work.in_archive) work.swap.RemoveLive();
  }
}

void TreeTarget::Load(ArchiveReader& reader) {
  const bool foreign = reader.manifest() == nullptr;
  const ComponentManifest* const described =
      foreign ? nullptr : reader.manifest()->Find(component_);
  run_.progress.Begin(component_, "load", described == nullptr ? 0 : described->RawBytes());
  for (TreeWork& work : Works()) {
    work.fresh = work.swap.BeginNew();
    TreeExtractor::Options options;
    options.base = work.swap.place().base;
    options.foreign = foreign;
    options.now = run_.clock.Now();
    work.extractor = std::make_unique<TreeExtractor>(work.fresh.get(), std::move(options));
  }
  reader.Read(
      [this](const std::string& path) {
        return std::any_of(works_.begin(), works_.end(), [&](const TreeWork& work) {
          return PathInTree(work.member_path, path).has_value();
        });
      },
      [this](const MemberInfo& info, ByteSource& content) { Extract(info, content); },
      options_.threads, run_);
  bool any = false;
  for (TreeWork& work : works_) {
    work.in_archive = !work.extractor->empty();
    if (!work.in_archive) continue;
    any = true;
    work.loaded = work.extractor->Finish();
    WarnOfRefusals(work);
    if (::syncfs(work.fresh.get()) != 0) {
      throw SystemError(ErrorKind::kSource,
                        fmt::format("cannot sync {}", work.swap.place().work.string()), errno)
          .Hint("check the disk");
    }
  }
  if (!any) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("{} holds no files of {}", reader.Name(), component_))
        .Hint(fmt::format("leave it out: --exclude {}", component_));
  }
  for (TreeWork& work : works_) {
    if (work.in_archive) continue;
    run_.warnings.Add(fmt::format("{}: the archive has nothing for {}, which stays as it is",
                                  component_, work.tree.path.string()));
    work.swap.DiscardNew();
  }
  run_.progress.Done(component_);
}

void TreeTarget::Extract(const MemberInfo& info, ByteSource& content) {
  for (TreeWork& work : works_) {
    const std::optional<std::string_view> path = PathInTree(work.member_path, info.path);
    if (!path) continue;
    MemberInfo local = info;
    if (info.type == MemberType::kHardlink) {
      const auto target = PathInTree(work.member_path, info.link_target);
      if (!target) {
        throw Error(ErrorKind::kCorrupt,
                    fmt::format("the archive's member {} is a hard link out of its tree, to {}",
                                info.path, info.link_target))
            .Hint("do not trust this archive, use another one");
      }
      local.link_target = std::string(*target);
    }
    FolderCursor cursor(work.fresh.get());
    work.extractor->Add(*path, std::move(local), content, cursor);
    run_.progress.Add(component_, info.size, 1, *path);
    return;
  }
}

void TreeTarget::WarnOfRefusals(const TreeWork& work) {
  for (const auto& [what, path] : work.extractor->refused()) {
    run_.warnings.Add(fmt::format(
        "{}: {} of files in {} cannot be restored by this user or on this file system (first: {})",
        component_, what, work.tree.path.string(), path.empty() ? "." : path));
  }
}

void TreeTarget::Verify(const ComponentManifest* expected) {
  run_.progress.Begin(component_, "verify", expected == nullptr ? 0 : expected->RawBytes());
  for (TreeWork& work : works_) {
    const ObjectEntry* const object = FindObject(expected, work.tree.name);
    if (work.in_archive) {
      VerifyTree(work, object);
    } else if (object != nullptr) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{}: the manifest lists {}, but the archive has nothing of it",
                              component_, work.member_path));
    }
  }
  AwaitReaders();
  run_.progress.Done(component_);
}

// From here on until the swap is closed nobody reads what it exchanges: a backup would get old and
// new files side by side. One that has begun is let end before the databases are swapped, too.
void TreeTarget::AwaitReaders() {
  constexpr std::chrono::milliseconds kBetweenLooks(200);
  for (TreeWork& work : works_) {
    if (!work.in_archive || work.swap.TryHoldOffReaders()) continue;
    const std::string path = work.tree.path.string();
    run_.log.Info("{}: waiting for the backup or comparison that reads {}", component_, path);
    run_.progress.Begin(component_, "wait", 0);
    run_.progress.Add(component_, 0, 0, "for the backup that reads " + path);
    while (!work.swap.TryHoldOffReaders()) {
      Pause(run_.stop, kBetweenLooks);
      run_.ThrowIfStopped();
    }
  }
}

void TreeTarget::VerifyTree(TreeWork& work, const ObjectEntry* expected) {
  const auto differs = [&](const std::string& what, const std::string& than) {
    return Error(ErrorKind::kCorrupt, fmt::format("{}: {} differs from {}", component_, what, than))
        .Hint("check the archive with verify");
  };
  if (expected != nullptr && work.loaded.full() != expected->digest) {
    throw differs(work.member_path + " in the archive", "what its manifest says");
  }
  const std::string where = work.swap.place().NewTree().string();
  const TreeDigest on_disk = ReadTreeDigest(TreeRoot(where), component_, options_.threads, run_);
  if (on_disk.full() == work.loaded.full()) return;
  // What the system refused is in the warnings; everything else has to be equal all the same.
  const bool excused = !work.extractor->refused().empty();
  if (!excused || on_disk.contents() != work.loaded.contents()) {
    throw differs(where, "the archive");
  }
}

void TreeTarget::WriteIntent(const SwapIntent& intent) {
  std::vector<RecordedTree> trees;
  AppliedTree applied{intent.Brings(), {}, {}, {}, {}};
  for (const TreeWork& work : works_) {
    applied.configured.push_back(work.tree.name);
    if (!work.in_archive) continue;
    trees.push_back({work.tree.name, work.swap.place().target.string()});
    applied.restored.push_back(work.tree.name);
  }
  for (const TreeWork& work : works_) {
    if (!work.in_archive) continue;
    applied.name = work.tree.name;
    WriteAppliedFile(work.fresh.get(), work.swap.place(), applied);
  }
  size_t own = 0;
  for (TreeWork& work : works_) {
    if (!work.in_archive) continue;
    work.swap.Announce(intent, trees, own++, work.extractor->root_info());
  }
}

void TreeTarget::Swap() {
  run_.progress.Begin(component_, "swap", 0);
  const auto start = std::chrono::steady_clock::now();
  for (TreeWork& work : Works()) work.swap.Forward();
  swap_ms_ = std::chrono::duration_cast<std::chrono::milliseconds>(
                 std::chrono::steady_clock::now() - start)
                 .count();
}

void TreeTarget::CloseSwap(bool keep_old) {
  // What a run that was killed while it closed its records has left.
  for (TreeWork& work : Works()) {
    if (!work.swap.Record()) work.swap.Close(false);
  }
  if (const std::optional<TreeGroup> open = FindOpenGroup(component_, Swaps())) {
    for (const auto& [place, member] : open->members) {
      if (member.state != SwapState::kKept) member.swap->Close(keep_old);
    }
  }
  for (TreeWork& work : Works()) work.swap.LetReadersIn();
  run_.progress.Done(component_);
}

void TreeTarget::Abandon() {
  for (auto work = works_.rbegin(); work != works_.rend(); ++work) work->swap.DiscardNew();
  works_.clear();
}

}  // namespace

std::unique_ptr<RestoreTarget> MakeTreeTarget(std::string component, std::string member_prefix,
                                              std::vector<Tree> trees, TreeRestoreOptions options,
                                              const RunContext& run) {
  return std::make_unique<TreeTarget>(std::move(component), std::move(member_prefix),
                                      std::move(trees), std::move(options), run);
}

}  // namespace oxbackup::files
