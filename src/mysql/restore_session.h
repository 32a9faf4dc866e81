// Sessions that write: how a restore sets them up, and the one place that tries again.
#pragma once

#include <string>
#include <string_view>

#include "base/log.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// Makes a session fit for loading: no foreign key or unique checks, no binary log unless `binlog`,
/// room for building indexes, and no rule of the server that the original tables did not obey.
/// False when the server keeps writing its binary log because the user may not turn that off.
bool PrepareForLoad(Session& session, bool binlog);

/// Runs a statement; tries again when the server broke it off because of another connection's lock
/// (deadlock, lock wait timeout). The statement must be a transaction of its own.
void ExecuteWithRetry(Session& session, std::string_view sql);

/// Brings back the settings that a script of views, triggers or routines may have changed.
void ResetScriptSettings(Session& session);

}  // namespace oxbackup::mysql
