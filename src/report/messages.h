// What is sent to the services that are told of a run.
#pragma once

#include <string>

#include "report/metrics.h"
#include "report/run_summary.h"
#include "report/service_address.h"

namespace oxbackup {

/// One request, which is a POST.
struct Message {
  ServiceAddress to;
  Url url;
  std::string content_type;
  std::string body;
  std::string about;  ///< for messages to people: "the run's start"
};

enum class RunEvent { kStart, kSuccess, kFailure };

/// kSuccess or kFailure.
RunEvent EndOf(const RunSummary& summary);

/// As healthchecks.io has it: the address itself after a success, with /start or /fail behind its
/// path otherwise; `text` is shown there.
Message PingMessage(const ServiceAddress& to, RunEvent event, std::string text);

/// {"event": …} and what `facts` has.
Message WebhookMessage(const ServiceAddress& to, RunEvent event,
                       const nlohmann::ordered_json& facts);

/// Metrics for the group of job "openedx_backup", the command and the labels. Metrics of the group
/// that are not among the samples stay there.
Message PushMessage(const ServiceAddress& gateway, const std::string& command,
                    const MetricLabels& labels, const std::vector<MetricSample>& samples);

}  // namespace oxbackup
