// Prometheus' text format, version 0.0.4: written, and read as far as it has to be kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/metrics.h"

namespace oxbackup {

/// The samples with their HELP and TYPE lines. `labels` are added to each of them.
std::string ExpositionText(const std::vector<MetricSample>& samples, const MetricLabels& labels);

/// What `text` says without what `samples` take the place of, and then the samples: a metric that
/// is among them loses what it has with the same `labels`, all others stay as they are. A line that
/// is not understood is left out, and `lost` counts it.
std::string MergeExposition(std::string_view text, const std::vector<MetricSample>& samples,
                            const MetricLabels& labels, size_t& lost);

}  // namespace oxbackup
