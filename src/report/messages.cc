#include "report/messages.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/hash.h"
#include "base/log_line.h"
#include "report/exposition.h"

namespace oxbackup {
namespace {

constexpr std::array<std::string_view, 3> kEventNames = {"start", "success", "failure"};
constexpr std::array<std::string_view, 3> kPingSuffixes = {"/start", "", "/fail"};

std::string AboutEvent(RunEvent event) {
  return "the run's " + std::string(kEventNames[static_cast<size_t>(event)]);
}

std::string WithoutEndSlashes(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path;
}

// "/name/value", or in URL-safe Base64 where a '/' in the value would end it early.
std::string GroupPart(const std::string& name, const std::string& value) {
  if (value.find('/') == std::string::npos) return "/" + name + "/" + EncodeUrlPart(value);
  std::string encoded = Base64(value);
  std::ranges::replace(encoded, '+', '-');
  std::ranges::replace(encoded, '/', '_');
  return "/" + name + "@base64/" + encoded;
}

}  // namespace

RunEvent EndOf(const RunSummary& summary) {
  return summary.succeeded() ? RunEvent::kSuccess : RunEvent::kFailure;
}

Message PingMessage(const ServiceAddress& to, RunEvent event, std::string text) {
  Message message{.to = to,
                  .url = to.url,
                  .content_type = "text/plain; charset=utf-8",
                  .body = std::move(text),
                  .about = AboutEvent(event)};
  if (const std::string_view suffix = kPingSuffixes[static_cast<size_t>(event)]; !suffix.empty()) {
    message.url.path = WithoutEndSlashes(message.url.path) + std::string(suffix);
  }
  return message;
}

Message WebhookMessage(const ServiceAddress& to, RunEvent event,
                       const nlohmann::ordered_json& facts) {
  nlohmann::ordered_json json = {{"event", kEventNames[static_cast<size_t>(event)]}};
  json.update(facts);
  return {.to = to,
          .url = to.url,
          .content_type = "application/json",
          .body = DumpLine(json),
          .about = AboutEvent(event)};
}

Message PushMessage(const ServiceAddress& gateway, const std::string& command,
                    const MetricLabels& labels, const std::vector<MetricSample>& samples) {
  Message message{.to = gateway,
                  .url = gateway.url,
                  .content_type = "text/plain; version=0.0.4; charset=utf-8",
                  .body = ExpositionText(samples, {}),
                  .about = "the run's metrics"};
  std::string& path = message.url.path;
  path = WithoutEndSlashes(path) + "/metrics/job/openedx_backup" + GroupPart("command", command);
  for (const auto& [name, value] : labels) path += GroupPart(name, value);
  return message;
}

}  // namespace oxbackup
