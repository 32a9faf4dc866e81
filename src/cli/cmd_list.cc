#include "cli/cmd_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/component_summary.h"
#include "cli/json_report.h"
#include "cli/list_screens.h"

namespace oxbackup {
namespace {

nlohmann::ordered_json EntryJson(const ArchiveEntry& entry) {
  nlohmann::ordered_json json = ArchiveJson(entry);
  if (entry.manifest) json["components"] = ComponentNamesOf(*entry.manifest);
  return json;
}

CommandOutcome ListVersions(Store& store, size_t most, const TerminalStyle& style,
                            const RunContext& run) {
  const VersionList list = ListArchiveVersions(store, most, run);
  auto versions = nlohmann::ordered_json::array();
  for (const ArchiveEntry& entry : list.newest) {
    nlohmann::ordered_json version = EntryJson(entry);
    version["stored"] = FormatRfc3339(entry.object.modified);
    version["current"] = entry.object.current;
    versions.push_back(std::move(version));
  }
  const std::string place = store.Location();
  return {.text = RenderVersions(place, list, style),
          .json = {{"location", place},
                   {"keeps_versions", list.keeps_versions},
                   {"total", list.total},
                   {"versions", std::move(versions)}},
          .status = {}};
}

uint64_t CountUsable(const std::vector<ArchiveEntry>& entries) {
  return static_cast<uint64_t>(std::ranges::count_if(entries, &ArchiveEntry::IsUsable));
}

// Not a success where nothing could be restored: a job that watches the place has to notice.
std::optional<ExitStatus> ListStatus(const std::vector<ArchiveEntry>& entries) {
  const bool any = std::ranges::any_of(
      entries, [](const ArchiveEntry& entry) { return entry.IsUsable() && !entry.from_future; });
  return any || entries.empty() ? std::nullopt : std::optional(ExitStatus::kWarnings);
}

}  // namespace

CommandOutcome RunList(const SettingValues& settings, CommandServices& services) {
  const RunContext run = services.run();
  const Location location = OpenConfiguredLocation(settings, "from", run);
  services.facts().location = location.store->Location();
  if (settings.Switch("list-versions")) {
    if (location.name) {
      throw Error(ErrorKind::kUsage, "--from names one archive, which has no versions")
          .Hint("openedx-backup list --from s3://bucket --list-versions");
    }
    const int most = settings.Count("list-versions").value_or(1);
    return ListVersions(*location.store, static_cast<size_t>(most), services.style(), run);
  }
  std::vector<ArchiveEntry> entries = ListArchives(*location.store, run);
  if (location.name) {
    std::erase_if(entries, [&](const auto& entry) { return entry.object.name != *location.name; });
    if (entries.empty()) {
      throw Error(ErrorKind::kNotFound, fmt::format("there is no archive '{}' in {}",
                                                    *location.name, location.store->Location()))
          .Hint("openedx-backup list shows what there is");
    }
  }
  if (!location.name) services.facts().retained_archives = CountUsable(entries);
  auto archives = nlohmann::ordered_json::array();
  for (const ArchiveEntry& entry : entries) archives.push_back(EntryJson(entry));
  const std::string place = location.store->Location();
  std::string text = RenderList(place, entries, services.clock().Now(), services.style());
  if (entries.empty() && HoldsDeletedArchives(*location.store)) {
    text += "What was deleted is still there: openedx-backup list --list-versions shows it.\n";
  }
  return {.text = std::move(text),
          .json = {{"location", place}, {"archives", std::move(archives)}},
          .status = ListStatus(entries)};
}

}  // namespace oxbackup
