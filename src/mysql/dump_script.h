// What a restore makes of the statements of a mysqldump script.
#pragma once

#include <functional>
#include <string_view>

#include "mysql/statement.h"
#include "stream/byte_stream.h"

namespace oxbackup::mysql {

/// Calls `take` with each statement of a script, as ScriptSplitter::Next gives it; what the script
/// says about `\` in strings holds for those behind. An Error that leaves `take` tells at which
/// line of the dump its statement begins. Throws Error(kCorrupt) as ScriptSplitter does.
void ForEachStatement(ByteSource& script, const std::function<void(std::string_view text)>& take);

/// Whether a statement says nothing to a restore: it is about the server, its accounts or the
/// script itself.
bool IsPassedOver(const Statement& statement);

/// Throws Error(kUsage) for a statement that a restore cannot place: of no known kind, or not in a
/// database that the script has created. REQUIRES: it is not passed over, its database is wanted.
void RefuseUnplaceable(const Statement& statement, std::string_view text, bool known_database);

/// Throws Error(kUsage) for the second CREATE TABLE of one table.
[[noreturn]] void RefuseSecondTable(const Statement& statement);

}  // namespace oxbackup::mysql
