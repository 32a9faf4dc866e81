// Metrics in a file that node_exporter's textfile collector reads.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "report/metrics.h"

namespace oxbackup {

/// Throws Error(kUsage), naming `origin` (the setting), when the collector would not read a file of
/// that name, or it cannot be written.
void CheckMetricsFile(const std::string& path, std::string_view origin);

/// Puts the samples into the file, beside what other commands and runs with other labels have
/// written there (MergeExposition). It is replaced as a whole, readable for everybody; runs that
/// end at the same time wait for each other, a few seconds at most. Throws Error(kInternal).
void UpdateMetricsFile(const std::string& path, const std::vector<MetricSample>& samples,
                       const MetricLabels& labels, const std::stop_token& stop, Log& log);

}  // namespace oxbackup
