#include "engine/restore.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "archive/archive_reader.h"
#include "base/error.h"
#include "engine/live_removal.h"
#include "engine/open_runs.h"
#include "engine/target_calls.h"

namespace oxbackup {
namespace {

// What the archive holds: by its manifest, or by reading a foreign one from end to end, which shows
// at the same time that it is whole.
std::set<std::string> ComponentsOf(Store& store, const ObjectId& archive, const Manifest* manifest,
                                   const RunContext& run) {
  std::set<std::string> found;
  if (manifest != nullptr) {
    for (const ComponentManifest& component : manifest->components) found.insert(component.name);
    return found;
  }
  run.log.Info("{} has no manifest: reading it through to see what it holds", archive.name);
  const std::unique_ptr<ArchiveReader> reader = Reopen(store, archive, run);
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
        .Hint("openedx-backup inspect shows what it holds; --name chooses another archive");
  }
  return present;
}

ArchiveChoice ChoiceFor(const RestoreTargets& targets, const RestoreOptions& options) {
  ArchiveChoice choice = options.choice;
  for (const auto& target : targets) {
    const std::string name(target->name());
    if (options.selection.Includes(name)) choice.components.insert(name);
  }
  return choice;
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

std::chrono::milliseconds Since(TimePoint start, const RunContext& run) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(run.clock.Now() - start);
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

std::vector<std::pair<std::string, RestorePlan>> PlanAll(const Manifest* manifest,
                                                         const std::vector<RestoreTarget*>& targets,
                                                         RestoreRoom room) {
  std::vector<std::pair<std::string, RestorePlan>> plans;
  for (RestoreTarget* target : targets) {
    plans.emplace_back(target->name(),
                       ForTarget(*target, "planning the restore of",
                                 [&](RestoreTarget& t) { return t.Plan(manifest, room); }));
  }
  return plans;
}

std::vector<std::string> NamesOf(const std::vector<RestoreTarget*>& targets) {
  std::vector<std::string> names;
  for (const RestoreTarget* target : targets) names.emplace_back(target->name());
  return names;
}

// Without what is the run's own.
SwapIntent IntentOf(const ArchiveEntry& archive, const Manifest* manifest,
                    const std::vector<RestoreTarget*>& targets) {
  SwapIntent intent;
  intent.archive = archive.object.name;
  intent.version = archive.object.version;
  intent.identity = manifest != nullptr ? manifest->sha256 : "";
  intent.created = FormatRfc3339(archive.made);
  intent.components = NamesOf(targets);
  return intent;
}

// Whether there is nothing to do; refuses what may not be done.
bool IsToBeSkipped(const ArchiveEntry& chosen, const std::vector<RestoreTarget*>& present,
                   const RestoreOptions& options, const RunContext& run, RestoreReport& report) {
  report.held = FindHeld(present);
  const std::optional<AppliedArchive> held = HeldByAll(
      report.held, NamesOf(present), report.manifest ? report.manifest->sha256 : std::string());
  if (options.max_age) RefuseTooOld(chosen, *options.max_age, run.clock.Now(), held);
  if (!options.skip_applied || !held) return false;
  report.skipped = true;
  report.applied = held;
  return true;
}

void LoadAll(Store& store, const ObjectId& archive, const std::vector<RestoreTarget*>& targets,
             const RunContext& run) {
  for (RestoreTarget* target : targets) {
    // Opened for each anew: a foreign archive can be read only once from an open reader.
    const std::unique_ptr<ArchiveReader> reader = Reopen(store, archive, run);
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

std::map<std::string, uint64_t> VerifiedItems(const Progress& progress) {
  std::map<std::string, uint64_t> items;
  for (const ComponentProgress& component : progress.Read().components) {
    if (component.phase == "verify") items[component.name] = component.items;
  }
  return items;
}

// Undoes the swaps of this run in `written`, newest first; returns those that could not be undone.
// As long as the last component's record is there the next run may complete the swap, for which it
// needs all the others' records: then none of them is undone.
std::vector<RestoreTarget*> TakeBack(const std::vector<RestoreTarget*>& written,
                                     const RestoreTarget* last, const std::string& run_id,
                                     const RunContext& run) {
  std::vector<RestoreTarget*> open;
  for (auto it = written.rbegin(); it != written.rend(); ++it) {
    try {
      (*it)->UndoSwap(run_id);
    } catch (const std::exception& error) {
      run.warnings.Add(fmt::format("the swap of {} could not be taken back: {}", (*it)->name(),
                                   WhatAndCause(error)));
      if (*it == last) return written;
      open.push_back(*it);
    }
  }
  return open;
}

// What has become of a swap that broke off, in sentences.
struct BrokenSwap {
  bool begun = false;      // Swap() was called
  bool open = false;       // there are records still
  bool last_open = false;  // the last component's too, or it may be

  std::string Outcome(const LiveRemoval& removal) const {
    if (removal.begun() && !(begun && open)) return removal.Outcome();
    if (!open) return "Nothing has changed: every swap was taken back.";
    std::string next = "takes the restore back.";
    if (last_open) next = "finishes the restore or takes it back";
    if (last_open) next += removal.begun() ? "." : ", restore --undo goes back.";
    return fmt::format(
        "{}, and records are open: the next backup or restore with the same settings {}",
        begun ? "Part of the site may be swapped" : "Nothing is swapped yet", next);
  }

  // Rethrows what is being handled with that.
  [[noreturn]] void Rethrow(const LiveRemoval& removal) const {
    try {
      throw;
    } catch (Error& error) {
      error.Outcome(Outcome(removal));
      if (!open) error.Hint("mend the cause and restore again");
      throw;
    } catch (const std::exception& error) {
      throw Error(ErrorKind::kInternal, "the swap broke off")
          .Cause(error.what())
          .Outcome(Outcome(removal));
    }
  }
};

// Writes all records, then swaps all components, then closes the records in the same order: see
// SwapIntent for what an interruption means at each point.
void SwapAll(const std::vector<RestoreTarget*>& targets, const SwapIntent& intent,
             const LiveRemoval& removal, const RunContext& run) {
  std::vector<RestoreTarget*> written;
  BrokenSwap broken;
  try {
    for (RestoreTarget* target : targets) {
      // Counted as written even when the call fails: whether the record arrived is then unknown.
      written.push_back(target);
      ForTarget(*target, "announcing the swap of",
                [&](RestoreTarget& t) { t.WriteIntent(intent); });
    }
    broken.begun = true;
    for (RestoreTarget* target : targets) {
      ForTarget(*target, "swapping", [](RestoreTarget& t) { t.Swap(); });
    }
  } catch (...) {
    const std::vector<RestoreTarget*> open = TakeBack(written, targets.back(), intent.run_id, run);
    const auto is_open = [&](RestoreTarget* target) {
      return std::ranges::count(open, target) > 0;
    };
    broken.open = !open.empty();
    broken.last_open = is_open(targets.back());
    // What an open record speaks of is the next run's.
    std::vector<RestoreTarget*> done_with = targets;
    std::erase_if(done_with, is_open);
    AbandonAll(done_with, run);
    broken.Rethrow(removal);
  }
  CloseAll(targets, intent.keep_old);
}

}  // namespace

RestoreReport Restore(Store& store, RestoreTargets& targets, const RestoreOptions& options,
                      const RunContext& run) {
  const TimePoint started = run.clock.Now();
  RestoreReport report;
  if (options.dry_run) {
    for (const std::string& sentence : DescribeOpenSwaps(targets)) run.warnings.Add(sentence);
  } else {
    report.finished_swaps = FinishOpenSwaps(targets, run);
    if (!report.finished_swaps.empty()) {
      run.progress.Note(kEarlierRestore, fmt::format("{}", fmt::join(report.finished_swaps, " ")));
    }
  }
  ArchiveEntry chosen = ChooseArchive(store, ChoiceFor(targets, options), run);
  const ObjectId archive = chosen.object;
  report.archive = archive.name;
  report.version = archive.version;
  report.passed_over = chosen.passed_over;
  report.manifest = std::move(chosen.manifest);
  const Manifest* const manifest = report.manifest.get();
  const std::set<std::string> held = ComponentsOf(store, archive, manifest, run);
  const std::vector<RestoreTarget*> present =
      Present(targets, options.selection, held, report.archive, report.not_held);
  report.left_out = Missing(held, present);
  if (IsToBeSkipped(chosen, present, options, run, report)) {
    report.duration = Since(started, run);
    return report;
  }
  if (options.in_place) RefuseKeptData(present);
  report.plans =
      PlanAll(manifest, present, options.in_place ? RestoreRoom::kInPlace : RestoreRoom::kBeside);
  report.confirmed =
      options.confirm && options.confirm(RestorePreview{
                             report.archive, manifest, report.plans, report.left_out,
                             report.not_held, report.passed_over, options.in_place, report.held});
  if (options.dry_run || !report.confirmed) return report;

  SwapIntent intent = IntentOf(chosen, manifest, present);
  intent.run_id = NewRunId(started);
  intent.started = FormatRfc3339(started);
  intent.keep_old = options.keep_old;
  intent.applied = intent.started;
  LiveRemoval removal(archive, intent.Brings());
  try {
    if (options.in_place) removal.Run(store, present, options.threads, run);
    LoadAll(store, archive, present, run);
    VerifyAll(manifest, present);
    report.verified_items = VerifiedItems(run.progress);
    run.ThrowIfStopped();
  } catch (...) {
    AbandonAll(present, run);
    removal.Rethrow();
  }
  intent.applied = FormatRfc3339(run.clock.Now());
  SwapAll(present, intent, removal, run);
  report.swapped = true;
  report.swapped_at = run.clock.Now();
  report.components = intent.components;
  report.applied = intent.Brings();
  for (const RestoreTarget* target : present) report.swap_ms += target->swap_ms();
  report.duration = Since(started, run);
  return report;
}

}  // namespace oxbackup
