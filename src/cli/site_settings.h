// From settings to the site that a run works on.
#pragma once

#include <string>
#include <vector>

#include "cli/setting_values.h"
#include "engine/site.h"

namespace oxbackup {

/// A component without settings is not part of the site. Throws Error(kUsage) for impossible
/// settings. `command`: some settings belong to some commands alone.
Site SiteOf(const SettingValues& settings, CommandBit command, int threads);

/// --only and --exclude. Throws Error(kUsage) for names that are no component.
ComponentSelection SelectionOf(const SettingValues& settings);

/// The components that are not configured or not selected, in the order of ComponentNames().
std::vector<std::string> LeftOut(const Site& site, const ComponentSelection& selection);

/// "media (--media is not set), config (not selected)": components that take no part, and why, for
/// people. REQUIRES: each of `components` is not configured or not selected.
std::string WhyLeftOut(const std::vector<std::string>& components,
                       const ComponentSelection& selection);

}  // namespace oxbackup
