#pragma once

#include <string>

#include "cli/command.h"

namespace oxbackup {

/// For `version` and --version.
std::string VersionText();

CommandOutcome RunVersion(const SettingValues& settings, CommandServices& services);

}  // namespace oxbackup
