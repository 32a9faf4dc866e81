// Users and roles of an archive, back with their passwords.
#pragma once

#include <string>

#include "base/run_context.h"
#include "mongodb/load.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Merges the archive's users and roles into the server's by _mergeAuthzCollections, from temporary
/// collections in admin (what mongorestore does; the role `restore` may). Of two of the same name
/// the archive's counts. Those that only the server has stay, and the account that the session
/// itself uses keeps its password, and its roles their rights. What is refused, or is not there
/// afterwards, becomes a warning in `run`, not an error: the data are live by then. Where the
/// accounts that the server has cannot be read (it takes the role `backup`), those of the same
/// names stay, which is a warning too.
void RestoreAccounts(Session& session, const ArchivedAccounts& accounts, const RunContext& run);

}  // namespace oxbackup::mongodb
