// What list shows.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"
#include "engine/archive_list.h"

namespace oxbackup {

/// "3 h", "12 d": how long ago, in the largest unit that fits.
std::string FormatAge(TimePoint then, TimePoint now);

/// "2026-11-22 20:48 CET".
std::string ShortTime(TimePoint time);

/// "complete", "DAMAGED"…
std::string StateText(const ArchiveEntry& entry);

/// The archives of a place, newest first, with a note when the newest complete one is older than a
/// day or there is none.
std::string RenderList(const std::string& location, const std::vector<ArchiveEntry>& entries,
                       TimePoint now, const TerminalStyle& style);

/// Versions of archives, newest first, or the archives where a place keeps none.
std::string RenderVersions(const std::string& location, const VersionList& list,
                           const TerminalStyle& style);

}  // namespace oxbackup
