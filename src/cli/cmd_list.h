#pragma once

#include "cli/command.h"

namespace oxbackup {

CommandOutcome RunList(const SettingValues& settings, CommandServices& services);

}  // namespace oxbackup
