// What every command is given and gives back.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>

#include "base/run_context.h"
#include "cli/exit_status.h"
#include "cli/progress_display.h"
#include "cli/setting_values.h"
#include "cli/signals.h"
#include "engine/choice.h"
#include "engine/location.h"
#include "report/run_summary.h"

namespace oxbackup {

/// What a command found or did.
struct CommandOutcome {         // NOLINT(bugprone-exception-escape): JSON moves without throwing
  std::string text;             ///< for people, on standard output
  nlohmann::ordered_json json;  ///< the same facts; main adds command, status and warnings
  /// Unless set, complete or with warnings.
  std::optional<ExitStatus> status;
};

/// The services of one run of the command, made from its settings; owns all that run() refers to.
/// Made before any other thread is started: it blocks the signals that it watches.
class CommandServices {
 public:
  /// Throws Error(kUsage) for impossible settings.
  explicit CommandServices(const SettingValues& settings, CommandBit command);

  RunContext run();
  ProgressDisplay& display() { return *display_; }
  const Warnings& warnings() const { return *warnings_; }
  /// What the command says of its run for those who watch from outside.
  RunFacts& facts() { return facts_; }
  int threads() const { return threads_; }
  const Clock& clock() const { return clock_; }
  /// How results for people are shown: standard output's style.
  const TerminalStyle& style() const { return style_; }
  /// Whether the result is printed in JSON: where --json asks for it, and with a log in JSON for
  /// commands that are run as jobs, whose two outputs are often one.
  bool json() const { return json_ || (json_log_ && is_job_); }
  bool json_log() const { return json_log_; }
  /// AskYesNo for the run. A signal ends the question without a word of its own.
  bool Ask(const std::string& text);

  /// What is true after an error, in a sentence for the operator; asked when there is one.
  std::function<std::string()> aftermath = [] { return std::string(); };

 private:
  SystemClock clock_;
  std::stop_source stop_;
  Progress progress_;
  RunFacts facts_;
  std::unique_ptr<ProgressDisplay> display_;
  std::unique_ptr<Warnings> warnings_;
  std::unique_ptr<ByteBudget> budget_;
  int threads_ = 1;
  bool json_ = false;
  bool json_log_ = false;
  bool is_job_ = false;
  std::atomic<bool> asking_ = false;
  TerminalStyle style_;
  std::unique_ptr<SignalWatcher> signals_;
};

/// Opens BACKUP_LOCATION, --to or --from, else the bucket of S3_BUCKET_NAME. Throws Error(kUsage)
/// when none is set. What `run` refers to has to outlive the store.
Location OpenConfiguredLocation(const SettingValues& settings, std::string_view flag,
                                const RunContext& run);
/// The archive that --from, --name and --date mean. Throws Error(kUsage) when they contradict.
ArchiveChoice ChoiceOf(const SettingValues& settings, const Location& location);

}  // namespace oxbackup
