#include "engine/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "archive/archive_reader.h"
#include "base/error.h"

namespace oxbackup {
namespace {

template <class Step>
decltype(auto) ForTarget(RestoreTarget& target, std::string_view what, const Step& step) {
  return WithContext([&] { return fmt::format("{} {}", what, target.name()); },
                     [&]() -> decltype(auto) { return step(target); });
}

std::unique_ptr<ArchiveReader> Reopen(Store& store, const std::string& name,
                                      const RunContext& run) {
  std::unique_ptr<RangedSource> source = store.Open(name);
  if (source == nullptr) {
    throw Error(ErrorKind::kNotFound, fmt::format("{} is no longer in {}", name, store.Location()));
  }
  return OpenArchive(std::move(source), run);
}

// What the archive holds: by its manifest, or by reading a foreign one from end to end, which shows
// at the same time that it is whole.
std::set<std::string> ComponentsOf(Store& store, const std::string& name, const Manifest* manifest,
                                   const RunContext& run) {
  std::set<std::string> found;
  if (manifest != nullptr) {
    for (const ComponentManifest& component : manifest->components) found.insert(component.name);
    return found;
  }
  run.log.Info("{} has no manifest: reading it through to see what it holds", name);
  const std::unique_ptr<ArchiveReader> reader = Reopen(store, name, run);
  reader->Read([](const std::string&) { return true; },
               [&](const MemberInfo& info, ByteSource&) {
                 const std::string component = ComponentOfMember(info.path);
                 if (!component.empty()) found.insert(component);
               },
               1, run);
  return found;
}

std::vector<RestoreTarget*> Present(RestoreTargets& targets, const ComponentSelection& selection,
                                    const std::set<std::string>& found, const std::string& archive,
                                    std::vector<std::string>& not_held) {
  std::vector<RestoreTarget*> present;
  for (const auto& target : targets) {
    if (!selection.Includes(std::string(target->name()))) continue;
    if (found.contains(std::string(target->name()))) {
      present.push_back(target.get());
    } else {
      not_held.emplace_back(target->name());
    }
  }
  if (present.empty()) {
    throw Error(ErrorKind::kNotFound,
                fmt::format("{} holds none of the selected components", archive))
        .Hint("openedx-backup inspect shows what it holds");
  }
  return present;
}

// In the order of ComponentNames().
std::vector<std::string> Missing(const std::set<std::string>& held,
                                 const std::vector<RestoreTarget*>& present) {
  std::vector<std::string> missing;
  for (const std::string& name : ComponentNames()) {
    const bool restored = std::ranges::any_of(
        present, [&](const RestoreTarget* target) { return target->name() == name; });
    if (held.contains(name) && !restored) missing.push_back(name);
  }
  return missing;
}

std::string NewRunId(TimePoint now) {
  std::random_device random;
  return fmt::format("{}-{:08x}", FormatRfc3339(now), random());
}

std::string WhatAndCause(const std::exception& error) {
  const auto* const ours = dynamic_cast<const Error*>(&error);
  if (ours == nullptr || ours->cause().empty()) return error.what();
  return fmt::format("{} ({})", error.what(), ours->cause());
}

// Removes what was loaded, without hiding the error that led here.
void AbandonAll(const std::vector<RestoreTarget*>& targets, const RunContext& run) {
  for (RestoreTarget* target : targets) {
    try {
      target->Abandon();
    } catch (const std::exception& error) {
      run.warnings.Add(fmt::format(
          "what was loaded for {} could not be removed: {}; the next restore removes it",
          target->name(), WhatAndCause(error)));
    }
  }
}

void LoadAll(Store& store, const std::string& name, const std::vector<RestoreTarget*>& targets,
             const RunContext& run) {
  for (RestoreTarget* target : targets) {
    // Opened for each anew: a foreign archive can be read only once from an open reader.
    const std::unique_ptr<ArchiveReader> reader = Reopen(store, name, run);
    ForTarget(*target, "loading", [&](RestoreTarget& t) { t.Load(*reader); });
  }
}

void VerifyAll(const Manifest* manifest, const std::vector<RestoreTarget*>& targets) {
  for (RestoreTarget* target : targets) {
    const ComponentManifest* const expected =
        manifest != nullptr ? manifest->Find(target->name()) : nullptr;
    ForTarget(*target, "verifying", [&](RestoreTarget& t) { t.Verify(expected); });
  }
}

// Undoes the swaps of this run in `written`, newest first; false when one could not be undone.
bool TakeBack(const std::vector<RestoreTarget*>& written, const std::string& run_id,
              const RunContext& run) {
  bool whole = true;
  for (auto it = written.rbegin(); it != written.rend(); ++it) {
    try {
      (*it)->UndoSwap(run_id);
    } catch (const std::exception& error) {
      whole = false;
      run.warnings.Add(fmt::format("the swap of {} could not be taken back: {}", (*it)->name(),
                                   WhatAndCause(error)));
    }
  }
  return whole;
}

// Rethrows what is being handled and says what has become of the site.
[[noreturn]] void RethrowBrokenSwap(bool taken_back) {
  const char* const hint =
      taken_back
          ? "nothing has changed: every swap was taken back; mend the cause and restore again"
          : "part of the site is swapped; its records are open: run any openedx-backup "
            "command with the same settings to finish, or restore --undo to go back";
  try {
    throw;
  } catch (Error& error) {
    error.Hint(hint);
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kInternal, "the swap broke off").Cause(error.what()).Hint(hint);
  }
}

// Ends at the first record that cannot be closed: were a later component's closed all the same, the
// next run would take the open ones for a restore that had not come to its swaps (see SwapIntent).
void CloseAll(const std::vector<RestoreTarget*>& targets, bool keep_old) {
  for (RestoreTarget* target : targets) {
    try {
      ForTarget(*target, "closing the swap of", [&](RestoreTarget& t) { t.CloseSwap(keep_old); });
    } catch (Error& error) {
      error.Hint(
          "the restored data are live; mend the cause and run any openedx-backup command with the "
          "same settings: it removes what is left");
      throw;
    }
  }
}

// Writes all records, then swaps all components, then closes the records in the same order: see
// SwapIntent for what an interruption means at each point.
void SwapAll(const std::vector<RestoreTarget*>& targets, const SwapIntent& intent,
             const RunContext& run) {
  std::vector<RestoreTarget*> written;
  try {
    for (RestoreTarget* target : targets) {
      // Counted as written even when the call fails: whether the record arrived is then unknown.
      written.push_back(target);
      ForTarget(*target, "announcing the swap of",
                [&](RestoreTarget& t) { t.WriteIntent(intent); });
    }
    for (RestoreTarget* target : targets) {
      ForTarget(*target, "swapping", [](RestoreTarget& t) { t.Swap(); });
    }
  } catch (...) {
    const bool taken_back = TakeBack(written, intent.run_id, run);
    if (taken_back) AbandonAll(targets, run);
    RethrowBrokenSwap(taken_back);
  }
  CloseAll(targets, intent.keep_old);
}

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
        fmt::format("an interrupted restore of {} (started {}) has to be finished first, and "
                    "it had '{}', which is not configured here",
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

// The old data that a finished restore kept.
std::vector<std::string> UndoKept(RestoreTargets& targets, const RunContext& run) {
  std::vector<std::string> sentences;
  for (auto it = targets.rbegin(); it != targets.rend(); ++it) {
    RestoreTarget& target = **it;
    try {
      ForTarget(target, "undoing the restore of", [](RestoreTarget& t) { t.UndoSwap(""); });
      sentences.push_back(
          fmt::format("{}: the data from before the restore are live again", target.name()));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound) throw;
      run.log.Info("{}: nothing to go back to", target.name());
    }
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

RestoreReport Restore(Store& store, RestoreTargets& targets, const RestoreOptions& options,
                      const RunContext& run) {
  const TimePoint started = run.clock.Now();
  RestoreReport report;
  if (!options.dry_run) report.finished_swaps = FinishOpenSwaps(targets, run);
  ArchiveEntry chosen = ChooseArchive(store, options.choice, run);
  report.archive = chosen.object.name;
  report.manifest = std::move(chosen.manifest);
  const Manifest* const manifest = report.manifest.get();
  const std::set<std::string> held = ComponentsOf(store, report.archive, manifest, run);
  const std::vector<RestoreTarget*> present =
      Present(targets, options.selection, held, report.archive, report.not_held);
  report.left_out = Missing(held, present);
  for (RestoreTarget* target : present) {
    report.plans.emplace_back(target->name(),
                              ForTarget(*target, "planning the restore of",
                                        [&](RestoreTarget& t) { return t.Plan(manifest); }));
  }
  report.confirmed =
      options.confirm && options.confirm(RestorePreview{report.archive, manifest, report.plans,
                                                        report.left_out, report.not_held});
  if (options.dry_run || !report.confirmed) return report;

  try {
    LoadAll(store, report.archive, present, run);
    VerifyAll(manifest, present);
    run.ThrowIfStopped();
  } catch (...) {
    AbandonAll(present, run);
    throw;
  }
  SwapIntent intent{.run_id = NewRunId(started),
                    .archive = report.archive,
                    .started = FormatRfc3339(started),
                    .components = {},
                    .keep_old = options.keep_old};
  for (const RestoreTarget* target : present) intent.components.emplace_back(target->name());
  SwapAll(present, intent, run);
  report.swapped = true;
  report.components = intent.components;
  for (const RestoreTarget* target : present) report.swap_ms += target->swap_ms();
  report.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(run.clock.Now() - started);
  return report;
}

}  // namespace oxbackup
