// What a restore of trees would replace, and whether there is room for it.
#pragma once

#include <vector>

#include "archive/component.h"
#include "archive/manifest.h"
#include "base/run_context.h"
#include "files/swap_place.h"

namespace oxbackup::files {

/// A tree that is going to be restored.
struct PlannedTree {
  SwapPlace place;
  const ObjectEntry* object = nullptr;  ///< in the archive; nullptr when that does not tell
};

/// What is at each place now, what comes in its stead and the bytes that takes. Throws
/// Error(kSource) when a file system has less room than one of its trees needs, and, in place, for
/// a folder that this user may not empty.
RestorePlan PlanTrees(const std::vector<PlannedTree>& trees, RestoreRoom room,
                      const RunContext& run);

}  // namespace oxbackup::files
