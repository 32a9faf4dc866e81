#include "report/run_reporter.h"

#include <fmt/format.h>

#include <utility>

#include "base/log_line.h"
#include "report/metrics_file.h"
#include "report/summary_file.h"

namespace oxbackup {
namespace {

constexpr std::chrono::milliseconds kBesideARun{5'000};
constexpr std::chrono::milliseconds kAfterAStop{5'000};

nlohmann::ordered_json LabelsJson(const MetricLabels& labels) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : labels) json[name] = value;
  return json;
}

}  // namespace

RunReporter::RunReporter(ReportOptions options, std::unique_ptr<HttpClient> client, Log& log)
    : options_(std::move(options)), client_(std::move(client)), log_(log) {}

void RunReporter::Started(const std::string& command, TimePoint started,
                          const std::stop_token& stop) {
  std::vector<Message> messages;
  nlohmann::ordered_json facts = {{"command", command}, {"started", FormatRfc3339(started)}};
  if (options_.ping) {
    messages.push_back(PingMessage(*options_.ping, RunEvent::kStart, DumpLine(facts)));
  }
  if (options_.webhook) {
    if (!options_.labels.empty()) facts["labels"] = LabelsJson(options_.labels);
    messages.push_back(WebhookMessage(*options_.webhook, RunEvent::kStart, facts));
  }
  if (messages.empty()) return;
  start_ = std::jthread([this, stop, messages = std::move(messages)] {
    start_failures_ = DeliverAll(*client_, messages, {.all = kBesideARun}, stop, log_);
  });
}

void RunReporter::Ended(const RunSummary& summary, const std::stop_token& stop) noexcept {
  try {
    const std::vector<MetricSample> samples = MetricsOf(summary);
    WriteFiles(summary, samples, stop);
    if (start_.joinable()) start_.join();
    for (const std::string& failure : start_failures_) Warn(failure);
    Send(MessagesOf(summary, samples), stop);
  } catch (const std::exception& error) {
    Warn(fmt::format("the end of the run could not be told: {}", error.what()));
  }
}

void RunReporter::WriteFiles(const RunSummary& summary, const std::vector<MetricSample>& samples,
                             const std::stop_token& stop) {
  const auto attempt = [&](const auto& write) {
    try {
      write();
    } catch (const Error& error) {
      Warn(fmt::format("{}: {}", error.what(), error.cause()));
    }
  };
  if (!options_.summary_file.empty()) {
    attempt([&] { WriteSummaryFile(options_.summary_file, DumpLine(SummaryJson(summary))); });
  }
  if (!options_.metrics_file.empty() && !samples.empty()) {
    attempt(
        [&] { UpdateMetricsFile(options_.metrics_file, samples, options_.labels, stop, log_); });
  }
}

std::vector<Message> RunReporter::MessagesOf(const RunSummary& summary,
                                             const std::vector<MetricSample>& samples) const {
  std::vector<Message> messages;
  nlohmann::ordered_json facts = SummaryJson(summary);
  const RunEvent event = EndOf(summary);
  if (options_.pushgateway && !samples.empty()) {
    messages.push_back(
        PushMessage(*options_.pushgateway, summary.command, options_.labels, samples));
  }
  if (options_.ping) messages.push_back(PingMessage(*options_.ping, event, DumpLine(facts)));
  if (options_.webhook) {
    if (!options_.labels.empty()) facts["labels"] = LabelsJson(options_.labels);
    messages.push_back(WebhookMessage(*options_.webhook, event, facts));
  }
  return messages;
}

void RunReporter::Send(const std::vector<Message>& messages, const std::stop_token& stop) {
  if (messages.empty()) return;
  // Whoever stopped the run still learns from its monitoring that it has not finished.
  const bool stopped = stop.stop_requested();
  CourierLimits limits;
  if (stopped) limits.all = kAfterAStop;
  const std::stop_token token = stopped ? std::stop_token() : stop;
  for (const std::string& failure : DeliverAll(*client_, messages, limits, token, log_)) {
    Warn(failure);
  }
}

void RunReporter::Warn(const std::string& text) { log_.Write(LogLevel::kWarning, text); }

}  // namespace oxbackup
