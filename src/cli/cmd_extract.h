#pragma once

#include "cli/command.h"

namespace oxbackup {

CommandOutcome RunExtract(const SettingValues& settings, CommandServices& services);

}  // namespace oxbackup
