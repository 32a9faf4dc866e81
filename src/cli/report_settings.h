// From settings to where a run is told of.
#pragma once

#include "cli/setting_values.h"
#include "report/run_reporter.h"

namespace oxbackup {

/// Where a run of `command` is told of. A dry run is told in its summary alone, and what is no run
/// of the kind that a metric is about (`verify --quick`, `restore --undo`) has no metrics. Empties
/// the summary's file. Throws Error(kUsage) for what could never work.
ReportOptions ReportOptionsOf(const SettingValues& settings, const Command& command);

}  // namespace oxbackup
