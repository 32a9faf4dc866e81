#include "report/run_summary_testing.h"

namespace oxbackup {
namespace {

RunSummary Run(std::string command) {
  using namespace std::chrono_literals;
  const TimePoint started = ParseRfc3339("2026-11-26T02:00:00Z").value_or(TimePoint{});
  return {.command = std::move(command),
          .status = "complete",
          .started = started,
          .finished = started + 1'234'500ms,
          .duration = 1'234'500ms};
}

}  // namespace

RunSummary SuccessfulBackup() {
  using namespace std::chrono_literals;
  RunSummary summary = Run("backup");
  summary.facts.location = "s3://campus/site";
  summary.facts.archive = "backup.2026-11-26.tar.xz";
  summary.facts.version = "v1";
  summary.facts.stored_bytes = 1000;
  summary.facts.raw_bytes = 5000;
  summary.facts.components = {{.name = "mysql", .items = 70, .raw_bytes = 3000},
                              {.name = "mongodb", .items = 20, .raw_bytes = 1900}};
  summary.facts.read_back = 34'500ms;
  summary.facts.skew = 250ms;
  return summary;
}

RunSummary FailedBackup() {
  RunSummary summary = Run("backup");
  summary.status = "failed";
  summary.exit_status = 1;
  summary.error = Error(ErrorKind::kSource, "cannot connect to MySQL")
                      .Cause("Access denied (1045)")
                      .Hint("check the password");
  summary.aftermath = "Nothing was written.";
  return summary;
}

RunSummary SuccessfulRestore() {
  using namespace std::chrono_literals;
  RunSummary summary = Run("restore");
  summary.facts.archive = "backup.2026-11-25.tar.xz";
  summary.facts.applied = {.archive = summary.facts.archive,
                           .created = ParseRfc3339("2026-11-25T02:00:00Z")};
  summary.facts.swap = 1500ms;
  return summary;
}

}  // namespace oxbackup
