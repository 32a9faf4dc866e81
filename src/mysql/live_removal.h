// Removing the live databases before a restore in place loads the archive's.
#pragma once

#include <string>
#include <vector>

#include "archive/archive_reader.h"
#include "base/run_context.h"
#include "mysql/object_scripts.h"
#include "mysql/session.h"
#include "mysql/shadow_site.h"

namespace oxbackup::mysql {

/// The databases that a restore of the archive replaces, sorted: those that it creates and `site`
/// wants. The script of a foreign archive is read from end to end. Throws Error(kCorrupt) when that
/// is cut off, Error(kUsage) for what a load would refuse in it.
std::vector<std::string> ReplacedDatabases(ArchiveReader& reader, const ShadowSite& site,
                                           const RunContext& run);

/// Drops them with all they hold. One that is not there is fine. Throws Error(kSource).
void DropLiveDatabases(Session& session, const std::vector<std::string>& databases,
                       const StepHook& on_step);

}  // namespace oxbackup::mysql
