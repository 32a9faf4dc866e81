// Which of a place's archives a command means.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "engine/archive_list.h"

namespace oxbackup {

/// Which archive of a store is meant: that version; else the one of that name (with or without its
/// suffix); else the newest complete one, of that local date if there is one, that holds all of
/// `components`, or the newest one where none does.
struct ArchiveChoice {
  std::optional<std::string> name = {};
  std::optional<std::string> date = {};  ///< YYYY-MM-DD
  std::set<std::string> components = {};
  /// Of a store that keeps versions, of whatever name, also one that is deleted. `name` and `date`
  /// beside it have to be its own.
  std::optional<std::string> version = {};
};

/// Throws Error(kNotFound), saying what there is instead, when no complete archive fits,
/// Error(kUsage) when a name without its suffix fits several, and Error(kCorrupt) when the one that
/// was named is damaged. A newer one that is passed over since it is damaged is a warning of the
/// run, one that lacks a component a line of the log, since the one that is chosen is whole; a
/// newer one that cannot be read is not passed over: its error is thrown. What an archive of
/// another tool holds is not known: it is taken as if it held all. Two kinds are passed over too:
/// with a warning one that is dated in the future, and with a line of the log one that another tool
/// made and whose name is no backup.DATE, unless there is none but such.
/// Reads no more manifests than it needs: an archive is stored after it was made, by clocks that
/// may differ by a day, so one that was stored long before the best one was made cannot be newer.
ArchiveEntry ChooseArchive(Store& store, const ArchiveChoice& choice, const RunContext& run);

}  // namespace oxbackup
