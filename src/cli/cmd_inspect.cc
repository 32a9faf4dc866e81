#include "cli/cmd_inspect.h"

#include <fmt/format.h>

#include <memory>

#include "archive/archive_check.h"
#include "base/text.h"
#include "cli/archive_screens.h"
#include "cli/bucket_settings.h"
#include "cli/json_report.h"

namespace oxbackup {
namespace {

/// An archive that --diff names: a file, or a name in the place of archives.
std::unique_ptr<Manifest> ReadNamed(const std::string& name, const SettingValues& settings,
                                    const RunContext& run) {
  const bool is_name = name.find('/') == std::string::npos && settings.Text("location");
  const Location location = is_name ? OpenConfiguredLocation(settings, "from", run)
                                    : OpenLocation(name, BucketAccessOf(settings), run);
  ArchiveChoice choice{.name = is_name ? name : location.name, .date = {}};
  const ArchiveEntry entry = ChooseArchive(*location.store, choice, run);
  if (entry.manifest) return ReadWholeManifest(*location.store, entry);
  throw Error(ErrorKind::kUsage, fmt::format("{} was not made by openedx-backup", name))
      .Hint("only our archives say where their blocks are");
}

CommandOutcome Diff(const std::vector<std::string>& names, const SettingValues& settings,
                    const TerminalStyle& style, const RunContext& run) {
  const std::unique_ptr<Manifest> older = ReadNamed(names[0], settings, run);
  const std::unique_ptr<Manifest> newer = ReadNamed(names[1], settings, run);
  const BlockDiff diff = DiffBlocks(*older, *newer);
  const double percent = diff.stored_bytes == 0 ? 100
                                                : 100 * static_cast<double>(diff.shared_bytes) /
                                                      static_cast<double>(diff.stored_bytes);
  const std::string text = fmt::format(
      "{:.1f}% of {} lies in blocks that {} has too: {} of {}, {} of {}.", percent, names[1],
      names[0], FormatBytes(diff.shared_bytes), FormatBytes(diff.stored_bytes),
      FormatCount(diff.shared_blocks), FormatCounted(diff.blocks, "block", "blocks"));
  return {.text = WrapAt(text, 0, style.width) + "\n",
          .json = {{"older", names[0]},
                   {"newer", names[1]},
                   {"blocks", diff.blocks},
                   {"shared_blocks", diff.shared_blocks},
                   {"stored_bytes", diff.stored_bytes},
                   {"shared_bytes", diff.shared_bytes}},
          .status = {}};
}

}  // namespace

CommandOutcome RunInspect(const SettingValues& settings, CommandServices& services) {
  const RunContext run = services.run();
  if (const auto pair = settings.Find("diff"))
    return Diff(pair->texts, settings, services.style(), run);
  const Location location = OpenConfiguredLocation(settings, "from", run);
  ArchiveEntry entry = ChooseArchive(*location.store, ChoiceOf(settings, location), run);
  CommandOutcome outcome;
  outcome.json["archive"] = ArchiveJson(entry);
  if (!entry.manifest) {
    const std::string text = fmt::format(
        "{}, {}: made by another tool, so it has no manifest to show. restore, verify and extract "
        "read it.",
        entry.object.name, FormatBytes(entry.object.size));
    outcome.text = WrapAt(text, 0, services.style().width) + "\n";
    return outcome;
  }
  entry.manifest = ReadWholeManifest(*location.store, entry);
  const bool all = settings.Switch("tables");
  const StoredSizes stored = StoredSizesOf(*entry.manifest);
  outcome.text = RenderInspect(entry, stored, all, services.style());
  nlohmann::ordered_json manifest = ManifestJson(*entry.manifest, entry.manifest->Totals(), all);
  AddStoredSizes(*entry.manifest, stored, manifest);
  outcome.json["manifest"] = std::move(manifest);
  return outcome;
}

}  // namespace oxbackup
