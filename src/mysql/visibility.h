// What an account can see of the databases that it is to copy.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// Throws Error(kUsage) naming the first of `databases` that does not exist (or may not be seen).
void CheckDatabases(Session& session, const std::vector<std::string>& databases);

/// What a server may hide from an account that lacks a right.
struct Invisible {
  std::string database;
  std::string kind;   ///< "tables", "views" (their texts), "triggers", "events", "routines"
  std::string right;  ///< that would show all of them: "TRIGGER"
};

/// One for each right of SELECT, SHOW VIEW, TRIGGER and EVENT that the account has neither for the
/// whole server nor for one of the databases as a whole, and one for routines. None when the server
/// does not tell the account's rights.
std::vector<Invisible> FindInvisible(Session& session, const std::vector<std::string>& databases);

/// Adds a warning for each of them: a copy would lack them without a word.
void WarnOfInvisible(const std::vector<Invisible>& invisible, const std::string& where,
                     Warnings& warnings);

/// True when one of `grants` (lines of SHOW GRANTS) gives `right` on all of `database`.
bool GrantsCover(const std::vector<std::string>& grants, std::string_view right,
                 std::string_view database);

/// True when they let the account see on `server` that the routines of `database` exist.
bool SeesRoutines(const std::vector<std::string>& grants, std::string_view database,
                  const ServerInfo& server);

}  // namespace oxbackup::mysql
