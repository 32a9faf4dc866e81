// Whoever watches from outside is told here of a run's start and end.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/exit_status.h"
#include "cli/setting_values.h"
#include "report/run_reporter.h"

namespace oxbackup {

/// Of one run of a command, made when its services are, and that is its start. One thread.
class RunObserver {
 public:
  /// Throws Error(kUsage), before anything has started, for settings that could tell nobody.
  /// `command` and `services` must outlive it.
  RunObserver(const Command& command, const SettingValues& settings, CommandServices& services);

  /// One of them is called after the result or the error was printed. They never throw: what could
  /// not be told is a warning of the log.
  void Completed(ExitStatus status);
  void Failed(const Error& error, const std::string& aftermath);

  /// What the process ends with: `status`, or 0 where --warnings-as-success makes it that.
  ExitStatus ForProcess(ExitStatus status) const;

 private:
  RunSummary Summarize(ExitStatus status) const;

  const Command& command_;
  CommandServices& services_;
  const bool warnings_as_success_;
  const TimePoint started_;
  const std::chrono::steady_clock::time_point begin_;
  RunReporter reporter_;
};

/// Writes the summary of a run that failed before it had settings, when its arguments or
/// SUMMARY_FILE name a file for it.
void TellEarlyFailure(const std::vector<std::string>& arguments, const Environment& environment,
                      const Error& error, bool json_log);

}  // namespace oxbackup
