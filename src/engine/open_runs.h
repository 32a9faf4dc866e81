// Restores that have not ended, as the records in all components tell together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/site.h"

namespace oxbackup {

/// One restore that has not ended: what is open of it, in the order of the targets. Its targets
/// must outlive it.
struct OpenRun {
  struct Part {
    RestoreTarget* target;
    OpenSwap swap;
  };

  SwapIntent intent;  ///< of the first component that has a record
  std::vector<Part> parts;

  bool Has(const std::string& component) const;
  bool Any(OpenSwap::Stage stage) const;
  /// Records are closed from the first component on: without the first, or with one that is being
  /// closed, old data are gone.
  bool ClosingHasBegun() const;
  /// Whether the way on is the right one. The other one is for a run that had not come to its
  /// swaps, and for an undo, which begins in the first component and ends there.
  bool IsToBeCompleted() const;
};

/// All of them, earliest component first. Keeps other runs away from them as FindOpenSwap does.
std::vector<OpenRun> FindOpenRuns(RestoreTargets& targets);

/// Throws Error(kUsage) that names it when a component of the run is not among `targets`.
void CheckAllConfigured(RestoreTargets& targets, const SwapIntent& intent);

/// Brings the run to its end and closes its records. Throws Error.
void CompleteRun(const OpenRun& open);
/// Brings back what it replaced, in all components of its intent: some of them may be finished ones
/// whose old data are kept, when an undo had begun. Throws Error.
void TakeBackRun(RestoreTargets& targets, const OpenRun& open);

/// "The restore of X that was interrupted (started T) was taken back."
std::string OutcomeSentence(const SwapIntent& intent, std::string_view outcome);

/// Completes, or takes back, a restore that was interrupted. Returns a sentence for each; none when
/// there was nothing to do. Throws Error(kUsage) when the interrupted run had a component that
/// `targets` lacks.
std::vector<std::string> FinishOpenSwaps(RestoreTargets& targets, const RunContext& run);

/// The same for a report: a sentence for each that has not ended, with what the next run will do
/// about it. Changes nothing.
std::vector<std::string> DescribeOpenSwaps(RestoreTargets& targets);

}  // namespace oxbackup
