#include "cli/archive_screens.h"

#include <fmt/format.h>

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

std::string StateText(const ArchiveEntry& entry) {
  switch (entry.state) {
    case ArchiveState::kComplete:
      return "complete";
    case ArchiveState::kForeign:
      return "not ours";
    case ArchiveState::kDamaged:
      return "DAMAGED";
    case ArchiveState::kUnreadable:
      return "UNREADABLE";
  }
  return "";
}

std::string Server(const ComponentManifest& component) {
  if (component.server_flavour.empty()) return component.name;
  return component.server_flavour + " " + component.server_version;
}

std::string ShortMade(TimePoint time) { return FormatLocal(time).substr(0, 16); }

void RenderConsistency(const Manifest& manifest, const TerminalStyle& style, std::string& out) {
  const auto row = [&](std::string_view title, const std::string& text) {
    out += PadRight("  " + std::string(title), kTextColumn) +
           WrapAt(Printable(text), kTextColumn, style.width) + "\n";
  };
  for (const ComponentManifest& component : manifest.components) {
    std::string text = component.consistency;
    for (const auto& [name, value] : component.positions)
      text += fmt::format("; {} {}", name, value);
    if (!text.empty()) row(component.name, text);
  }
  if (manifest.components.size() > 1) {
    row("skew", FormatDuration(std::chrono::milliseconds(manifest.skew_ms)) +
                    " between the first and the last component's moment");
  }
}

std::string DisplayName(const ObjectEntry& object) {
  return object.database.empty() ? object.name : object.database + "." + object.name;
}

void RenderObjects(const Manifest& manifest, bool all, const TerminalStyle& style,
                   std::string& out) {
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
    out += fmt::format("\n{}{}\n", component.name,
                       all || component.objects.size() <= kBiggest
                           ? ""
                           : fmt::format(", the {} biggest of {} (--tables shows all)", kBiggest,
                                         FormatCount(component.objects.size())));
    TextTable table({Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kLeft});
    for (const ObjectEntry* object : objects) {
      const bool data = HoldsData(*object);
      table.AddRow({Printable(DisplayName(*object)), data ? "" : object->kind,
                    data ? FormatItems(component.name, object->items) : "",
                    FormatBytes(object->raw_bytes), ShortDigest(object->digest, style.unicode)});
    }
    constexpr size_t kNameColumn = 0;
    out += table.RenderWithin(2, style.width, kNameColumn);
  }
}

/// `beside`: components in a column of their own; else each archive's in a line below it.
TextTable ListTable(const std::vector<ArchiveEntry>& entries, TimePoint now, bool beside) {
  TextTable table(
      {Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft});
  table.AddRow({"archive", "made", "age", "size", "state", beside ? "components" : ""});
  for (const ArchiveEntry& entry : entries) {
    std::string components;
    if (entry.manifest) {
      components = fmt::format("{}", fmt::join(ComponentNamesOf(*entry.manifest), " "));
    }
    table.AddRow({Printable(entry.object.name), ShortMade(entry.made), FormatAge(entry.made, now),
                  FormatBytes(entry.object.size), StateText(entry), beside ? components : ""});
    if (!beside && !components.empty()) table.AddRow({"  " + components});
  }
  return table;
}

}  // namespace

std::string FormatAge(TimePoint then, TimePoint now) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(now - then).count();
  if (minutes < 1) return "just now";
  if (minutes < 60) return fmt::format("{} min", minutes);
  if (minutes < 48 * 60) return fmt::format("{} h", minutes / 60);
  return fmt::format("{} d", minutes / (24 * 60));
}

std::string RenderList(const std::string& location, const std::vector<ArchiveEntry>& entries,
                       TimePoint now, const TerminalStyle& style) {
  if (entries.empty()) return fmt::format("No archives in {}.\n", location);
  std::string out = ListTable(entries, now, true).Render(0);
  const std::vector<std::string> lines = SplitNonEmpty(out, "\n");
  const bool fits = std::ranges::all_of(
      lines, [&](const std::string& line) { return DisplayWidth(line) <= style.width; });
  if (!fits) out = ListTable(entries, now, false).Render(0);
  std::string problems;
  const ArchiveEntry* newest = nullptr;
  for (const ArchiveEntry& entry : entries) {
    if (!entry.problem.empty()) {
      problems += Printable(entry.problem) + "\n";
    } else if (newest == nullptr) {
      newest = &entry;
    }
  }
  if (!problems.empty()) out += "\n" + problems;
  if (newest == nullptr) {
    out += "\n" + Paint(style, Colour::kRed, "No complete archive is here.") + "\n";
  } else if (now - newest->made > std::chrono::hours(24)) {
    out += "\n" +
           Paint(style, Colour::kYellow,
                 fmt::format("Note: the newest complete archive is older than a day ({}).",
                             FormatAge(newest->made, now))) +
           "\n";
  }
  return out;
}

std::string AftermathOfBackup(const Progress::Snapshot& board) {
  for (const ComponentProgress& component : board.components) {
    if (component.phase != "read back") continue;
    return fmt::format("{} was written, but not read back to its end: verify it or remove it.",
                       component.object);
  }
  return "Nothing was written.";
}

std::string RenderComponents(const Manifest& manifest, const TerminalStyle& style) {
  TextTable table(
      {Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kLeft});
  for (const ComponentManifest& component : manifest.components) {
    const ComponentSummary summary = Summarize(component);
    const std::vector<std::string> cells = SummaryCells(summary);
    table.AddRow(
        {summary.name, cells[0], cells[1], cells[2], FormatBytes(summary.raw_bytes),
         summary.digest.empty() ? "" : "digest " + ShortDigest(summary.digest, style.unicode)});
  }
  return table.Render(2);
}

std::string RenderInspect(const ArchiveEntry& entry, bool all_objects, const TerminalStyle& style) {
  const Manifest& manifest = *entry.manifest;
  std::vector<std::string> servers;
  for (const ComponentManifest& component : manifest.components) {
    if (!component.server_flavour.empty()) servers.push_back(Server(component));
  }
  std::string out = Paint(style, Colour::kBold, Printable(entry.object.name)) + "\n";
  const auto row = [&](std::string_view title, const std::string& text) {
    out += PadRight(fmt::format("  {}", title), kTextColumn) +
           WrapAt(Printable(text), kTextColumn, style.width) + "\n";
  };
  row("made", fmt::format("{} on {} by openedx-backup {} in {}", FormatLocal(manifest.started),
                          manifest.host, manifest.tool_version,
                          FormatDuration(std::chrono::duration_cast<std::chrono::milliseconds>(
                              manifest.finished - manifest.started))));
  if (!servers.empty()) row("servers", fmt::format("{}", fmt::join(servers, ", ")));
  row("size", fmt::format("{} of data in {}, {}, {}", FormatBytes(manifest.RawBytes()),
                          FormatBytes(entry.object.size), manifest.compression,
                          FormatCounted(manifest.blocks.size(), "block", "blocks")));
  RenderConsistency(manifest, style, out);
  out += "\n" + RenderComponents(manifest, style);
  RenderObjects(manifest, all_objects, style, out);
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
