#include "cli/archive_screens.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "cli/component_summary.h"
#include "cli/progress_render.h"
#include "cli/text_table.h"

namespace oxbackup {
namespace {

using Align = TextTable::Align;

constexpr size_t kBiggest = 10;
constexpr int kTextColumn = 15;

std::string Server(const ComponentManifest& component) {
  if (component.server_flavour.empty()) return component.name;
  return component.server_flavour + " " + component.server_version;
}

std::string Row(std::string_view title, const std::string& text, const TerminalStyle& style) {
  return PadRight(fmt::format("  {}", title), kTextColumn) +
         WrapAt(Printable(text), kTextColumn, style.width) + "\n";
}

std::string DisplayName(const ObjectEntry& object) {
  return object.database.empty() ? object.name : object.database + "." + object.name;
}

// "mysql, 97 MB stored, the 10 biggest of 79 (--tables shows all)".
std::string ObjectsTitle(const ComponentManifest& component, const StoredSizes& stored, bool all) {
  std::string title = component.name;
  if (const auto size = stored.components.find(component.name); size != stored.components.end()) {
    title += fmt::format(", {} stored", FormatBytes(size->second));
  }
  if (all || component.objects.size() <= kBiggest) return title;
  return title + fmt::format(", the {} biggest of {} (--tables shows all)", kBiggest,
                             FormatCount(component.objects.size()));
}

void RenderObjects(const Manifest& manifest, const StoredSizes& stored, bool all,
                   const TerminalStyle& style, std::string& out) {
  for (const ComponentManifest& component : manifest.components) {
    // A component of one folder has been shown whole already.
    const bool databases = component.name == "mysql" || component.name == "mongodb";
    if (component.objects.empty() || (component.objects.size() == 1 && !databases)) continue;
    std::vector<const ObjectEntry*> objects;
    for (const ObjectEntry& object : component.objects) objects.push_back(&object);
    if (!all) {
      std::ranges::stable_sort(objects, [](const ObjectEntry* a, const ObjectEntry* b) {
        return a->raw_bytes > b->raw_bytes;
      });
      objects.resize(std::min(objects.size(), kBiggest));
    }
    out += "\n" + ObjectsTitle(component, stored, all) + "\n";
    TextTable table(
        {Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kLeft});
    table.AddRow({"", "", "", "size", "stored", "digest"});
    for (const ObjectEntry* object : objects) {
      const bool data = HoldsData(*object);
      const auto size = stored.objects.find(object);
      table.AddRow({Printable(DisplayName(*object)), data ? "" : object->kind,
                    data ? FormatItems(component.name, object->items) : "",
                    FormatBytes(object->raw_bytes),
                    size == stored.objects.end() ? "" : FormatBytes(size->second),
                    ShortDigest(object->digest, style.unicode)});
    }
    constexpr size_t kNameColumn = 0;
    out += table.RenderWithin(2, style.width, kNameColumn);
  }
}

}  // namespace

std::string AftermathOfBackup(const Progress::Snapshot& board) {
  for (const ComponentProgress& component : board.components) {
    if (component.phase != "read back") continue;
    return fmt::format("{} was written, but not read back to its end: verify it or remove it.",
                       component.object);
  }
  return "Nothing was written.";
}

std::string RenderComponents(const std::vector<ComponentSummary>& components,
                             const TerminalStyle& style) {
  TextTable table(
      {Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kLeft});
  for (const ComponentSummary& summary : components) {
    if (summary.digest.empty()) {
      table.AddRow({summary.name, "", "", FormatItems(summary.name, summary.items)});
      continue;
    }
    const std::vector<std::string> cells = SummaryCells(summary);
    table.AddRow({summary.name, cells[0], cells[1], cells[2], FormatBytes(summary.raw_bytes),
                  "digest " + ShortDigest(summary.digest, style.unicode)});
  }
  return table.Render(2);
}

std::string RenderComponents(const Manifest& manifest, const TerminalStyle& style) {
  std::vector<ComponentSummary> components;
  for (const ComponentManifest& component : manifest.components) {
    components.push_back(Summarize(component));
  }
  return RenderComponents(components, style);
}

std::string RenderMoments(const Manifest& manifest, bool details, const TerminalStyle& style) {
  std::string out;
  std::vector<std::string> databases;
  std::vector<std::string> waited;
  for (const ComponentManifest& component : manifest.components) {
    const bool database = !component.server_flavour.empty();
    if (database) databases.push_back(component.name);
    if (component.lock_ms > 0) {
      waited.push_back(fmt::format(
          "{} ({})", FormatDuration(std::chrono::milliseconds(component.lock_ms)), component.name));
    }
    std::string text = database || details ? component.consistency : "";
    if (details) {
      for (const auto& [name, value] : component.positions) {
        text += fmt::format("; {} {}", name, value);
      }
    }
    if (!text.empty()) out += Row(component.name, text, style);
  }
  if (databases.size() > 1) {
    out += Row("skew",
               fmt::format("{} between the moments of {}",
                           FormatDuration(std::chrono::milliseconds(manifest.skew_ms)),
                           fmt::join(databases, " and ")),
               style);
  }
  if (!waited.empty()) {
    out += Row("lock", fmt::format("writers waited {}", fmt::join(waited, ", ")), style);
  }
  return out;
}

std::string RenderInspect(const ArchiveEntry& entry, const StoredSizes& stored, bool all_objects,
                          const TerminalStyle& style) {
  const Manifest& manifest = *entry.manifest;
  std::vector<std::string> servers;
  for (const ComponentManifest& component : manifest.components) {
    if (!component.server_flavour.empty()) servers.push_back(Server(component));
  }
  std::string out = Paint(style, Colour::kBold, Printable(entry.object.name)) + "\n";
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(manifest.finished - manifest.started);
  out += Row("made",
             fmt::format("{} on {} by openedx-backup {} in {}", FormatLocal(manifest.started),
                         manifest.host, manifest.tool_version, FormatDuration(took)),
             style);
  if (!servers.empty()) {
    out += Row("servers", fmt::format("{}", fmt::join(servers, ", ")), style);
  }
  const ListTotals totals = manifest.Totals();
  out += Row("size",
             fmt::format("{} of data in {}, {}, {}", FormatBytes(totals.raw_bytes),
                         FormatBytes(entry.object.size), manifest.compression,
                         FormatCounted(totals.blocks, "block", "blocks")),
             style);
  out += RenderMoments(manifest, true, style);
  out += "\n" + RenderComponents(manifest, style);
  RenderObjects(manifest, stored, all_objects, style, out);
  if (!manifest.warnings.empty()) {
    out += fmt::format("\n{} when it was made:\n",
                       FormatCounted(manifest.warnings.size(), "warning", "warnings"));
    for (const std::string& warning : manifest.warnings) {
      out += "  - " + WrapAt(Printable(warning), 4, style.width) + "\n";
    }
  }
  return out;
}

}  // namespace oxbackup
