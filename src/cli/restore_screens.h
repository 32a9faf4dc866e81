// What restore says before it asks, and at its end.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/terminal.h"
#include "engine/restore.h"
#include "engine/undo.h"

namespace oxbackup {

/// Which archive it is, what it replaces and what that needs, in lines no wider than the style's
/// width unless a name alone is. `left_out`: what the archive holds and is not restored, with the
/// reason (WhyLeftOut); may be empty.
std::string RenderPreview(const RestorePreview& preview, const std::string& left_out, TimePoint now,
                          const TerminalStyle& style);

/// That nothing had to be done, since the site holds the archive already. REQUIRES: report.skipped.
std::string RenderSkipped(const RestoreReport& report, bool dry_run, TimePoint now,
                          const TerminalStyle& style);

/// What is said after a question that was answered by no: a swap of an earlier run may have been
/// finished before it.
std::string RenderRefused(const RestoreReport& report);

/// What stays as it is: `left_out`, which the archive holds, and `not_held`, which it lacks.
/// Nothing when both are empty.
std::string RenderUntouched(const std::string& left_out, const std::vector<std::string>& not_held,
                            const TerminalStyle& style);

/// What an undo brings back, before it asks.
std::string RenderUndo(const std::vector<KeptRestore>& restores, const TerminalStyle& style);
/// What --drop-old removes, before it asks.
std::string RenderDrop(const std::vector<KeptRestore>& restores, const TerminalStyle& style);

/// What was restored: how long it took and how long the site was held for it, what each component
/// has now, and that it was verified. `filtered`: components of which options let through a part
/// alone, so that the archive's own counts are not those of the site.
std::string RenderRestored(const RestoreReport& report, const std::set<std::string>& filtered,
                           const std::vector<std::string>& warnings, const TerminalStyle& style);

/// The same counts for programs: a list by component.
nlohmann::ordered_json RestoredJson(const RestoreReport& report,
                                    const std::set<std::string>& filtered);

/// What a restore ends with: how to go back (`undo`, a command; of use with `keep_old` alone), and,
/// `with_next_steps`, what is left to do (a front end says that itself).
std::string RenderAfterRestore(const RestoreOptions& options, const std::string& undo,
                               bool with_next_steps, const TerminalStyle& style);

}  // namespace oxbackup
