#include "archive/manifest.h"

#include <algorithm>

namespace oxbackup {

bool HoldsData(const ObjectEntry& object) {
  return object.kind == "table" || object.kind == "collection" || object.kind == "timeseries" ||
         object.kind == "tree";
}

uint64_t ComponentManifest::RawBytes() const {
  uint64_t bytes = 0;
  for (const ObjectEntry& object : objects) bytes += object.raw_bytes;
  return bytes;
}

ListTotals Manifest::Totals() const {
  ListTotals totals{.members = members.size(), .blocks = blocks.size(), .raw_bytes = 0};
  for (const BlockEntry& block : blocks) totals.raw_bytes += block.raw_size;
  return totals;
}

const ComponentManifest* Manifest::Find(std::string_view component) const {
  const auto found =
      std::find_if(components.begin(), components.end(),
                   [&](const ComponentManifest& candidate) { return candidate.name == component; });
  return found == components.end() ? nullptr : &*found;
}

void Manifest::DropLists() {
  members = std::vector<MemberEntry>();
  blocks = std::vector<BlockEntry>();
}

}  // namespace oxbackup
