// Sessions that write: how a restore sets them up, and the one place that tries again.
#pragma once

#include <optional>
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

/// The same; what the server still refuses is returned.
[[nodiscard]] std::optional<ServerError> TryWithRetry(Session& session, std::string_view sql);

/// For as long as it lives, the session waits in short turns for locks that the site holds: while a
/// statement waits for a table, everybody else's statements on it wait behind, and between the
/// turns they get through. With the tries of TryWithRetry about half a minute in all.
class ShortLockWaits {
 public:
  explicit ShortLockWaits(Session& session);
  ~ShortLockWaits();
  ShortLockWaits(const ShortLockWaits&) = delete;
  ShortLockWaits& operator=(const ShortLockWaits&) = delete;

 private:
  Session& session_;
};

/// Brings back the settings that a script of views, triggers or routines may have changed.
void ResetScriptSettings(Session& session);

}  // namespace oxbackup::mysql
