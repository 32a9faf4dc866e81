// Where the new tree is put together, so that renaming alone makes it the live one.
#pragma once

#include <filesystem>
#include <string>

namespace oxbackup::files {

/// A tree's working folder and the folder whose entries are exchanged.
struct SwapPlace {
  /// True: the target is a mount point (or its parent cannot be written); the working folder lies
  /// inside of it and its entries are exchanged one by one. False: the working folder lies beside
  /// it.
  bool inside = false;
  std::filesystem::path target;  ///< the tree's root, links resolved
  std::filesystem::path live;    ///< holds what is exchanged: the target, or the folder above
  std::filesystem::path work;    ///< the working folder: record.json, new/, old/
  std::string base;              ///< the tree's name in new/ and old/; empty when inside

  /// Where the tree's root is while it is restored.
  std::filesystem::path NewTree() const { return work / "new" / base; }
};

/// Finds the place for a tree: the one that holds an earlier restore's record, else the one that
/// fits. Changes nothing. Throws Error(kUsage) when the folder above the target does not exist.
SwapPlace FindSwapPlace(const std::filesystem::path& target);

/// Throws Error(kUsage) or Error(kSource), with what to do about it, when the tree cannot be
/// exchanged by renaming: it is a file that is mounted by itself, something is mounted inside of
/// it, or this user may not write there.
void CheckSwapPlace(const SwapPlace& place);

}  // namespace oxbackup::files
