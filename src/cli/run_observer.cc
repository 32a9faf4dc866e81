#include "cli/run_observer.h"

#include <utility>

#include "base/version.h"
#include "cli/command_line.h"
#include "cli/front_end.h"
#include "cli/report_settings.h"

namespace oxbackup {
namespace {

/// What the operator reads names the commands as the operator knows them.
std::vector<std::string> InOperatorsWords(std::vector<std::string> texts) {
  for (std::string& text : texts) text = InFrontEndsWords(text, FrontEnd());
  return texts;
}

Error InOperatorsWords(const Error& error) {
  const std::string front_end = FrontEnd();
  return Error(error.kind(), InFrontEndsWords(error.what(), front_end))
      .Cause(InFrontEndsWords(error.cause(), front_end))
      .Hint(InFrontEndsWords(error.hint(), front_end));
}

std::unique_ptr<HttpClient> MakeReportClient() {
  constexpr size_t kMostBytes = size_t{1} << 20;  // nothing that these services answer is needed
  return MakeHttpClient(
      {.user_agent = std::string("openedx-backup/") + kVersion, .max_body = kMostBytes});
}

void SetError(RunSummary& summary, const Error& error, const std::string& aftermath) {
  summary.error = InOperatorsWords(error);
  summary.aftermath =
      InFrontEndsWords(error.outcome().empty() ? aftermath : error.outcome(), FrontEnd());
}

}  // namespace

RunObserver::RunObserver(const Command& command, const SettingValues& settings,
                         CommandServices& services)
    : command_(command),
      services_(services),
      warnings_as_success_(settings.Knows("warnings-as-success") &&
                           settings.Bool("warnings-as-success")),
      started_(services.clock().Now()),
      begin_(std::chrono::steady_clock::now()),
      reporter_(ReportOptionsOf(settings, command), MakeReportClient(), services.display()) {
  reporter_.Started(std::string(command_.name), started_, services_.run().stop);
}

void RunObserver::Completed(ExitStatus status) {
  reporter_.Ended(Summarize(status), services_.run().stop);
}

void RunObserver::Failed(const Error& error, const std::string& aftermath) {
  RunSummary summary = Summarize(StatusOf(error.kind()));
  SetError(summary, error, aftermath);
  reporter_.Ended(summary, services_.run().stop);
}

ExitStatus RunObserver::ForProcess(ExitStatus status) const {
  const bool hidden = warnings_as_success_ && status == ExitStatus::kWarnings;
  return hidden ? ExitStatus::kComplete : status;
}

RunSummary RunObserver::Summarize(ExitStatus status) const {
  return {.command = std::string(command_.name),
          .status = std::string(StatusName(status)),
          .exit_status = static_cast<int>(status),
          .started = started_,
          .finished = services_.clock().Now(),
          .duration = std::chrono::duration_cast<std::chrono::milliseconds>(
              std::chrono::steady_clock::now() - begin_),
          .facts = services_.facts(),
          .warnings = InOperatorsWords(services_.warnings().All())};
}

void TellEarlyFailure(const std::vector<std::string>& arguments, const Environment& environment,
                      const Error& error, bool json_log) {
  const std::string file = AskedSummaryFile(arguments, environment);
  if (file.empty()) return;
  const ExitStatus status = StatusOf(error.kind());
  const TimePoint now = SystemClock().Now();
  RunSummary summary{.command = arguments.front(),
                     .status = std::string(StatusName(status)),
                     .exit_status = static_cast<int>(status),
                     .started = now,
                     .finished = now};
  SetError(summary, error, "");
  const std::unique_ptr<Log> log =
      MakeStderrLog(LogLevel::kWarning, json_log ? LogFormat::kJson : LogFormat::kText, false);
  RunReporter({.summary_file = file}, nullptr, *log).Ended(summary, {});
}

}  // namespace oxbackup
