// Users and roles with their passwords, as the server stores them.
#pragma once

#include <string>
#include <vector>

#include "archive/archive_writer.h"
#include "archive/manifest.h"
#include "base/run_context.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Copies admin.system.users and admin.system.roles into data/mongodb_dump/admin/ (mongodump's
/// layout) where there are any, with admin.system.version, and describes them for the manifest
/// (kinds "users", "roles" and "auth version").
/// Reading them needs the role backup. Where they cannot be read but there are users beside the one
/// that is connected, a warning says how many are missing.
std::vector<ObjectEntry> DumpUsers(Session& session, ArchiveWriter& writer, const RunContext& run);

/// Whether an object of a manifest is one of those: they belong to the server, not to the site.
bool IsOfAccounts(const ObjectEntry& object);

}  // namespace oxbackup::mongodb
