#include "report/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace oxbackup {
namespace {

constexpr MetricDefinition kMetrics[] = {
    {"openedx_backup_last_success_timestamp_seconds", "seconds", "", "backup",
     "When the last backup that succeeded ended, with warnings or without."},
    {"openedx_backup_last_run_timestamp_seconds", "seconds", "", "backup",
     "When the last backup ended, whatever became of it."},
    {"openedx_backup_last_run_status", "status", "", "backup",
     "Exit status of the last backup: 0 complete, 3 with warnings, anything else failed."},
    {"openedx_backup_warnings", "warnings", "", "backup", "Warnings of the last backup."},
    {"openedx_backup_duration_seconds", "seconds", "phase", "backup",
     "How long the last successful backup took: to copy the site, and to read the archive back."},
    {"openedx_backup_size_bytes", "bytes", "component,kind", "backup",
     "Size of the last successful backup: raw by component, and the stored archive."},
    {"openedx_backup_rows", "rows", "component", "backup",
     "Rows, documents or files of each component in the last successful backup."},
    {"openedx_backup_skew_seconds", "seconds", "", "backup",
     "Time between the moments of the databases in the last successful backup."},
    {"openedx_backup_verify_last_success_timestamp_seconds", "seconds", "", "verify",
     "When the last archive that was verified as a whole was found to be so."},
    {"openedx_backup_verify_last_run_timestamp_seconds", "seconds", "", "verify",
     "When the last verification of a whole archive ended, whatever it found."},
    {"openedx_backup_verify_last_run_status", "status", "", "verify",
     "Exit status of the last verification of a whole archive; 5 means a damaged one."},
    {"openedx_restore_last_success_timestamp_seconds", "seconds", "", "restore",
     "When the last restore that succeeded ended, also when it had nothing to do."},
    {"openedx_restore_last_run_timestamp_seconds", "seconds", "", "restore",
     "When the last restore ended, whatever became of it."},
    {"openedx_restore_last_run_status", "status", "", "restore",
     "Exit status of the last restore: 0 complete, 3 with warnings, anything else failed."},
    {"openedx_restore_warnings", "warnings", "", "restore", "Warnings of the last restore."},
    {"openedx_restore_applied_backup_timestamp_seconds", "seconds", "", "restore",
     "When the backup was made that the site holds since its last restore."},
    {"openedx_restore_duration_seconds", "seconds", "", "restore",
     "How long the last restore that replaced data took."},
    {"openedx_restore_swap_seconds", "seconds", "", "restore",
     "How long the swap of the last restore that replaced data held readers or writers up."},
    {"openedx_backup_prune_last_success_timestamp_seconds", "seconds", "", "prune",
     "When the last prune that succeeded ended."},
    {"openedx_backup_prune_last_run_timestamp_seconds", "seconds", "", "prune",
     "When the last prune ended, whatever became of it."},
    {"openedx_backup_prune_last_run_status", "status", "", "prune",
     "Exit status of the last prune: 0 complete, 3 with warnings, anything else failed."},
    {"openedx_backup_retained_archives", "archives", "", "prune, list",
     "Archives in the place of archives that can be restored from."},
};

// Labels that our metrics or the Pushgateway's groups have, and those that Prometheus sets itself.
constexpr std::array<std::string_view, 5> kTakenLabels = {"job", "command", "component", "kind",
                                                          "phase"};

double SecondsOf(std::chrono::milliseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

double SecondsOf(TimePoint time) {
  return SecondsOf(std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()));
}

class Samples {
 public:
  void Add(std::string_view name, double value, MetricLabels labels = {}) {
    samples_.push_back({.name = name, .labels = std::move(labels), .value = value});
  }

  // What every run says, whatever became of it, and when it succeeded. The names are of three
  // metrics of the command.
  void AddRun(const RunSummary& run, std::string_view success, std::string_view last,
              std::string_view status) {
    if (run.succeeded()) Add(success, SecondsOf(run.finished));
    Add(last, SecondsOf(run.finished));
    Add(status, run.exit_status);
  }

