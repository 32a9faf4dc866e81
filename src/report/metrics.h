// The metrics of a run: what there is, and what one run says of them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/run_summary.h"

namespace oxbackup {

/// One metric, as docs/operations.md lists them. All are gauges: each run replaces what the one
/// before has said.
struct MetricDefinition {
  std::string_view name;
  std::string_view unit;      ///< "seconds", "bytes", …; times are seconds since 1970
  std::string_view labels;    ///< of its own, separated by ','
  std::string_view commands;  ///< that write it
  std::string_view help;      ///< one sentence
};

/// All of them, those of one command together.
std::span<const MetricDefinition> MetricDefinitions();
/// nullptr when there is none of that name.
const MetricDefinition* FindMetric(std::string_view name);

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

struct MetricSample {
  std::string_view name;  ///< of a MetricDefinition
  MetricLabels labels = {};
  double value = 0;
};

/// What this run says. A failed one says nothing of the last success, nor of sizes: what an earlier
/// one has said stays where the samples go.
std::vector<MetricSample> MetricsOf(const RunSummary& summary);

/// Throws Error(kUsage), naming `origin`, for a name that Prometheus does not take as a label's,
/// one that a metric or a group has already, one that is there twice, and an empty value.
/// `texts`: NAME=VALUE each.
MetricLabels ParseMetricLabels(const std::vector<std::string>& texts, std::string_view origin);

}  // namespace oxbackup
