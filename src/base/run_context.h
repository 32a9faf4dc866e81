// What every long operation is given: how to stop, where to speak, how much memory it may use.
#pragma once

#include <stop_token>

#include "base/byte_budget.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"

namespace oxbackup {

/// References to the run's shared services; all are thread-safe and outlive the operation.
/// Copy it freely: the copies share the services (a stage that has its own TaskGroup passes on a
/// copy with that group's token).
struct RunContext {
  std::stop_token stop;
  Log& log;
  Warnings& warnings;
  Progress& progress;
  ByteBudget& budget;
  const Clock& clock;

  /// The same services with another token.
  RunContext WithStop(std::stop_token token) const {
    return RunContext{std::move(token), log, warnings, progress, budget, clock};
  }
  /// Throws Error(kCancelled) when a stop was requested.
  void ThrowIfStopped() const;
};

}  // namespace oxbackup
