#include "cli/cmd_extract.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/component_summary.h"
#include "cli/site_settings.h"
#include "engine/extract.h"

namespace oxbackup {

CommandOutcome RunExtract(const SettingValues& settings, CommandServices& services) {
  const RunContext run = services.run();
  const ComponentSelection selection = SelectionOf(settings);
  const std::optional<std::string> target = settings.Text("target");
  if (!target) {
    throw Error(ErrorKind::kUsage, "no folder to unpack into is given")
        .Hint("openedx-backup extract --from /backup --to /tmp/site");
  }
  const Location location = OpenConfiguredLocation(settings, "from", run);
  ArchiveChoice choice = ChoiceOf(settings, location);
  choice.components = selection.only;
  const ArchiveEntry entry = ChooseArchive(*location.store, choice, run);
  RunFacts& facts = services.facts();
  facts.location = location.store->Location();
  facts.archive = entry.object.name;
  facts.version = entry.object.version;
  if (entry.manifest) facts.components = ComponentFactsOf(*entry.manifest);
  services.aftermath = [] { return std::string("Nothing was left behind."); };
  services.display().Start();
  const ExtractReport report = Extract(*location.store, entry.object, selection, *target, run);
  services.display().Stop(true);
  facts.raw_bytes = report.bytes;
  const std::string text =
      fmt::format("Unpacked {}: {}, {}, into {}.", entry.object.name,
                  FormatCounted(report.files, "file", "files"), FormatBytes(report.bytes), *target);
  return {.text = WrapAt(text, 0, services.style().width) + "\n",
          .json = {{"archive", entry.object.name},
                   {"target", *target},
                   {"files", report.files},
                   {"bytes", report.bytes}},
          .status = {}};
}

}  // namespace oxbackup
