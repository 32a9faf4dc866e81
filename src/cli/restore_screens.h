// What restore says before it asks, and at its end.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "archive/component.h"
#include "archive/manifest.h"
#include "base/clock.h"
#include "cli/terminal.h"

namespace oxbackup {

using RestorePlans = std::vector<std::pair<std::string, RestorePlan>>;

/// Which archive it is, what it replaces and what that needs. `manifest`: nullptr for a foreign
/// archive.
std::string RenderPreview(const std::string& archive, const Manifest* manifest,
                          const RestorePlans& plans, TimePoint now, const TerminalStyle& style);

/// How the sentence after a restore goes on: what is left to do.
std::string RenderAfterRestore(bool kept_old, const TerminalStyle& style);

}  // namespace oxbackup
