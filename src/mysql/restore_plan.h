// What a restore would do, and what speaks against it, before anything is changed.
#pragma once

#include "archive/component.h"
#include "base/run_context.h"
#include "mysql/restore_options.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// Looks at the server and the archive's manifest (nullptr for a foreign archive). Differences that
/// may matter become warnings. Throws Error(kSource) when the server is read-only, the user lacks
/// rights (named), a database of another owner is in the way or a table that stays refers to one
/// that would go, and Error(kUsage) when the server cannot take what the archive has
/// (mysql/archive_fit.h).
RestorePlan MakePlan(Session& session, const RestoreOptions& options, const Manifest* manifest,
                     RestoreRoom room, const RunContext& run);

/// Throws when one of the databases is READ ONLY (ALTER DATABASE, MySQL 8.0.22 and later): nothing
/// in it can be moved, dropped or made.
void RefuseReadOnlyDatabases(Session& session, const std::vector<std::string>& databases);

/// Throws when a table outside `databases` has a foreign key into one of them: after the swap it
/// would hang on the old data.
void RefuseForeignKeysInto(Session& session, const std::vector<std::string>& databases);

}  // namespace oxbackup::mysql
