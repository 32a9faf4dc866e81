#include "mysql/named_objects.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace oxbackup::mysql {
namespace {

struct Group {
  std::string_view one;
  std::string_view many;
};

constexpr std::array<Group, 4> kGroups = {
    {{"view", "views"}, {"trigger", "triggers"}, {"routine", "routines"}, {"event", "events"}}};

std::string Count(const NamedObjects& objects, const Group& group) {
  const auto count = std::ranges::count_if(
      objects, [&](const auto& object) { return GroupOf(object.first) == group.many; });
  return count == 0 ? "none" : FormatCounted(static_cast<uint64_t>(count), group.one, group.many);
}

bool MayLack(const ComponentManifest& archive, const std::string& database,
             std::string_view group) {
  const auto unseen = archive.unseen.find(database);
  return unseen != archive.unseen.end() && unseen->second.find(group) != std::string::npos;
}

// Whether the archive lacks it because the backup could not copy it.
bool WasMissed(const ComponentManifest& archive, const std::string& database,
               const NamedObjects::value_type& object) {
  return MayLack(archive, database, GroupOf(object.first)) || Lists(archive, database, object);
}

}  // namespace

std::string ManifestKind(std::string_view kind) {
  std::string name(kind);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c == ' ' ? '_' : static_cast<char>(c | 0x20); });
  return name;
}

NamedObjects ObjectsOf(const Database& database) {
  NamedObjects objects;
  for (const std::string& view : database.views) objects.emplace("view", view);
  for (const auto* const list : {&database.triggers, &database.routines, &database.events}) {
    for (const NamedObject& object : *list) {
      objects.emplace(ManifestKind(object.kind), object.name);
    }
  }
  return objects;
}

NamedObjects ObjectsOf(const ComponentManifest& archive, const std::string& database) {
  NamedObjects objects;
  for (const ObjectEntry& object : archive.objects) {
    if (object.database != database || GroupOf(object.kind).empty()) continue;
    if (object.details.contains(kStateDetail)) continue;
    objects.emplace(object.kind, object.name);
  }
  return objects;
}

bool Lists(const ComponentManifest& archive, const std::string& database,
           const NamedObjects::value_type& object) {
  return std::ranges::any_of(archive.objects, [&](const ObjectEntry& entry) {
    return entry.database == database && entry.kind == object.first && entry.name == object.second;
  });
}

std::string_view GroupOf(std::string_view manifest_kind) {
  if (manifest_kind == "table" || manifest_kind == "sequence") return "";
  for (const Group& group : kGroups) {
    if (manifest_kind == group.one) return group.many;
  }
  return "routines";
}

void PlanObjects(const Database& live, const ComponentManifest& archive, uint64_t fewer_tables,
                 RestorePlan& plan, Warnings& warnings) {
  const NamedObjects now = ObjectsOf(live);
  const NamedObjects after = ObjectsOf(archive, live.name);
  for (const Group& group : kGroups) {
    const std::string before = Count(now, group);
    const std::string then = Count(after, group);
    if (before == "none" && then == "none") continue;
    plan.replaced.push_back({fmt::format("{}: {}", live.name, group.many), before, then});
  }
  NamedObjects missed;
  std::ranges::copy_if(now, std::inserter(missed, missed.end()), [&](const auto& object) {
    return !after.contains(object) && WasMissed(archive, live.name, object);
  });
  std::vector<std::string> counts;
  if (fewer_tables > 0 && MayLack(archive, live.name, "tables")) {
    counts.push_back(FormatCounted(fewer_tables, "table", "tables"));
  }
  for (const Group& group : kGroups) {
    if (std::string count = Count(missed, group); count != "none") {
      counts.push_back(std::move(count));
    }
  }
  if (counts.empty()) return;
  warnings.Add(fmt::format(
      "of {} the backup could not copy everything: the restore removes {} that the archive does "
      "not have (give the account of the backup the rights SELECT, SHOW VIEW, TRIGGER, "
      "EVENT and SHOW_ROUTINE, and back up again)",
      live.name, fmt::join(counts, ", ")));
}

}  // namespace oxbackup::mysql
