#include "files/tree_member_digester.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "files/tree_paths.h"

namespace oxbackup::files {
namespace {

std::string HashContent(ByteSource& content) {
  std::array<char, size_t{64} << 10> buffer;
  Sha256 hash;
  while (const size_t size = content.Read(buffer.data(), buffer.size())) {
    hash.Update(std::string_view(buffer.data(), size));
  }
  return hash.FinishHex();
}

}  // namespace

TreeMemberDigester::TreeMemberDigester(const std::string& member_prefix,
                                       const ComponentManifest& expected)
    : expected_(expected) {
  for (const ObjectEntry& object : expected.objects) {
    member_paths_[object.name] = TreeMemberPath(member_prefix, Tree{object.name, {}});
    digests_[object.name];
  }
}

void TreeMemberDigester::Feed(const MemberInfo& info, ByteSource& content) {
  for (const auto& [name, member_path] : member_paths_) {
    const std::optional<std::string_view> path = PathInTree(member_path, info.path);
    if (!path) continue;
    const std::string sha256 = info.type == MemberType::kFile ? HashContent(content) : "";
    MemberInfo below = info;
    if (info.type == MemberType::kHardlink) {
      const auto target = PathInTree(member_path, info.link_target);
      if (!target) {
        throw Error(ErrorKind::kCorrupt,
                    fmt::format("{} is a hard link that leads out of its tree", info.path));
      }
      below.link_target = std::string(*target);
    }
    const std::lock_guard lock(mutex_);
    digests_[name].Add(*path, below, sha256);
    return;
  }
}

uint64_t TreeMemberDigester::Compare() const {
  const std::lock_guard lock(mutex_);
  for (const ObjectEntry& object : expected_.objects) {
    const TreeDigest& found = digests_.at(object.name);
    if (found.full() == object.digest && found.items() == object.items) continue;
    throw Error(ErrorKind::kCorrupt, fmt::format("the tree {} {} does not agree with the manifest",
                                                 expected_.name, object.name))
        .Cause(fmt::format("{} with digest {}, expected {} with {}",
                           FormatCounted(found.items(), "entry", "entries"), found.full(),
                           FormatCounted(object.items, "entry", "entries"), object.digest));
  }
  return expected_.objects.size();
}

}  // namespace oxbackup::files
