// Tells of a run's start and end wherever the settings say.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "http/http_client.h"
#include "report/courier.h"
#include "report/metrics.h"
#include "report/run_summary.h"
#include "report/service_address.h"

namespace oxbackup {

/// Where a run is told of; what is empty is not told.
struct ReportOptions {
  std::string summary_file = {};
  std::string metrics_file = {};
  std::optional<ServiceAddress> pushgateway = {};
  std::optional<ServiceAddress> ping = {};
  std::optional<ServiceAddress> webhook = {};
  MetricLabels labels = {};
};

/// Of one run. One thread.
class RunReporter {
 public:
  /// `log` must outlive it. `client` may be nullptr where no service is told.
  RunReporter(ReportOptions options, std::unique_ptr<HttpClient> client, Log& log);

  /// Tells that the run has begun, on a thread of its own, which ends some seconds later at the
  /// latest: the run goes on meanwhile. `stop` is the run's.
  void Started(const std::string& command, TimePoint started, const std::stop_token& stop);

  /// Tells of the end. What cannot be told is a warning of the log, never an exception: the run is
  /// over, and is what it is. Takes ten seconds at most; `stop` ends it at once, but when it was
  /// requested before, the end is told all the same, in five seconds at most.
  void Ended(const RunSummary& summary, const std::stop_token& stop) noexcept;

 private:
  void WriteFiles(const RunSummary& summary, const std::vector<MetricSample>& samples,
                  const std::stop_token& stop);
  std::vector<Message> MessagesOf(const RunSummary& summary,
                                  const std::vector<MetricSample>& samples) const;
  void Send(const std::vector<Message>& messages, const std::stop_token& stop);
  void Warn(const std::string& text);

  const ReportOptions options_;
  const std::unique_ptr<HttpClient> client_;
  Log& log_;
  std::vector<std::string> start_failures_;  // of start_'s until it is joined
  std::jthread start_;                       // last: joined before what it uses goes away
};

}  // namespace oxbackup
