#include "cli/json_report.h"

#include "base/clock.h"
#include "cli/component_summary.h"

namespace oxbackup {

using Json = nlohmann::ordered_json;

namespace {

// One component of a manifest.
Json ComponentJson(const ComponentManifest& component, bool objects) {
  const ComponentSummary summary = Summarize(component);
  Json json = {{"name", component.name}};
  if (!component.server_flavour.empty()) {
    json["server"] = {{"flavour", component.server_flavour}, {"version", component.server_version}};
  }
  json["databases"] = summary.databases;
  json["objects"] = summary.objects;
  json["items"] = summary.items;
  json["raw_bytes"] = summary.raw_bytes;
  json["digest"] = summary.digest;
  json["consistency"] = component.consistency;
  json["positions"] = component.positions;
  json["moment"] = FormatRfc3339(component.moment);
  json["lock_ms"] = component.lock_ms;
  if (!objects) return json;
  Json list = Json::array();
  for (const ObjectEntry& object : component.objects) {
    list.push_back({{"database", object.database},
                    {"name", object.name},
                    {"kind", object.kind},
                    {"items", object.items},
                    {"raw_bytes", object.raw_bytes},
                    {"digest", object.digest},
                    {"details", object.details}});
  }
  json["entries"] = std::move(list);
  return json;
}

}  // namespace

Json ProgressJson(const ProgressView& view) {
  Json components = Json::array();
  for (const ComponentProgress& component : view.board.components) {
    Json entry = {{"name", component.name},     {"phase", component.phase},
                  {"object", component.object}, {"bytes", component.bytes},
                  {"items", component.items},   {"done", component.done}};
    if (HasEnd(component)) entry["expected_bytes"] = component.expected_bytes;
    if (const auto rate = view.bytes_per_second.find(component.name);
        rate != view.bytes_per_second.end()) {
      entry["bytes_per_second"] = static_cast<uint64_t>(rate->second);
    }
    components.push_back(std::move(entry));
  }
  Json json = {{"type", "progress"},
               {"elapsed_ms", view.elapsed.count()},
               {"components", std::move(components)}};
  if (view.left) json["left_ms"] = view.left->count();
  Json notes = Json::object();
  for (const auto& [title, text] : view.board.notes) notes[title] = text;
  json["notes"] = std::move(notes);
  return json;
}

Json ManifestJson(const Manifest& manifest, const ListTotals& lists, bool objects) {
  Json components = Json::array();
  for (const ComponentManifest& component : manifest.components) {
    components.push_back(ComponentJson(component, objects));
  }
  return {{"format_version", manifest.format_version},
          {"tool_version", manifest.tool_version},
          {"host", manifest.host},
          {"compression", manifest.compression},
          {"started", FormatRfc3339(manifest.started)},
          {"finished", FormatRfc3339(manifest.finished)},
          {"skew_ms", manifest.skew_ms},
          {"raw_bytes", lists.raw_bytes},
          {"blocks", lists.blocks},
          {"members", lists.members},
          {"components", std::move(components)},
          {"warnings", manifest.warnings}};
}

void AddStoredSizes(const Manifest& manifest, const StoredSizes& stored, Json& json) {
  for (size_t at = 0; at < manifest.components.size(); ++at) {
    const ComponentManifest& component = manifest.components[at];
    Json& shown = json["components"][at];
    if (const auto size = stored.components.find(component.name); size != stored.components.end()) {
      shown["stored_bytes"] = size->second;
    }
    if (!shown.contains("entries")) continue;
    for (size_t entry = 0; entry < component.objects.size(); ++entry) {
      const auto size = stored.objects.find(&component.objects[entry]);
      if (size != stored.objects.end()) shown["entries"][entry]["stored_bytes"] = size->second;
    }
  }
}

Json ArchiveJson(const ArchiveEntry& entry) {
  static constexpr const char* kStates[] = {"complete", "foreign", "damaged", "unreadable",
                                            "delete_marker"};
  Json json = {{"name", entry.object.name},
               {"made", FormatRfc3339(entry.made)},
               {"stored_bytes", entry.object.size},
               {"state", kStates[static_cast<size_t>(entry.state)]}};
  if (!entry.object.version.empty()) json["version"] = entry.object.version;
  if (entry.from_future) json["dated_in_future"] = true;
  if (!entry.problem.empty()) json["problem"] = entry.problem;
  return json;
}

Json AppliedJson(const AppliedArchive& applied) {
  return {{"archive", applied.archive},
          {"version", applied.version},
          {"identity", applied.identity},
          {"created", applied.created},
          {"applied", applied.applied}};
}

Json HeldJson(const HeldArchives& held) {
  Json json = Json::object();
  for (const auto& [component, applied] : held) json[component] = AppliedJson(applied);
  return json;
}

Json PlansJson(const std::vector<std::pair<std::string, RestorePlan>>& plans) {
  Json list = Json::array();
  for (const auto& [component, plan] : plans) {
    Json replaced = Json::array();
    for (const ReplacedThing& thing : plan.replaced) {
      replaced.push_back({{"what", thing.what}, {"now", thing.now}, {"after", thing.after}});
    }
    Json json = {{"component", component},
                 {"replaced", std::move(replaced)},
                 {"bytes_needed", plan.bytes_needed}};
    if (plan.bytes_free) json["bytes_free"] = *plan.bytes_free;
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace oxbackup
