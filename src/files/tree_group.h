// What the records in several trees say together.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/component.h"
#include "files/swap_record.h"
#include "files/tree_swap.h"

namespace oxbackup::files {

/// The records of one run in a component's trees. Records are written, and closed, from the run's
/// first tree to its last, and removed after an undo from the last to the first. Which tree a
/// record is of stands in it: the path by which a run knows a folder may be another one next time.
struct TreeGroup {
  struct Member {
    TreeSwap* swap = nullptr;
    SwapState state = SwapState::kAnnounced;
    bool untouched = false;  ///< announced, and nothing of it has been moved
  };

  SwapIntent intent;
  std::vector<RecordedTree> trees;   ///< all that the run swapped
  std::map<size_t, Member> members;  ///< those with a record, by their place in `trees`

  bool HasFirst() const { return members.contains(0); }
  bool HasLast() const { return members.contains(trees.size() - 1); }
  size_t Count(SwapState state) const;
  /// Members whose swap has not ended.
  size_t CountOpen() const { return members.size() - Count(SwapState::kKept); }
  /// All is as before the swap, and only records are left: without the last tree's the swap was
  /// never wholly announced, or it has been undone.
  bool IsWithdrawn() const;
};

/// The run that has not ended its swap in these trees; nothing when there is none. The swaps must
/// outlive the group. Throws Error(kUsage) when there are two such runs, and when two trees have
/// the record of the same one (a copied folder).
[[nodiscard]] std::optional<TreeGroup> FindOpenGroup(const std::string& component,
                                                     const std::vector<TreeSwap*>& swaps);

/// The run of that identifier; when it is empty, the open one, else the newest whose old data are
/// kept: the trees' records may be of several runs, since an archive need not have all of them.
/// Else as FindOpenGroup.
[[nodiscard]] std::optional<TreeGroup> FindGroupToUndo(const std::string& component,
                                                       const std::vector<TreeSwap*>& swaps,
                                                       const std::string& run_id);

/// Throws Error(kUsage), naming it, when a tree of the group is not one of these: what is known of
/// the others does not tell what has become of it.
void CheckAllConfigured(const std::string& component, const TreeGroup& group,
                        const std::vector<TreeSwap*>& swaps);

/// Keeps other runs away from what is open of the run, which is to be finished or taken back.
/// Throws Error(kSource) when another one is at work there, and where a folder can only be read:
/// nothing of the run, in whatever component, is to be moved then.
void LockToFinish(const TreeGroup& open);

/// Throws Error(kNotFound) when part of the old data is gone, so that going back would leave a
/// mixture.
void CheckUndoable(const std::string& component, const TreeGroup& group);

}  // namespace oxbackup::files
