#include "engine/stored_sizes.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "archive/archive_layout.h"
#include "engine/site.h"
#include "files/tree_paths.h"
#include "mongodb/dump_path.h"
#include "mysql/member_path.h"

namespace oxbackup {
namespace {

// Finds the object that a member belongs to.
class ObjectFinder {
 public:
  explicit ObjectFinder(const Manifest& manifest) : manifest_(manifest) {
    for (const ComponentManifest& component : manifest.components) {
      for (const ObjectEntry& object : component.objects) {
        // A routine or an event may have the name of a table, and has no member of its own.
        if (!HoldsData(object) && object.kind != "view" && object.kind != "sequence") continue;
        names_.emplace(std::pair(component.name, std::pair(object.database, object.name)), &object);
      }
    }
  }

  const ObjectEntry* Find(const std::string& component, const std::string& path) const {
    if (component == "mysql") {
      const auto member = mysql::ParseMemberPath(path);
      return member ? Named(component, member->database, member->name) : nullptr;
    }
    if (component == "mongodb") {
      const auto member = mongodb::ParseDumpPath(path);
      return member ? Named(component, member->database, member->collection) : nullptr;
    }
    const ComponentManifest* const trees = manifest_.Find(component);
    if (trees == nullptr) return nullptr;
    for (const ObjectEntry& tree : trees->objects) {
      const std::string root = files::TreeMemberPath(MemberPrefix(component), {tree.name, {}});
      if (files::PathInTree(root, path)) return &tree;
    }
    return nullptr;
  }

 private:
  const ObjectEntry* Named(const std::string& component, const std::string& database,
                           const std::string& name) const {
    const auto found = names_.find(std::pair(component, std::pair(database, name)));
    return found == names_.end() ? nullptr : found->second;
  }

  const Manifest& manifest_;
  std::map<std::pair<std::string, std::pair<std::string, std::string>>, const ObjectEntry*> names_;
};

// The member's share of the blocks from its header to the next one's.
uint64_t ShareOf(const ArchiveLayout& layout, size_t member) {
  const std::vector<MemberEntry>& members = layout.manifest().members;
  const uint64_t begin = layout.header_begin(member);
  const uint64_t end = member + 1 < members.size() ? layout.header_begin(member + 1)
                                                   : layout.raw_begin(layout.block_count());
  uint64_t share = 0;
  for (size_t block = layout.BlockAt(begin);
       block < layout.block_count() && layout.raw_begin(block) < end; ++block) {
    const uint64_t first = std::max(begin, layout.raw_begin(block));
    const uint64_t last = std::min(end, layout.raw_begin(block + 1));
    const BlockEntry& entry = layout.manifest().blocks[block];
    // Both are at most some 16 MiB: no overflow.
    share += entry.stored_size * (last - first) / entry.raw_size;
  }
  return share;
}

}  // namespace

StoredSizes StoredSizesOf(const Manifest& manifest) {
  StoredSizes sizes;
  const ArchiveLayout layout(manifest, 0);
  const ObjectFinder finder(manifest);
  for (size_t member = 0; member < manifest.members.size(); ++member) {
    const std::string& path = manifest.members[member].path;
    const std::string component = ComponentOfMember(path);
    if (component.empty()) continue;
    const uint64_t share = ShareOf(layout, member);
    sizes.components[component] += share;
    if (const ObjectEntry* const object = finder.Find(component, path)) {
      sizes.objects[object] += share;
    }
  }
  return sizes;
}

}  // namespace oxbackup
