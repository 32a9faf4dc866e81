#include "cli/report_settings.h"

#include <algorithm>
#include <array>

#include "report/metrics_file.h"
#include "report/summary_file.h"

namespace oxbackup {
namespace {

bool Has(const SettingValues& settings, std::string_view id) {
  return settings.Knows(id) && settings.Switch(id);
}

bool HasMetrics(const SettingValues& settings) {
  constexpr std::array<std::string_view, 5> kOthers = {"quick", "against-live", "undo", "drop-old",
                                                       "list-versions"};
  return settings.Knows("metrics-file") &&
         std::ranges::none_of(kOthers, [&](std::string_view id) { return Has(settings, id); });
}

/// A path and the setting that it is of.
std::optional<std::pair<std::string, std::string>> PathOf(const SettingValues& settings,
                                                          std::string_view id) {
  const std::optional<SettingValue> value = settings.Find(id);
  if (!value) return std::nullopt;
  return std::pair(settings.TextOr(id, ""), value->origin);
}

/// `command`: takes the place of {command} in the address.
std::optional<ServiceAddress> AddressOf(const SettingValues& settings, std::string_view id,
                                        const Command& command) {
  constexpr std::string_view kPlace = "{command}";
  std::string text = settings.Secret(id);
  if (text.empty()) return std::nullopt;
  for (size_t at = text.find(kPlace); at != std::string::npos; at = text.find(kPlace, at)) {
    text.replace(at, kPlace.size(), command.name);
  }
  return ParseServiceAddress(text, std::string(FindSetting(command.bit, id)->variable));
}

void ReadMetrics(const SettingValues& settings, const Command& command, ReportOptions& options) {
  if (const auto file = PathOf(settings, "metrics-file")) {
    CheckMetricsFile(file->first, file->second);
    options.metrics_file = file->first;
  }
  options.pushgateway = AddressOf(settings, "metrics-pushgateway-url", command);
}

}  // namespace

ReportOptions ReportOptionsOf(const SettingValues& settings, const Command& command) {
  ReportOptions options;
  if (!settings.Knows("summary-file")) return options;
  const bool told = !Has(settings, "dry-run");
  if (settings.Knows("metrics-labels")) {
    const SettingValue labels = settings.Find("metrics-labels").value_or(SettingValue{});
    options.labels = ParseMetricLabels(settings.List("metrics-labels"), labels.origin);
  }
  if (told && HasMetrics(settings)) ReadMetrics(settings, command, options);
  if (told && settings.Knows("ping-url")) {
    options.ping = AddressOf(settings, "ping-url", command);
    options.webhook = AddressOf(settings, "webhook-url", command);
  }
  // Last: a file of before is emptied only by a run that begins.
  if (const auto file = PathOf(settings, "summary-file")) {
    PrepareSummaryFile(file->first, file->second);
    options.summary_file = file->first;
  }
  return options;
}

}  // namespace oxbackup
