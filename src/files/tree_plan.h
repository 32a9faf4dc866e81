// What a restore of one tree would replace, and whether there is room for it.
#pragma once

#include "archive/component.h"
#include "archive/manifest.h"
#include "base/run_context.h"
#include "files/swap_place.h"

namespace oxbackup::files {

/// Adds to `plan` what is at `place` now, what comes in its stead and the bytes that takes.
/// `object`: the tree in the archive; nullptr when the archive does not tell. Throws Error(kSource)
/// when the file system has less room than that.
void PlanTree(const SwapPlace& place, const ObjectEntry* object, RestorePlan& plan,
              const RunContext& run);

}  // namespace oxbackup::files
