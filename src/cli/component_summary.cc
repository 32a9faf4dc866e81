#include "cli/component_summary.h"

#include <fmt/format.h>

#include <set>

#include "base/hash.h"
#include "base/text.h"
#include "cli/progress_render.h"

namespace oxbackup {
ComponentSummary Summarize(const ComponentManifest& component) {
  ComponentSummary summary{.name = component.name, .digest = {}};
  std::set<std::string> databases;
  Sha256 digest;
  for (const ObjectEntry& object : component.objects) {
    if (!object.database.empty()) databases.insert(object.database);
    if (HoldsData(object)) ++summary.objects;
    summary.items += object.items;
    summary.raw_bytes += object.raw_bytes;
    digest.Update(fmt::format("{}\n{}\n{}\n{}\n{}\n", object.database, object.name, object.kind,
                              object.items, object.digest));
  }
  summary.databases = databases.size();
  if (!component.objects.empty()) summary.digest = digest.FinishHex().substr(0, 32);
  return summary;
}

std::vector<std::string> SummaryCells(const ComponentSummary& summary) {
  const std::string items = FormatItems(summary.name, summary.items);
  if (summary.name == "mysql") {
    return {FormatCounted(summary.databases, "database", "databases"),
            FormatCounted(summary.objects, "table", "tables"), items};
  }
  if (summary.name == "mongodb") {
    return {FormatCounted(summary.databases, "database", "databases"),
            FormatCounted(summary.objects, "collection", "collections"), items};
  }
  return {"", summary.objects > 1 ? FormatCounted(summary.objects, "folder", "folders") : "",
          items};
}

std::string ShortDigest(const std::string& digest, bool unicode) {
  if (digest.size() < 8) return digest;
  return digest.substr(0, 4) + (unicode ? "…" : "..") + digest.substr(digest.size() - 2);
}

std::vector<ComponentFacts> ComponentFactsOf(const Manifest& manifest) {
  std::vector<ComponentFacts> facts;
  for (const ComponentManifest& component : manifest.components) {
    const ComponentSummary summary = Summarize(component);
    facts.push_back({.name = summary.name, .items = summary.items, .raw_bytes = summary.raw_bytes});
  }
  return facts;
}

std::vector<std::string> ComponentNamesOf(const Manifest& manifest) {
  std::vector<std::string> names;
  for (const ComponentManifest& component : manifest.components) names.push_back(component.name);
  return names;
}

}  // namespace oxbackup
