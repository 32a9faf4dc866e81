#include "engine/open_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "engine/target_calls.h"

namespace oxbackup {
namespace {

template <class Find>
std::vector<OpenRun> CollectRuns(RestoreTargets& targets, const Find& find) {
  std::vector<OpenRun> runs;
  for (const auto& target : targets) {
    std::optional<OpenSwap> swap =
        ForTarget(*target, "looking for an interrupted restore of", find);
    if (!swap) continue;
    if (swap->intent.components.empty()) swap->intent.components.emplace_back(target->name());
    auto run = std::ranges::find_if(runs, [&](const OpenRun& candidate) {
      return candidate.intent.run_id == swap->intent.run_id;
    });
    if (run == runs.end()) run = runs.insert(runs.end(), OpenRun{swap->intent, {}});
    run->parts.push_back(OpenRun::Part{target.get(), std::move(*swap)});
  }
  return runs;
}

}  // namespace

bool OpenRun::Has(const std::string& component) const {
  return std::ranges::any_of(parts,
                             [&](const Part& part) { return part.target->name() == component; });
}

bool OpenRun::Any(OpenSwap::Stage stage) const {
  return std::ranges::any_of(parts, [&](const Part& part) { return part.swap.stage == stage; });
}

bool OpenRun::ClosingHasBegun() const {
  return Any(OpenSwap::Stage::kClosing) ||
         (Has(intent.components.back()) && !Has(intent.components.front()));
}

// An undo removes the records from the last component on, so it is recognised as one that had not
// come to its swaps, but for what was marked as being undone.
bool OpenRun::IsToBeCompleted() const {
  return ClosingHasBegun() || (Has(intent.components.back()) && !Any(OpenSwap::Stage::kUndoing));
}

std::vector<OpenRun> FindOpenRuns(RestoreTargets& targets) {
  return CollectRuns(targets, [](RestoreTarget& target) { return target.FindOpenSwap(); });
}

void CheckAllConfigured(RestoreTargets& targets, const SwapIntent& intent) {
  for (const std::string& name : intent.components) {
    const bool configured =
        std::ranges::any_of(targets, [&](const auto& target) { return target->name() == name; });
    if (configured) continue;
    throw Error(
        ErrorKind::kUsage,
        fmt::format("the restore of {} (started {}) that has to be finished or undone had '{}', "
                    "which is not configured here",
                    intent.archive, intent.started, name))
        .Hint("run this with the settings of that restore");
  }
}

void CompleteRun(const OpenRun& open) {
  std::vector<RestoreTarget*> targets;
  for (const OpenRun::Part& part : open.parts) {
    ForTarget(*part.target, "finishing the interrupted swap of",
              [](RestoreTarget& t) { t.CompleteSwap(); });
    targets.push_back(part.target);
  }
  CloseAll(targets, open.intent.keep_old);
}

void TakeBackRun(RestoreTargets& targets, const OpenRun& open) {
  for (auto it = targets.rbegin(); it != targets.rend(); ++it) {
    RestoreTarget& target = **it;
    if (std::ranges::count(open.intent.components, target.name()) == 0) continue;
    ForTarget(target, "taking back the interrupted swap of",
              [&](RestoreTarget& t) { t.UndoSwap(open.intent.run_id); });
  }
}

std::string OutcomeSentence(const SwapIntent& intent, std::string_view outcome) {
  return fmt::format("The restore of {} that was interrupted (started {}) was {}.", intent.archive,
                     intent.started, outcome);
}

std::vector<std::string> FinishOpenSwaps(RestoreTargets& targets, const RunContext& run) {
  std::vector<std::string> sentences;
  for (const OpenRun& open : FindOpenRuns(targets)) {
    CheckAllConfigured(targets, open.intent);
    const bool complete = open.IsToBeCompleted();
    run.log.Info("{} an interrupted restore of {} (started {})",
                 complete ? "finishing" : "taking back", open.intent.archive, open.intent.started);
    if (complete) {
      CompleteRun(open);
    } else {
      TakeBackRun(targets, open);
    }
    sentences.push_back(OutcomeSentence(open.intent, complete ? "finished" : "taken back"));
  }
  return sentences;
}

std::vector<std::string> DescribeOpenSwaps(RestoreTargets& targets) {
  std::vector<std::string> sentences;
  const auto peek = [](RestoreTarget& target) { return target.PeekOpenSwap(); };
  for (const OpenRun& open : CollectRuns(targets, peek)) {
    sentences.push_back(fmt::format(
        "The restore of {} (started {}) has not ended. If it was interrupted, the next restore "
        "first {} it.",
        open.intent.archive, open.intent.started,
        open.IsToBeCompleted() ? "finishes" : "takes back"));
  }
  return sentences;
}

}  // namespace oxbackup
