// What a restore has brought, in a small file of ours that is swapped in and back together with the
// tree's own entries, so that it always tells of the data that it lies with.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "archive/component.h"
#include "base/file_descriptor.h"
#include "files/swap_place.h"

namespace oxbackup::files {

/// What is known of one tree.
struct AppliedTree {
  AppliedArchive archive;
  std::string name;                     ///< the tree's own
  std::vector<std::string> restored;    ///< names of the trees that came in together
  std::vector<std::string> configured;  ///< and of all that the restore knew of
  std::vector<std::string> entries;     ///< what the tree's folder has of it; none for a file

  friend bool operator==(const AppliedTree&, const AppliedTree&) = default;
};

/// Writes it to the tree in `fresh`, the new/ of its place, from where the swap brings it in;
/// `entries` are added. It is for this user's eyes alone, lies in the tree's folder, or beside a
/// file, and no walk shows it. A folder's time and mode stay. Throws Error(kSource).
void WriteAppliedFile(int fresh, const SwapPlace& place, AppliedTree applied);
/// Puts in its place, durably, that the live tree is about to go, and for what. Where there is no
/// live tree nothing is written. Throws Error(kSource).
void WriteRemovalFile(const SwapPlace& place, const AppliedArchive& awaited);
/// Removes either, durably. Throws Error(kSource).
void RemoveAppliedFile(const SwapPlace& place);

/// That of a live tree (links resolved), if all that it tells of is there. Nothing where there is
/// none, where it is not of this user's or root's making and where this user may not read it.
/// Changes nothing.
[[nodiscard]] std::optional<AppliedTree> ReadAppliedFile(const std::filesystem::path& target);

/// The same of a tree that is gone or going.
[[nodiscard]] std::optional<AppliedArchive> ReadRemovalFile(const std::filesystem::path& target);

/// What trees of one component tell together, by the restore that was applied last: nothing when
/// that brought a tree which now has another's, and when other trees were configured then. `trees`
/// have their names with them.
struct NamedAppliedTree {
  std::string name;
  std::optional<AppliedTree> applied;
};
[[nodiscard]] std::optional<AppliedArchive> AppliedByAll(
    const std::vector<NamedAppliedTree>& trees);

}  // namespace oxbackup::files
