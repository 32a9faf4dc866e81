#include "cli/list_screens.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "cli/component_summary.h"
#include "cli/text_table.h"

namespace oxbackup {
namespace {

using Align = TextTable::Align;

constexpr char kFromFuture[] = "dated in the future";

/// What dated in the future means, where one is.
std::string FutureNote(const std::vector<ArchiveEntry>& entries, const TerminalStyle& style) {
  if (std::ranges::none_of(entries, &ArchiveEntry::from_future)) return "";
  constexpr char kNote[] =
      "Dated in the future: a clock was wrong, where it was made and stored or here. Such an "
      "archive is never taken for the newest one; --name takes it all the same.";
  return "\n" + WrapAt(kNote, 0, style.width) + "\n";
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
    const std::string age = entry.from_future ? kFromFuture : FormatAge(entry.made, now);
    table.AddRow({Printable(entry.object.name), ShortTime(entry.made), age,
                  FormatBytes(entry.object.size), StateText(entry), beside ? components : ""});
    if (!beside && !components.empty()) table.AddRow({"  " + components});
  }
  return table;
}

/// `beside`: version ids in a column of their own; else each in a line below its archive.
TextTable VersionTable(const VersionList& list, bool beside) {
  TextTable table(
      {Align::kLeft, Align::kLeft, Align::kRight, Align::kLeft, Align::kLeft, Align::kLeft});
  const bool column = beside && list.keeps_versions;
  table.AddRow({"archive", "stored", "size", "state", "", column ? "version" : ""});
  for (const ArchiveEntry& entry : list.newest) {
    const ObjectInfo& object = entry.object;
    const bool marker = entry.state == ArchiveState::kDeleteMarker;
    const std::string version = Printable(object.version);
    std::string note = object.current && list.keeps_versions ? "current" : "";
    if (entry.from_future) note += (note.empty() ? "" : ", ") + std::string(kFromFuture);
    table.AddRow({Printable(object.name), ShortTime(object.modified),
                  marker ? "" : FormatBytes(object.size), StateText(entry), note,
                  column ? version : ""});
    if (!beside && list.keeps_versions) table.AddRow({"  version " + version});
  }
  return table;
}

bool Fits(const std::string& text, const TerminalStyle& style) {
  const std::vector<std::string> lines = SplitNonEmpty(text, "\n");
  return std::ranges::all_of(
      lines, [&](const std::string& line) { return DisplayWidth(line) <= style.width; });
}

}  // namespace

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
    case ArchiveState::kDeleteMarker:
      return "deleted";
  }
  return "";
}

std::string ShortTime(TimePoint time) {
  std::string made = FormatLocal(time);
  constexpr size_t kSecondsAt = 16;
  return made.erase(kSecondsAt, 3);
}

std::string FormatAge(TimePoint then, TimePoint now) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(now - then).count();
  if (minutes < 1) return "now";
  if (minutes < 60) return fmt::format("{} min", minutes);
  if (minutes < 48 * 60) return fmt::format("{} h", minutes / 60);
  return fmt::format("{} d", minutes / (24 * 60));
}

std::string RenderList(const std::string& location, const std::vector<ArchiveEntry>& entries,
                       TimePoint now, const TerminalStyle& style) {
  if (entries.empty()) return fmt::format("No archives in {}.\n", location);
  std::string out = ListTable(entries, now, true).Render(0);
  if (!Fits(out, style)) out = ListTable(entries, now, false).Render(0);
  std::string problems;
  const ArchiveEntry* newest = nullptr;
  for (const ArchiveEntry& entry : entries) {
    if (!entry.problem.empty()) {
      problems += Printable(entry.problem) + "\n";
    } else if (newest == nullptr && !entry.from_future) {
      newest = &entry;
    }
  }
  if (!problems.empty()) out += "\n" + problems;
  if (newest == nullptr) {
    const bool any = std::ranges::any_of(entries, &ArchiveEntry::IsUsable);
    out += "\n" +
           Paint(style, Colour::kRed,
                 any ? "All complete archives are dated in the future: a clock was wrong, where "
                       "they were made and stored or here."
                     : "No complete archive is here.") +
           "\n";
  } else if (now - newest->made > std::chrono::hours(24)) {
    out += "\n" +
           Paint(style, Colour::kYellow,
                 fmt::format("Note: the newest complete archive is older than a day ({}).",
                             FormatAge(newest->made, now))) +
           "\n";
  }
  return newest == nullptr ? out : out + FutureNote(entries, style);
}

std::string RenderVersions(const std::string& location, const VersionList& list,
                           const TerminalStyle& style) {
  if (list.newest.empty()) return fmt::format("No archives in {}.\n", location);
  std::string out = VersionTable(list, true).Render(0);
  if (!Fits(out, style)) {
    constexpr size_t kNameColumn = 0;
    out = VersionTable(list, false).RenderWithin(0, style.width, kNameColumn);
  }
  std::string problems;
  for (const ArchiveEntry& entry : list.newest) {
    if (!entry.problem.empty()) problems += Printable(entry.problem) + "\n";
  }
  if (!problems.empty()) out += "\n" + problems;
  if (list.total > list.newest.size()) {
    out += fmt::format("\nThe {} newest of {} (--list-versions={} shows all).\n",
                       FormatCount(list.newest.size()), FormatCount(list.total), list.total);
  }
  if (!list.keeps_versions) {
    out += "\n" +
           WrapAt(fmt::format("{} keeps no versions: these are the archives themselves.", location),
                  0, style.width) +
           "\n";
  }
  return out + FutureNote(list.newest, style);
}

}  // namespace oxbackup
