// Going back behind a restore, and giving up the way back.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/site.h"

namespace oxbackup {

/// A restore whose old data are still there, for the operator's question.
struct KeptRestore {
  SwapIntent intent;
  std::vector<std::string> components;  ///< that are concerned
  bool interrupted = false;             ///< it has not ended; else it ended and kept the old data
};

/// Asked before anything changes; false ends the call.
using ConfirmKept = std::function<bool(const std::vector<KeptRestore>& restores)>;

struct KeptOutcome {
  bool confirmed = false;
  std::vector<std::string> sentences;  ///< what was done, one a component or interrupted restore
};

/// Brings back what one restore replaced: an interrupted one, else the newest one whose old data
/// are kept. Where `selection` selects all components it goes back as a whole: throws
/// Error(kNotFound), also when there is nothing, when a component of it has no kept data any more,
/// since a later restore has replaced them or dropped them. With a selection, the newest one with
/// kept data in a selected component, and only those components; throws Error(kUsage) when an
/// interrupted restore is there, which is taken back as a whole. An undo that fails or dies after
/// it has brought something back is gone on with by the next backup, restore or undo.
KeptOutcome Undo(RestoreTargets& targets, const ComponentSelection& selection,
                 const ConfirmKept& confirm, const RunContext& run);

/// Removes the old data that finished restores have kept, and forgets restores in place that have
/// removed live data and not come to their end. Throws Error(kNotFound) when there are neither,
/// Error(kUsage) when an interrupted restore is there: its old data may be needed.
KeptOutcome DropKept(RestoreTargets& targets, const ConfirmKept& confirm, const RunContext& run);

/// The restores whose old data are kept, the newest last. Throws Error.
std::vector<KeptRestore> FindKeptRestores(RestoreTargets& targets);

}  // namespace oxbackup
