// A small site of every kind of object, archives of it, and what it looks like.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "archive/manifest.h"
#include "base/run_context_testing.h"
#include "mysql/restore_target.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// Fills a database that exists with tables (one large enough to get its indexes late), keys of all
/// kinds, views, triggers, routines and an event. `version` goes into rows and definitions, so that
/// two versions differ everywhere.
void FillSite(Session& session, const std::string& database, int version);

/// Everything of a database as text, by what it is: tables with definition and content digest,
/// views, triggers, routines, events, charset. Empty when the database does not exist.
std::map<std::string, std::string> Describe(Session& session, const std::string& database);

/// An archive of these databases.
std::string BackUp(const ConnectOptions& connect, const std::vector<std::string>& databases,
                   bool accounts, const RunContext& run);

/// Options for a restore of all that an archive has, without accounts.
RestoreOptions QuietOptions();

/// Plan, Load, Verify of an archive's bytes.
void PrepareRestore(RestoreTarget& target, const std::string& archive, const RunContext& run);
SwapIntent IntentOf(const std::string& run_id, bool keep_old);
/// PrepareRestore, WriteIntent, Swap, CloseSwap.
void RestoreAll(RestoreTarget& target, const std::string& archive, bool keep_old,
                const RunContext& run);

/// Removes what broken restores of other tests have left on the server: records and schemas.
void ForgetRestores(Session& session);

}  // namespace oxbackup::mysql
