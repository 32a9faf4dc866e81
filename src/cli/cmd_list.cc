#include "cli/cmd_list.h"

#include "cli/archive_screens.h"
#include "cli/component_summary.h"
#include "cli/json_report.h"

namespace oxbackup {

CommandOutcome RunList(const SettingValues& settings, CommandServices& services) {
  const RunContext run = services.run();
  const Location location = OpenConfiguredLocation(settings, "from", run);
  std::vector<ArchiveEntry> entries = ListArchives(*location.store, run);
  if (location.name) {
    std::erase_if(entries, [&](const auto& entry) { return entry.object.name != *location.name; });
  }
  auto archives = nlohmann::ordered_json::array();
  for (const ArchiveEntry& entry : entries) {
    nlohmann::ordered_json archive = ArchiveJson(entry);
    if (entry.manifest) archive["components"] = ComponentNamesOf(*entry.manifest);
    archives.push_back(std::move(archive));
  }
  const std::string place = location.store->Location();
  return {.text = RenderList(place, entries, services.clock().Now(), services.style()),
          .json = {{"location", place}, {"archives", std::move(archives)}},
          .status = {}};
}

}  // namespace oxbackup
