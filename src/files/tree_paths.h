// Where a component's trees lie in an archive.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/tree.h"

namespace oxbackup::files {

/// "data/media" and a tree named "openedx-media" -> "data/media/openedx-media".
std::string TreeMemberPath(const std::string& member_prefix, const Tree& tree);

/// The path below the tree's root of a member in that tree ("" for the root itself); nothing for a
/// member outside of it.
[[nodiscard]] std::optional<std::string_view> PathInTree(std::string_view tree_member_path,
                                                         std::string_view member_path);

/// Throws Error(kUsage) when names are no plain file names or not distinct.
void CheckTreeNames(const std::vector<Tree>& trees);

}  // namespace oxbackup::files
