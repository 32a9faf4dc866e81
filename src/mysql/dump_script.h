// What a restore makes of the statements of a mysqldump script.
#pragma once

#include <string_view>

#include "mysql/statement.h"

namespace oxbackup::mysql {

/// Whether `\` escapes in strings after a statement of the script, which may set the sql_mode: to a
/// text, or back to one that was saved before any object changed it. `before`: whether it did until
/// then.
bool EscapesAfter(std::string_view text, bool before);

/// Whether a statement says nothing to a restore: it is about the server, its accounts or the
/// script itself.
bool IsPassedOver(const Statement& statement);

/// Throws Error(kUsage) for a statement that a restore cannot place: of no known kind, or not in a
/// database that the script has created. REQUIRES: it is not passed over, its database is wanted.
void RefuseUnplaceable(const Statement& statement, std::string_view text, bool known_database);

}  // namespace oxbackup::mysql
