#pragma once

#include "cli/command.h"

namespace oxbackup {

CommandOutcome RunRestore(const SettingValues& settings, CommandServices& services);

}  // namespace oxbackup
