#pragma once

#include "cli/command.h"

namespace oxbackup {

CommandOutcome RunBackup(const SettingValues& settings, CommandServices& services);

}  // namespace oxbackup
