// The step of a restore in place: the live data go before the archive is loaded.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "archive/component.h"
#include "base/run_context.h"
#include "engine/site.h"
#include "store/store.h"

namespace oxbackup {

/// Throws Error(kUsage) that names what to do when one of the targets keeps the old data of an
/// earlier restore: those could not be brought back over a site that is gone, and take room.
void RefuseKeptData(const std::vector<RestoreTarget*>& targets);

/// Targets whose live data a restore in place has removed, with the archive whose data were to
/// come.
std::vector<std::pair<RestoreTarget*, AppliedArchive>> FindAwaited(RestoreTargets& targets);

/// Throws Error(kUsage), with what to do, when the live data of one of the targets were removed and
/// nothing has taken their place: a backup would be one of an empty site, and the newest.
void RefuseRemovedData(RestoreTargets& targets);

/// Removes what a restore replaces and remembers how far it came, so that whatever fails later can
/// say so. One thread at a time.
class LiveRemoval {
 public:
  /// `awaited`: the archive again, as the targets write it down.
  LiveRemoval(ObjectId archive, AppliedArchive awaited)
      : archive_(std::move(archive)), awaited_(std::move(awaited)) {}

  /// Checks the archive from end to end, since there is no way back afterwards; then asks all
  /// targets whether they could, then lets each remove its live data. Throws Error.
  void Run(Store& store, const std::vector<RestoreTarget*>& targets, int threads,
           const RunContext& run);

  /// Whether live data are gone, all or a part.
  bool begun() const { return !removed_.empty() || !partly_.empty(); }
  /// Which those are, and what to do, in sentences. REQUIRES: begun, and nothing has been swapped.
  std::string Outcome() const;
  /// Rethrows what is being handled, with that outcome if begun.
  [[noreturn]] void Rethrow() const;

 private:
  ObjectId archive_;
  AppliedArchive awaited_;
  std::vector<std::string> removed_;
  std::string partly_;  // whose removal has begun and not ended
};

}  // namespace oxbackup
