// What a site holds by its own records, and what a restore decides by it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/component.h"
#include "engine/archive_list.h"
#include "engine/retention.h"

namespace oxbackup {

/// By component; one of which nothing is known is not in it.
using HeldArchives = std::map<std::string, AppliedArchive>;

/// Asks all of them. Throws Error.
HeldArchives FindHeld(const std::vector<RestoreTarget*>& targets);

/// What all of `components` hold, when all were restored from the archive of that identity, else
/// nothing. Which restores those were does not matter. An archive without an identity is never
/// held.
[[nodiscard]] std::optional<AppliedArchive> HeldByAll(const HeldArchives& held,
                                                      const std::vector<std::string>& components,
                                                      const std::string& identity);

/// How old an archive may be that is restored.
struct AgeLimit {
  CalendarSpan span;
  std::string given;  ///< for messages: "--max-age 2d"
};

/// Throws Error(kNotFound), with age, limit and what to do, when the archive is older. `held`: what
/// the site holds now.
void RefuseTooOld(const ArchiveEntry& archive, const AgeLimit& limit, TimePoint now,
                  const std::optional<AppliedArchive>& held);

}  // namespace oxbackup
