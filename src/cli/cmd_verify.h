#pragma once

#include "cli/command.h"

namespace oxbackup {

CommandOutcome RunVerify(const SettingValues& settings, CommandServices& services);

}  // namespace oxbackup
