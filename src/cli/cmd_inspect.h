#pragma once

#include "cli/command.h"

namespace oxbackup {

CommandOutcome RunInspect(const SettingValues& settings, CommandServices& services);

}  // namespace oxbackup
