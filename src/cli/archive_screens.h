// What backup and inspect show.
#pragma once

#include <string>
#include <vector>

#include "base/progress.h"
#include "cli/component_summary.h"
#include "cli/terminal.h"
#include "engine/archive_list.h"
#include "engine/stored_sizes.h"

namespace oxbackup {

/// What an archive holds. `all_objects`: every table and collection instead of the biggest ones.
/// REQUIRES: the entry has a manifest with its lists; `stored` is of it.
std::string RenderInspect(const ArchiveEntry& entry, const StoredSizes& stored, bool all_objects,
                          const TerminalStyle& style);

/// Lines "  mysql  2 databases  412 tables …  digest 7f3a…c1", one a component; without its digest
/// only its name and items.
std::string RenderComponents(const std::vector<ComponentSummary>& components,
                             const TerminalStyle& style);
/// The same of all components.
std::string RenderComponents(const Manifest& manifest, const TerminalStyle& style);

/// How one moment was reached: a row for each component, the time between the databases' moments
/// and how long writers waited. `details`: the folders and the servers' positions too.
std::string RenderMoments(const Manifest& manifest, bool details, const TerminalStyle& style);

/// What is true after a backup that ended with an error, by what the board showed last: an archive
/// has its name before it is read back.
std::string AftermathOfBackup(const Progress::Snapshot& board);

}  // namespace oxbackup
