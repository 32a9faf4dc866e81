// What an account can see of the databases that it is to copy.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// Throws Error(kUsage) naming the first of `databases` that does not exist (or may not be seen).
void CheckDatabases(Session& session, const std::vector<std::string>& databases);

/// A server hides what an account has no right to, so that a copy would lack it without a word.
/// Adds a warning for each right of SELECT, SHOW VIEW, TRIGGER and EVENT that the account has
/// neither for the whole server nor for one of the databases as a whole, and one for routines.
void WarnOfInvisible(Session& session, const std::vector<std::string>& databases,
                     Warnings& warnings);

/// True when one of `grants` (lines of SHOW GRANTS) gives `right` on all of `database`.
bool GrantsCover(const std::vector<std::string>& grants, std::string_view right,
                 std::string_view database);

/// True when they let the account see on `server` that the routines of `database` exist.
bool SeesRoutines(const std::vector<std::string>& grants, std::string_view database,
                  const ServerInfo& server);

}  // namespace oxbackup::mysql
