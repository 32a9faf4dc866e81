// From settings to the site that a run works on.
#pragma once

#include "base/log.h"
#include "cli/setting_values.h"
#include "engine/site.h"

namespace oxbackup {

/// A component without settings is not part of the site; the log says so. Throws Error(kUsage) for
/// impossible settings. `command`: some settings belong to some commands alone.
Site SiteOf(const SettingValues& settings, CommandBit command, int threads, Log& log);

/// --only and --exclude. Throws Error(kUsage) for names that are no component.
ComponentSelection SelectionOf(const SettingValues& settings);

}  // namespace oxbackup
