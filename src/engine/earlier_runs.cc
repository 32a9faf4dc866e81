// Swaps of earlier runs: the rest of engine/restore.h.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "engine/restore.h"
#include "engine/target_calls.h"

namespace oxbackup {
namespace {

RestoreTarget* FindTarget(RestoreTargets& targets, std::string_view name) {
  for (const auto& target : targets) {
    if (target->name() == name) return target.get();
  }
  return nullptr;
}

struct FoundSwap {
  RestoreTarget* target;
  OpenSwap swap;
};

// One interrupted run: what is open of it, in the order of the targets.
struct OpenRun {
  SwapIntent intent;
  std::vector<FoundSwap> found;

  bool Has(const std::string& component) const {
    return std::ranges::any_of(
        found, [&](const FoundSwap& one) { return one.target->name() == component; });
  }
  bool Any(OpenSwap::Stage stage) const {
    return std::ranges::any_of(found,
                               [&](const FoundSwap& one) { return one.swap.stage == stage; });
  }
  // Records are closed from the first component on: without the first, or with one that is being
  // closed, old data are gone.
  bool ClosingHasBegun() const {
    return Any(OpenSwap::Stage::kClosing) ||
           (Has(intent.components.back()) && !Has(intent.components.front()));
  }
  // An undo removes the records from the last component on, so it is recognised as one that had not
  // come to its swaps, but for the component in which it was interrupted.
  bool IsToBeCompleted() const {
    return ClosingHasBegun() || (Has(intent.components.back()) && !Any(OpenSwap::Stage::kUndoing));
  }
};

std::vector<OpenRun> FindOpenRuns(RestoreTargets& targets) {
  std::vector<OpenRun> runs;
  for (const auto& target : targets) {
    std::optional<OpenSwap> swap = ForTarget(*target, "looking for an interrupted restore of",
                                             [](RestoreTarget& t) { return t.FindOpenSwap(); });
    if (!swap) continue;
    if (swap->intent.components.empty()) swap->intent.components.emplace_back(target->name());
    auto run = std::ranges::find_if(runs, [&](const OpenRun& candidate) {
      return candidate.intent.run_id == swap->intent.run_id;
    });
    if (run == runs.end()) run = runs.insert(runs.end(), OpenRun{swap->intent, {}});
    run->found.push_back(FoundSwap{target.get(), std::move(*swap)});
  }
  return runs;
}

void CheckAllConfigured(RestoreTargets& targets, const SwapIntent& intent) {
  for (const std::string& name : intent.components) {
    if (FindTarget(targets, name) != nullptr) continue;
    throw Error(
        ErrorKind::kUsage,
        fmt::format("the restore of {} (started {}) that has to be finished or undone had '{}', "
                    "which is not configured here",
                    intent.archive, intent.started, name))
        .Hint("run this with the settings of that restore");
  }
}

void CompleteRun(const OpenRun& open) {
  for (const FoundSwap& one : open.found) {
    ForTarget(*one.target, "finishing the interrupted swap of",
              [](RestoreTarget& t) { t.CompleteSwap(); });
  }
  std::vector<RestoreTarget*> targets;
  for (const FoundSwap& one : open.found) targets.push_back(one.target);
  CloseAll(targets, open.intent.keep_old);
}

void TakeBackRun(const OpenRun& open) {
  for (auto one = open.found.rbegin(); one != open.found.rend(); ++one) {
    ForTarget(*one->target, "taking back the interrupted swap of",
              [&](RestoreTarget& t) { t.UndoSwap(open.intent.run_id); });
  }
}

std::string Sentence(const SwapIntent& intent, std::string_view outcome) {
  return fmt::format("The restore of {} that was interrupted (started {}) was {}.", intent.archive,
                     intent.started, outcome);
}

// Throws when a component of that run no longer keeps what the run replaced: the others alone would
// make a mixture. Those behind all that do keep it may have been undone before an undo was
// interrupted, which goes from the last to the first.
void CheckAllKept(const std::map<RestoreTarget*, SwapIntent>& kept, const SwapIntent& intent) {
  std::string gone;
  for (const std::string& name : intent.components) {
    const bool has = std::ranges::any_of(kept, [&](const auto& one) {
      return one.first->name() == name && one.second.run_id == intent.run_id;
    });
    if (!has && gone.empty()) gone = name;
    if (!has || gone.empty()) continue;
    throw Error(ErrorKind::kNotFound,
                fmt::format("the restore of {} (started {}) can no longer be undone: what it "
                            "replaced in {} is not kept any more",
                            intent.archive, intent.started, gone))
        .Hint("restore an older archive, if that is what you want");
  }
}

// The old data that the last finished restore kept. Components may have kept those of several: a
// restore need not have all of them.
std::vector<std::string> UndoKept(RestoreTargets& targets, const RunContext& run) {
  std::map<RestoreTarget*, SwapIntent> kept;
  const SwapIntent* last = nullptr;
  for (const auto& target : targets) {
    std::optional<SwapIntent> intent = ForTarget(*target, "looking for kept data of",
                                                 [](RestoreTarget& t) { return t.FindKeptSwap(); });
    if (!intent) continue;
    if (intent->components.empty()) intent->components.emplace_back(target->name());
    const SwapIntent& one = kept[target.get()] = std::move(*intent);
    if (last == nullptr || last->started < one.started) last = &one;
  }
  std::vector<std::string> sentences;
  if (last == nullptr) return sentences;
  CheckAllConfigured(targets, *last);
  CheckAllKept(kept, *last);
  run.log.Info("undoing the restore of {} (started {})", last->archive, last->started);
  for (auto it = targets.rbegin(); it != targets.rend(); ++it) {
    RestoreTarget& target = **it;
    const auto found = kept.find(&target);
    if (found == kept.end() || found->second.run_id != last->run_id) continue;
    ForTarget(target, "undoing the restore of",
              [&](RestoreTarget& t) { t.UndoSwap(last->run_id); });
    sentences.push_back(
        fmt::format("{}: the data from before the restore are live again", target.name()));
  }
  return sentences;
}

}  // namespace

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
      TakeBackRun(open);
    }
    sentences.push_back(Sentence(open.intent, complete ? "finished" : "taken back"));
  }
  return sentences;
}

std::vector<std::string> Undo(RestoreTargets& targets, const RunContext& run) {
  std::vector<std::string> sentences;
  for (const OpenRun& open : FindOpenRuns(targets)) {
    CheckAllConfigured(targets, open.intent);
    if (open.ClosingHasBegun()) {
      CompleteRun(open);
      throw Error(ErrorKind::kNotFound, "the interrupted restore can no longer be undone")
          .Cause(
              fmt::format("it had swapped everything and begun to remove what it replaced; it has "
                          "been finished now: {} is live",
                          open.intent.archive))
          .Hint("restore an older archive, if that is what you want");
    }
    TakeBackRun(open);
    sentences.push_back(Sentence(open.intent, "taken back"));
  }
  if (sentences.empty()) sentences = UndoKept(targets, run);
  if (sentences.empty()) {
    throw Error(ErrorKind::kNotFound, "there is no restore to undo")
        .Hint("only a restore that was interrupted, or one with --keep-old, can be undone");
  }
  return sentences;
}

}  // namespace oxbackup
