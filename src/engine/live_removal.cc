#include "engine/live_removal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <exception>
#include <optional>

#include "base/error.h"
#include "engine/target_calls.h"
#include "engine/verify.h"

namespace oxbackup {

namespace {

// What chooses the archive again.
std::string Flag(const std::string& name, const std::string& version) {
  return version.empty() ? fmt::format("--name {}", name) : fmt::format("--version {}", version);
}

}  // namespace

std::vector<std::pair<RestoreTarget*, AppliedArchive>> FindAwaited(RestoreTargets& targets) {
  std::vector<std::pair<RestoreTarget*, AppliedArchive>> all;
  for (const auto& target : targets) {
    std::optional<AppliedArchive> awaited =
        ForTarget(*target, "asking what is live in", [](RestoreTarget& t) { return t.Awaited(); });
    if (awaited) all.emplace_back(target.get(), *std::move(awaited));
  }
  return all;
}

void RefuseRemovedData(RestoreTargets& targets) {
  const auto all = FindAwaited(targets);
  if (all.empty()) return;
  const auto& [target, awaited] = all.front();
  throw Error(
      ErrorKind::kUsage,
      fmt::format("the live data of {} are gone, so there is nothing to back up", target->name()))
      .Cause(fmt::format("the restore of {} in place (begun {}) has removed them and has not come "
                         "to its end",
                         awaited.archive, awaited.applied))
      .Hint(fmt::format(
          "run that restore again, with --from as it was and {}; or, if what is there now is "
          "the site, say so with restore --drop-old",
          Flag(awaited.archive, awaited.version)));
}

void RefuseKeptData(const std::vector<RestoreTarget*>& targets) {
  for (RestoreTarget* target : targets) {
    const std::optional<SwapIntent> kept = target->FindKeptSwap();
    if (!kept) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("a restore in place would break the old data that the restore of {} "
                            "has kept of {}",
                            kept->archive, target->name()))
        .Hint("give them up with restore --drop-old, or bring them back with restore --undo");
  }
}

void LiveRemoval::Run(Store& store, const std::vector<RestoreTarget*>& targets, int threads,
                      const RunContext& run) {
  run.log.Info("{}: checking all of it before live data are removed", archive_.name);
  VerifyArchive(store, archive_, VerifyDepth::kFull, threads, run);
  run.progress.Done("verify");
  for (RestoreTarget* target : targets) {
    const std::unique_ptr<ArchiveReader> reader = Reopen(store, archive_, run);
    ForTarget(*target, "preparing to remove the live data of",
              [&](RestoreTarget& t) { t.PrepareRemoval(*reader); });
  }
  for (RestoreTarget* target : targets) {
    run.ThrowIfStopped();
    run.log.Info("removing the live data of {}", target->name());
    partly_ = target->name();
    ForTarget(*target, "removing the live data of",
              [this](RestoreTarget& t) { t.RemoveLive(awaited_); });
    removed_.push_back(std::move(partly_));
    partly_.clear();
  }
}

std::string LiveRemoval::Outcome() const {
  std::string gone;
  if (!removed_.empty()) {
    gone = fmt::format("The live data of {} were removed (--in-place)", fmt::join(removed_, ", "));
  }
  if (!partly_.empty() && removed_.empty()) {
    gone = fmt::format(
        "The removal of the live data of {} (--in-place) broke off, so that a part of them may be "
        "gone",
        partly_);
  } else if (!partly_.empty()) {
    gone += fmt::format(", those of {} perhaps in part", partly_);
  }
  return fmt::format(
      "{}, and nothing of {} is live yet. Run the same command again when the cause is mended, "
      "with "
      "--from as it was and {}: it begins anew.",
      gone, archive_.name, Flag(archive_.name, archive_.version));
}

void LiveRemoval::Rethrow() const {
  if (!begun()) throw;
  try {
    throw;
  } catch (Error& error) {
    error.Outcome(Outcome());
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kInternal, "the restore broke off")
        .Cause(error.what())
        .Outcome(Outcome());
  }
}

}  // namespace oxbackup
