#include "files/tree_group.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace oxbackup::files {
namespace {

// The records in these trees by run, the earliest run first.
std::vector<TreeGroup> FindTreeGroups(const std::string& component,
                                      const std::vector<TreeSwap*>& swaps) {
  std::vector<TreeGroup> groups;
  for (TreeSwap* const swap : swaps) {
    const std::optional<SwapRecord> record = swap->Record();
    if (!record) continue;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const TreeGroup& candidate) {
      return candidate.intent.run_id == record->intent.run_id;
    });
    if (group == groups.end()) {
      group = groups.insert(groups.end(), TreeGroup{record->intent, record->trees, {}});
    }
    const TreeGroup::Member member{swap, record->state, swap->IsUntouched(*record)};
    const auto [there, added] = group->members.try_emplace(record->own, member);
    if (added) continue;
    throw Error(
        ErrorKind::kUsage,
        fmt::format("{}: {} and {} have the record of the same folder", component,
                    there->second.swap->place().target.string(), swap->place().target.string()))
        .Hint(fmt::format("one is a copy of the other: remove the copy's {}",
                          swap->place().work.filename().string()));
  }
  std::stable_sort(groups.begin(), groups.end(), [](const TreeGroup& a, const TreeGroup& b) {
    return a.intent.started < b.intent.started;
  });
  return groups;
}

}  // namespace

size_t TreeGroup::Count(SwapState state) const {
  return static_cast<size_t>(std::count_if(members.begin(), members.end(), [&](const auto& member) {
    return member.second.state == state;
  }));
}

bool TreeGroup::IsWithdrawn() const {
  return !HasLast() && std::all_of(members.begin(), members.end(), [](const auto& member) {
    return member.second.state == SwapState::kUndoing || member.second.untouched;
  });
}

std::optional<TreeGroup> FindOpenGroup(const std::string& component,
                                       const std::vector<TreeSwap*>& swaps) {
  std::optional<TreeGroup> open;
  for (TreeGroup& group : FindTreeGroups(component, swaps)) {
    if (group.CountOpen() == 0) continue;
    if (open) {
      throw Error(
          ErrorKind::kUsage,
          fmt::format("{}: the restores of {} (started {}) and of {} (started {}) were both "
                      "interrupted",
                      component, open->intent.archive, open->intent.started, group.intent.archive,
                      group.intent.started))
          .Hint("run this with the settings of one of them, then with those of the other");
    }
    open = std::move(group);
  }
  return open;
}

std::optional<TreeGroup> FindGroupToUndo(const std::string& component,
                                         const std::vector<TreeSwap*>& swaps,
                                         const std::string& run_id) {
  if (run_id.empty()) {
    if (std::optional<TreeGroup> open = FindOpenGroup(component, swaps)) return open;
  }
  std::vector<TreeGroup> groups = FindTreeGroups(component, swaps);
  const auto group = std::find_if(groups.rbegin(), groups.rend(), [&](const TreeGroup& candidate) {
    return run_id.empty() || candidate.intent.run_id == run_id;
  });
  return group == groups.rend() ? std::nullopt : std::optional(std::move(*group));
}

void CheckAllConfigured(const std::string& component, const TreeGroup& group,
                        const std::vector<TreeSwap*>& swaps) {
  for (size_t at = 0; at < group.trees.size(); ++at) {
    const RecordedTree& tree = group.trees[at];
    const bool configured =
        group.members.contains(at) || std::any_of(swaps.begin(), swaps.end(), [&](TreeSwap* swap) {
          return swap->place().target.string() == tree.path;
        });
    if (configured) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: the restore of {} (started {}) that has to be finished or undone "
                            "had {}{}, which is not configured here",
                            component, group.intent.archive, group.intent.started,
                            tree.name.empty() ? "" : tree.name + "=", tree.path))
        .Hint("run this with the settings of that restore");
  }
}

void LockToFinish(const TreeGroup& open) {
  for (const auto& [at, member] : open.members) {
    if (member.state == SwapState::kKept) continue;
    member.swap->Lock();
    const std::filesystem::path& live = member.swap->place().live;
    // Not access(): to a process that may write by a capability alone it tells of the permissions.
    struct statvfs mounted {};
    if (::statvfs(live.c_str(), &mounted) != 0 || (mounted.f_flag & ST_RDONLY) == 0) continue;
    throw Error(ErrorKind::kSource,
                fmt::format("the restore of {} (started {}) was interrupted, and cannot be "
                            "finished here",
                            open.intent.archive, open.intent.started))
        .Cause(fmt::format("{} can only be read here (it is mounted read-only)", live.string()))
        .Hint(
            "openedx-backup restore finishes it, or takes it back, before it asks anything; "
            "answer no if that is all");
  }
}

void CheckUndoable(const std::string& component, const TreeGroup& group) {
  const bool all_kept = group.CountOpen() == 0;
  if (all_kept && group.members.size() < group.trees.size()) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("{}: part of what the restore of {} (started {}) replaced is no longer "
                            "kept, since a later restore has taken its place",
                            component, group.intent.archive, group.intent.started))
        .Hint("restore an older archive, if that is what you want");
  }
  if (group.Count(SwapState::kSwapped) > 0 && !group.HasFirst()) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("{}: the restore was all but finished, and part of the replaced files "
                            "is removed already",
                            component))
        .Hint("run a restore or a backup: it finishes this one first");
  }
}

}  // namespace oxbackup::files
