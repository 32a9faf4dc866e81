#include "archive/manifest.h"

#include <algorithm>

namespace oxbackup {

const ComponentManifest* Manifest::Find(std::string_view component) const {
  const auto found =
      std::find_if(components.begin(), components.end(),
                   [&](const ComponentManifest& candidate) { return candidate.name == component; });
  return found == components.end() ? nullptr : &*found;
}

}  // namespace oxbackup
