#include "files/tree_target.h"

#include <fmt/format.h>

#include <chrono>

#include "base/error.h"
#include "base/text.h"
#include "files/applied_file.h"

namespace oxbackup::files {
namespace {

// An undo of kept data has begun, and counts as open, as soon as one record says so.
OpenSwap Describe(const TreeGroup& open) {
  return OpenSwap{
      open.intent,
      fmt::format("{} of {} swapped", open.Count(SwapState::kSwapped),
                  FormatCounted(open.CountOpen(), "folder", "folders")),
      open.Count(SwapState::kUndoing) > 0 ? OpenSwap::Stage::kUndoing : OpenSwap::Stage::kSwapping};
}

}  // namespace

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
    if (member.state == SwapState::kKept) {
      member.swap->Lock();
      CheckSwapPlace(member.swap->place());
    }
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

std::optional<AppliedArchive> TreeTarget::Awaited() {
  for (TreeWork& work : Works()) {
    std::optional<AppliedArchive> awaited = ReadRemovalFile(work.swap.place().target);
    if (awaited) return awaited;
  }
  return std::nullopt;
}

void TreeTarget::ForgetAwaited() {
  for (TreeWork& work : Works()) {
    if (ReadRemovalFile(work.swap.place().target)) RemoveAppliedFile(work.swap.place());
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

std::unique_ptr<RestoreTarget> MakeTreeTarget(std::string component, std::string member_prefix,
                                              std::vector<Tree> trees, TreeRestoreOptions options,
                                              const RunContext& run) {
  return std::make_unique<TreeTarget>(std::move(component), std::move(member_prefix),
                                      std::move(trees), std::move(options), run);
}

}  // namespace oxbackup::files
