// Flags that would do nothing.
#pragma once

#include "cli/setting_values.h"

namespace oxbackup {

/// Throws Error(kUsage), saying why, for a flag of this run that has no effect beside the others,
/// or without one that is missing: somebody believes that it does something. Variables and the
/// settings file serve several commands, so nothing is said about what stands there. `restore
/// --dry-run` takes all that the restore itself would take.
void RefuseIdleFlags(const SettingValues& settings, CommandBit command);

}  // namespace oxbackup
