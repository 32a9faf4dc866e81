#include "engine/undo.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "engine/live_removal.h"
#include "engine/open_runs.h"
#include "engine/target_calls.h"

namespace oxbackup {
namespace {

std::optional<SwapIntent> FindKept(RestoreTarget& target) {
  std::optional<SwapIntent> intent = ForTarget(target, "looking for kept data of",
                                               [](RestoreTarget& t) { return t.FindKeptSwap(); });
  if (intent && intent->components.empty()) intent->components.emplace_back(target.name());
  return intent;
}

std::vector<KeptRestore> FindKeptIn(RestoreTargets& targets, const ComponentSelection& selection) {
  std::vector<KeptRestore> restores;
  for (const auto& target : targets) {
    const std::string name(target->name());
    if (!selection.Includes(name)) continue;
    std::optional<SwapIntent> intent = FindKept(*target);
    if (!intent) continue;
    auto known = std::ranges::find_if(restores, [&](const KeptRestore& restore) {
      return restore.intent.run_id == intent->run_id;
    });
    if (known == restores.end()) {
      known = restores.insert(restores.end(), KeptRestore{*intent, {}, false});
    }
    known->components.push_back(name);
    // An undo of some components that did not come to its end says so in their records.
    if (intent->components.size() > known->intent.components.size()) {
      known->intent = std::move(*intent);
    }
  }
  std::ranges::stable_sort(restores, [](const KeptRestore& one, const KeptRestore& other) {
    return one.intent.started < other.intent.started;
  });
  return restores;
}

// The others alone would make a mixture, which nobody gets without having asked for it.
void CheckWhole(const KeptRestore& restore) {
  std::vector<std::string> gone;
  for (const std::string& name : restore.intent.components) {
    if (std::ranges::count(restore.components, name) == 0) gone.push_back(name);
  }
  if (gone.empty()) return;
  throw Error(ErrorKind::kNotFound,
              fmt::format("the restore of {} (started {}) cannot be undone as a whole: what it "
                          "replaced in {} is not kept any more",
                          restore.intent.archive, restore.intent.started, fmt::join(gone, ", ")))
      .Cause("a later restore has taken its place, or it was brought back already")
      .Hint(fmt::format("openedx-backup restore --undo --only {} brings back what is kept and "
                        "leaves the rest as it is; else restore an older archive",
                        fmt::join(restore.components, " --only ")));
}

bool IsStillKept(RestoreTarget& target, const std::string& run_id) {
  try {
    const std::optional<SwapIntent> intent = target.FindKeptSwap();
    return intent && intent->run_id == run_id;
  } catch (const Error&) {
    return false;  // unknown, which is no promise that nothing has changed
  }
}

// Brings the components back from the last to the first. With several of them the first is marked
// before anything changes, and so the undo is known as begun until its end, which is there.
std::vector<std::string> BringBack(const std::vector<RestoreTarget*>& targets,
                                   const KeptRestore& restore) {
  SwapIntent announced = restore.intent;
  announced.components = restore.components;
  const bool several = targets.size() > 1;
  for (auto it = targets.rbegin(); it != targets.rend(); ++it) {
    ForTarget(**it, "preparing the undo of", [&](RestoreTarget& t) {
      t.PrepareUndo(announced, several && *it == targets.front());
    });
  }
  std::vector<std::string> sentences;
  try {
    for (auto it = targets.rbegin(); it != targets.rend(); ++it) {
      ForTarget(**it, "undoing the restore of",
                [&](RestoreTarget& t) { t.UndoSwap(announced.run_id); });
      sentences.push_back(
          fmt::format("{}: the data from before the restore are live again", (*it)->name()));
    }
  } catch (Error& error) {
    const bool unchanged = sentences.empty() && IsStillKept(*targets.back(), announced.run_id);
    if (unchanged && several) targets.front()->PrepareUndo(restore.intent, false);
    error.Outcome(unchanged
                      ? "Nothing has changed."
                      : "Part of the old data may be live again, and it is written down that this "
                        "undo has begun: the next restore or undo goes on with it.");
    throw;
  }
  return sentences;
}

KeptOutcome UndoKept(RestoreTargets& targets, const ComponentSelection& selection,
                     const ConfirmKept& confirm, const RunContext& run) {
  const std::vector<KeptRestore> restores = FindKeptIn(targets, selection);
  if (restores.empty()) {
    throw Error(ErrorKind::kNotFound, "there is no restore to undo")
        .Hint("only a restore that was interrupted, or one with --keep-old, can be undone");
  }
  const KeptRestore& last = restores.back();
  if (selection.only.empty() && selection.exclude.empty()) {
    CheckAllConfigured(targets, last.intent);
    CheckWhole(last);
  }
  KeptOutcome outcome;
  outcome.confirmed = confirm({last});
  if (!outcome.confirmed) return outcome;
  run.log.Info("undoing the restore of {} (started {})", last.intent.archive, last.intent.started);
  std::vector<RestoreTarget*> concerned;
  for (const auto& target : targets) {
    if (std::ranges::count(last.components, target->name()) > 0) concerned.push_back(target.get());
  }
  outcome.sentences = BringBack(concerned, last);
  return outcome;
}

// Takes an interrupted restore back; one that can only be finished is finished.
void UndoOpen(RestoreTargets& targets, const OpenRun& open, KeptOutcome& outcome) {
  if (!open.ClosingHasBegun()) {
    TakeBackRun(targets, open);
    outcome.sentences.push_back(OutcomeSentence(open.intent, "taken back"));
    return;
  }
  CompleteRun(open);
  const bool kept = open.intent.keep_old && !open.Any(OpenSwap::Stage::kClosing);
  throw Error(ErrorKind::kNotFound, "the interrupted restore could only be finished")
      .Cause(fmt::format("it had swapped everything and begun to close its records; {} is live "
                         "now, and what it replaced is {}",
                         open.intent.archive, kept ? "kept" : "gone"))
      .Hint(kept ? "openedx-backup restore --undo, once more, goes back"
                 : "restore an older archive, if that is what you want");
}

}  // namespace

std::vector<KeptRestore> FindKeptRestores(RestoreTargets& targets) {
  return FindKeptIn(targets, {});
}

KeptOutcome Undo(RestoreTargets& targets, const ComponentSelection& selection,
                 const ConfirmKept& confirm, const RunContext& run) {
  const std::vector<OpenRun> runs = FindOpenRuns(targets);
  if (runs.empty()) return UndoKept(targets, selection, confirm, run);
  if (!selection.only.empty() || !selection.exclude.empty()) {
    throw Error(ErrorKind::kUsage,
                fmt::format("the restore of {} (started {}) was interrupted, and is taken back as "
                            "a whole",
                            runs.front().intent.archive, runs.front().intent.started))
        .Hint("leave --only and --exclude out");
  }
  std::vector<KeptRestore> open;
  for (const OpenRun& one : runs) {
    CheckAllConfigured(targets, one.intent);
    open.push_back({one.intent, one.intent.components, true});
  }
  KeptOutcome outcome;
  outcome.confirmed = confirm(open);
  if (!outcome.confirmed) return outcome;
  for (const OpenRun& one : runs) UndoOpen(targets, one, outcome);
  return outcome;
}

KeptOutcome DropKept(RestoreTargets& targets, const ConfirmKept& confirm, const RunContext& run) {
  if (const std::vector<std::string> open = DescribeOpenSwaps(targets); !open.empty()) {
    throw Error(ErrorKind::kUsage, "a restore has not ended, so its old data are not dropped")
        .Cause(open.front())
        .Hint("openedx-backup restore --undo takes it back; any restore finishes it first");
  }
  const std::vector<KeptRestore> restores = FindKeptRestores(targets);
  const auto awaited = FindAwaited(targets);
  if (restores.empty() && awaited.empty()) {
    throw Error(ErrorKind::kNotFound, "no restore has kept old data here")
        .Hint("only restore --keep-old does");
  }
  KeptOutcome outcome;
  // To forget takes nothing away.
  outcome.confirmed = restores.empty() || confirm(restores);
  if (!outcome.confirmed) return outcome;
  for (const auto& [target, archive] : awaited) {
    ForTarget(*target, "giving up the restore of", [](RestoreTarget& t) { t.ForgetAwaited(); });
    outcome.sentences.push_back(
        fmt::format("{}: the data of {} are awaited no more", target->name(), archive.archive));
  }
  for (const auto& target : targets) {
    if (!FindKept(*target)) continue;
    run.log.Info("dropping the old data of {}", target->name());
    ForTarget(*target, "dropping the old data of", [](RestoreTarget& t) { t.DropKept(); });
    outcome.sentences.push_back(fmt::format("{}: the old data are gone", target->name()));
  }
  return outcome;
}

}  // namespace oxbackup
