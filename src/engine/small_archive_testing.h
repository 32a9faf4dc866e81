// Archives for tests that are about which archive, not about what it holds.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"

namespace oxbackup {

/// Noon UTC, so many days after the first of January 2026.
TimePoint NoonOfDay(int day);

/// A small archive of ours that was finished at noon of that day, with components of these names.
std::string SmallArchive(int day, const std::vector<std::string>& components = {});
/// The same, finished at that moment.
std::string SmallArchiveOf(TimePoint finished, const std::vector<std::string>& components = {});

/// The same archive in a format that is newer than we can read.
std::string InNewerFormat(const std::string& archive);
/// A tar in xz that another tool made, as the predecessor.
std::string ForeignArchive();
/// Cut off, as a copy that broke off: index and manifest are gone.
std::string CutOff(const std::string& archive);

}  // namespace oxbackup
