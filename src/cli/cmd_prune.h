#pragma once

#include "cli/command.h"

namespace oxbackup {

/// Removes the archives of a place that no rule keeps, after a question.
CommandOutcome RunPrune(const SettingValues& settings, CommandServices& services);

}  // namespace oxbackup