  void AddBackup(const RunSummary& run) {
    AddRun(run, "openedx_backup_last_success_timestamp_seconds",
           "openedx_backup_last_run_timestamp_seconds", "openedx_backup_last_run_status");
    Add("openedx_backup_warnings", static_cast<double>(run.warnings.size()));
    if (!run.succeeded()) return;
    const RunFacts& facts = run.facts;
    const std::chrono::milliseconds read_back =
        facts.read_back.value_or(std::chrono::milliseconds(0));
    Add("openedx_backup_duration_seconds", SecondsOf(run.duration - read_back),
        {{"phase", "copy"}});
    Add("openedx_backup_duration_seconds", SecondsOf(read_back), {{"phase", "read_back"}});
    for (const ComponentFacts& component : facts.components) {
      Add("openedx_backup_size_bytes", static_cast<double>(component.raw_bytes.value_or(0)),
          {{"component", component.name}, {"kind", "raw"}});
      Add("openedx_backup_rows", static_cast<double>(component.items.value_or(0)),
          {{"component", component.name}});
    }
    if (facts.stored_bytes) {
      Add("openedx_backup_size_bytes", static_cast<double>(*facts.stored_bytes),
          {{"component", "archive"}, {"kind", "stored"}});
    }
    if (facts.skew) Add("openedx_backup_skew_seconds", SecondsOf(*facts.skew));
  }

  void AddRestore(const RunSummary& run) {
    AddRun(run, "openedx_restore_last_success_timestamp_seconds",
           "openedx_restore_last_run_timestamp_seconds", "openedx_restore_last_run_status");
    Add("openedx_restore_warnings", static_cast<double>(run.warnings.size()));
    const RunFacts& facts = run.facts;
    if (facts.applied && facts.applied->created) {
      Add("openedx_restore_applied_backup_timestamp_seconds", SecondsOf(*facts.applied->created));
    }
    if (!run.succeeded() || !facts.swap) return;
    Add("openedx_restore_duration_seconds", SecondsOf(run.duration));
    Add("openedx_restore_swap_seconds", SecondsOf(*facts.swap));
  }

  void AddPlace(const RunSummary& run) {
    if (!run.facts.retained_archives) return;
    Add("openedx_backup_retained_archives", static_cast<double>(*run.facts.retained_archives));
  }

  std::vector<MetricSample> Take() { return std::move(samples_); }

 private:
  std::vector<MetricSample> samples_;
};

bool IsLabelName(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto fits = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && is_letter(name.front()) && std::ranges::all_of(name, fits) &&
         !name.starts_with("__");
}

Error BadLabel(std::string_view origin, std::string_view text, std::string_view why) {
  return Error(ErrorKind::kUsage, fmt::format("{}: '{}' {}", origin, text, why))
      .Hint("a name of letters, digits and _, and a value: site=campus");
}

}  // namespace

std::span<const MetricDefinition> MetricDefinitions() { return kMetrics; }

const MetricDefinition* FindMetric(std::string_view name) {
  const auto found = std::ranges::find(kMetrics, name, &MetricDefinition::name);
  return found == std::end(kMetrics) ? nullptr : &*found;
}

std::vector<MetricSample> MetricsOf(const RunSummary& summary) {
  Samples samples;
  if (summary.command == "backup") samples.AddBackup(summary);
  if (summary.command == "restore") samples.AddRestore(summary);
  if (summary.command == "verify") {
    samples.AddRun(summary, "openedx_backup_verify_last_success_timestamp_seconds",
                   "openedx_backup_verify_last_run_timestamp_seconds",
                   "openedx_backup_verify_last_run_status");
  }
  if (summary.command == "prune") {
    samples.AddRun(summary, "openedx_backup_prune_last_success_timestamp_seconds",
                   "openedx_backup_prune_last_run_timestamp_seconds",
                   "openedx_backup_prune_last_run_status");
  }
  samples.AddPlace(summary);
  return samples.Take();
}

MetricLabels ParseMetricLabels(const std::vector<std::string>& texts, std::string_view origin) {
  MetricLabels labels;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) throw BadLabel(origin, text, "is no NAME=VALUE");
    const std::string name = text.substr(0, equals);
    if (!IsLabelName(name)) throw BadLabel(origin, name, "is no name of a label");
    if (std::ranges::find(kTakenLabels, name) != kTakenLabels.end()) {
      throw BadLabel(origin, name, "is a label of our own");
    }
    if (equals + 1 == text.size()) throw BadLabel(origin, name, "has no value");
    const auto same = [&](const auto& label) { return label.first == name; };
    if (std::ranges::any_of(labels, same)) throw BadLabel(origin, name, "is there twice");
    labels.emplace_back(name, text.substr(equals + 1));
  }
  std::ranges::sort(labels);
  return labels;
}

}  // namespace oxbackup
