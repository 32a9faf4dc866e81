#include "report/run_summary.h"

#include <algorithm>
#include <limits>

#include "base/log_line.h"

namespace oxbackup {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostWarnings = 10;
constexpr size_t kWarningBytes = 300;

// How much of what may be long is left in, bytes.
struct Limits {
  size_t warnings = kMostWarnings;
  size_t text = std::numeric_limits<size_t>::max();
  size_t name = std::numeric_limits<size_t>::max();
  bool components = true;
};

void AddText(Json& json, const char* key, const std::string& text, size_t most) {
  if (!text.empty()) json[key] = CutText(text, most);
}

template <class Number>
void AddNumber(Json& json, const char* key, const std::optional<Number>& number) {
  if (number) json[key] = *number;
}

Json ComponentsJson(const std::vector<ComponentFacts>& components) {
  Json json = Json::object();
  for (const ComponentFacts& component : components) {
    Json& entry = json[component.name] = Json::object();
    AddNumber(entry, "items", component.items);
    AddNumber(entry, "raw_bytes", component.raw_bytes);
  }
  return json;
}

Json AppliedJson(const AppliedFacts& applied, const Limits& limits) {
  Json json = Json::object();
  AddText(json, "archive", applied.archive, limits.name);
  AddText(json, "version", applied.version, limits.name);
  if (applied.created) json["created"] = FormatRfc3339(*applied.created);
  return json;
}

Json ErrorJsonOf(const Error& error, const Limits& limits) {
  Json json = {{"kind", ErrorKindName(error.kind())}};
  AddText(json, "message", error.what(), limits.text);
  AddText(json, "cause", error.cause(), limits.text);
  AddText(json, "do", error.hint(), limits.text);
  return json;
}

Json Assemble(const RunSummary& summary, const Limits& limits) {
  const RunFacts& facts = summary.facts;
  Json json = {{"type", "summary"},
               {"command", summary.command},
               {"status", summary.status},
               {"exit_status", summary.exit_status}};
  AddText(json, "archive", facts.archive, limits.name);
  AddText(json, "version", facts.version, limits.name);
  AddText(json, "location", facts.location, limits.name);
  json["started"] = FormatRfc3339(summary.started);
  json["finished"] = FormatRfc3339(summary.finished);
  json["duration_ms"] = summary.duration.count();
  AddNumber(json, "stored_bytes", facts.stored_bytes);
  AddNumber(json, "raw_bytes", facts.raw_bytes);
  if (limits.components && !facts.components.empty()) {
    json["components"] = ComponentsJson(facts.components);
  }
  AddNumber(json, "retained_archives", facts.retained_archives);
  json["warnings"] = summary.warnings.size();
  Json first = Json::array();
  for (size_t at = 0; at < std::min(limits.warnings, summary.warnings.size()); ++at) {
    first.push_back(CutText(summary.warnings[at], kWarningBytes));
  }
  if (!first.empty()) json["first_warnings"] = std::move(first);
  if (summary.error) json["error"] = ErrorJsonOf(*summary.error, limits);
  AddText(json, "aftermath", summary.aftermath, limits.text);
  json["skipped"] = facts.skipped;
  if (facts.applied) json["applied"] = AppliedJson(*facts.applied, limits);
  AddNumber(json, "finished_swaps", facts.finished_swaps);
  json["dry_run"] = facts.dry_run;
  return json;
}

// Of lines that are about to be written, one after the other less complete.
bool Fits(const Json& json) { return DumpLine(json).size() <= kSummaryBytes; }

}  // namespace

std::string CutText(const std::string& text, size_t most) {
  constexpr std::string_view kEllipsis = "…";
  if (text.size() <= most) return text;
  size_t end = most - kEllipsis.size();
  const auto is_inside = [&](size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
  };
  while (end > 0 && is_inside(end)) --end;
  return text.substr(0, end) + std::string(kEllipsis);
}

Json SummaryJson(const RunSummary& summary) {
  Limits limits;
  limits.warnings = std::min(kMostWarnings, summary.warnings.size());
  Json json = Assemble(summary, limits);
  const auto shorter = [&] { return !Fits(json = Assemble(summary, limits)); };
  while (!Fits(json) && limits.warnings > 0) {
    --limits.warnings;
    json = Assemble(summary, limits);
  }
  for (limits.text = 1024; limits.text >= 64 && !Fits(json); limits.text /= 2) shorter();
  for (limits.name = 1024; limits.name >= 32 && !Fits(json); limits.name /= 2) shorter();
  limits.components = Fits(json);
  return limits.components ? json : Assemble(summary, limits);
}

}  // namespace oxbackup
