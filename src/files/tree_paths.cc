#include "files/tree_paths.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"

namespace oxbackup::files {

std::string TreeMemberPath(const std::string& member_prefix, const Tree& tree) {
  return tree.name.empty() ? member_prefix : fmt::format("{}/{}", member_prefix, tree.name);
}

std::optional<std::string_view> PathInTree(std::string_view tree_member_path,
                                           std::string_view member_path) {
  // Some tar programs write folders with a '/' behind.
  while (member_path.ends_with('/')) member_path.remove_suffix(1);
  if (!member_path.starts_with(tree_member_path)) return std::nullopt;
  member_path.remove_prefix(tree_member_path.size());
  if (member_path.empty()) return member_path;
  if (member_path.front() != '/') return std::nullopt;
  return member_path.substr(1);
}

void CheckTreeNames(const std::vector<Tree>& trees) {
  std::set<std::string> names;
  for (const Tree& tree : trees) {
    const bool plain = (!tree.name.empty() || trees.size() == 1) && tree.name != "." &&
                       tree.name != ".." && tree.name.find('/') == std::string::npos;
    if (plain && names.insert(tree.name).second) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("'{}' cannot be the name of a folder in an archive", tree.name))
        .Hint("give each media folder a name of its own without '/'");
  }
}

}  // namespace oxbackup::files
