// A RunContext with services of its own, for tests.
#pragma once

#include <cstdint>

#include "base/run_context.h"

namespace oxbackup {

/// Owns what a RunContext refers to. `run` may be used as long as this object lives.
class TestRun {
 public:
  /// `budget_bytes`: the memory budget, the command's default unless a test is about it.
  explicit TestRun(uint64_t budget_bytes = uint64_t{256} << 20)
      : budget(budget_bytes), warnings(log), run{stop.get_token(), log,    warnings,
                                                 progress,         budget, clock} {}

  /// The same services at the time of another clock, which has to outlive their use.
  RunContext At(const Clock& other) {
    return {stop.get_token(), log, warnings, progress, budget, other};
  }

  std::stop_source stop;
  NullLog log;
  ByteBudget budget;
  Warnings warnings;
  Progress progress;
  SystemClock clock;
  RunContext run;
};

}  // namespace oxbackup
