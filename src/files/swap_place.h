// Where the new tree is put together, so that renaming alone makes it the live one.
#pragma once

#include <filesystem>
#include <string>

namespace oxbackup::files {

/// A tree's working folder and the folder whose entries are exchanged.
struct SwapPlace {
  /// True: the working folder lies inside of the target, whose entries are exchanged one by one.
  /// False: it lies beside the target, which is exchanged itself.
  bool inside = false;
  std::filesystem::path target;  ///< the tree's root, links resolved
  std::filesystem::path live;    ///< holds what is exchanged: the target, or the folder above
  std::filesystem::path work;    ///< the working folder: record.json, new/, old/
  std::string base;              ///< the tree's name in new/ and old/; empty when inside

  /// Where the tree's root is while it is restored.
  std::filesystem::path NewTree() const { return work / "new" / base; }
};

/// The place for a restore that begins now: inside of a folder that exists, because containers that
/// have it mounted would keep the old one if it were renamed itself; beside a file, or beside what
/// is not there yet. Changes nothing. Throws Error(kUsage) when the folder above the target does
/// not exist.
SwapPlace NewSwapPlace(const std::filesystem::path& target);

/// The place beside the target, whatever it is. Else as NewSwapPlace.
SwapPlace BesidePlace(const std::filesystem::path& target);

/// The place that holds an earlier restore's record, else NewSwapPlace's. A folder that a restore
/// has brought to where nothing was has its record beside it.
SwapPlace FindSwapPlace(const std::filesystem::path& target);

/// Throws Error(kUsage) or Error(kSource), with what to do about it, when the tree cannot be
/// exchanged by renaming: it is a file that is mounted by itself, something is mounted inside of
/// it, or this user may not write there.
void CheckSwapPlace(const SwapPlace& place);

}  // namespace oxbackup::files
