#include "cli/restore_screens.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/archive_screens.h"
#include "cli/component_summary.h"
#include "cli/progress_render.h"
#include "cli/text_table.h"

namespace oxbackup {
namespace {

using Align = TextTable::Align;

std::string ArchiveSentence(const std::string& archive, const Manifest* manifest, TimePoint now) {
  if (manifest == nullptr) {
    return fmt::format(
        "{}, made by another tool: it has no manifest, so what it holds shows while it "
        "is loaded.",
        archive);
  }
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - manifest->started);
  std::string sentence = fmt::format("{}, made {} ({} ago) on {} by openedx-backup {}", archive,
                                     FormatLocal(manifest->started),
                                     FormatDuration(std::max(age, std::chrono::milliseconds(0))),
                                     manifest->host, manifest->tool_version);
  for (const ComponentManifest& component : manifest->components) {
    if (component.server_flavour.empty()) continue;
    sentence += fmt::format(", {} {}", component.server_flavour, component.server_version);
  }
  return sentence + ".";
}

std::string Space(const RestorePreview& preview) {
  std::vector<std::string> parts;
  for (const auto& [component, plan] : preview.plans) {
    if (plan.bytes_needed == 0) continue;
    std::string part = fmt::format("{} {}", component, FormatBytes(plan.bytes_needed));
    if (plan.bytes_free) part += fmt::format(" (free: {})", FormatBytes(*plan.bytes_free));
    parts.push_back(part);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string WhatHappens(const RestorePreview& preview) {
  if (!preview.in_place) {
    return "The site keeps running on its present data until the last second; then everything is "
           "swapped at once.";
  }
  std::vector<std::string> names;
  for (const auto& [component, plan] : preview.plans) names.push_back(component);
  return fmt::format(
      "In place: the archive is checked from end to end, then what is now in {} is REMOVED, and "
      "only then is the archive loaded. The site is down meanwhile, and there is no undo. If the "
      "load fails, there are no data until it is run again.",
      fmt::join(names, ", "));
}

// What the archive may lack, while there is time to say no.
std::string BackupWarnings(const Manifest& manifest, const TerminalStyle& style) {
  constexpr size_t kShown = 10;
  if (manifest.warnings.empty()) return "";
  std::string out = fmt::format("  The backup ended with {}:\n",
                                FormatCounted(manifest.warnings.size(), "warning", "warnings"));
  for (size_t i = 0; i < std::min(manifest.warnings.size(), kShown); ++i) {
    out += "    - " + WrapAt(Printable(manifest.warnings[i]), 6, style.width) + "\n";
  }
  if (manifest.warnings.size() > kShown) {
    out += fmt::format("    - and {} more, which openedx-backup inspect shows\n",
                       manifest.warnings.size() - kShown);
  }
  return out;
}

std::string ForPeople(const std::string& rfc3339) {
  const std::optional<TimePoint> time = ParseRfc3339(rfc3339);
  return time ? FormatLocal(*time) : rfc3339;
}

std::string WhenStarted(const SwapIntent& intent) { return ForPeople(intent.started); }

std::string HeldText(const AppliedArchive& held) {
  std::string text = held.archive;
  if (!held.version.empty()) text += fmt::format(" (version {})", held.version);
  return fmt::format("{}, made {}, restored {}", text, ForPeople(held.created),
                     ForPeople(held.applied));
}

// One line for each archive that components hold.
std::vector<std::string> HeldSentences(const HeldArchives& held) {
  std::vector<std::pair<std::string, std::vector<std::string>>> archives;
  for (const std::string& component : ComponentNames()) {
    const auto one = held.find(component);
    if (one == held.end()) continue;
    const std::string text = HeldText(one->second);
    auto known = std::ranges::find(archives, text, [](const auto& entry) { return entry.first; });
    if (known == archives.end()) known = archives.insert(archives.end(), {text, {}});
    known->second.push_back(component);
  }
  std::vector<std::string> sentences;
  for (const auto& [text, components] : archives) {
    sentences.push_back(fmt::format("Live now in {}: {}.", fmt::join(components, ", "), text));
  }
  return sentences;
}

// The component as the archive describes it, where that is what the site has now; else nullptr.
const ComponentManifest* DescribedBy(const RestoreReport& report,
                                     const std::set<std::string>& filtered,
                                     const std::string& component) {
  if (report.manifest == nullptr || filtered.contains(component)) return nullptr;
  return report.manifest->Find(component);
}

std::string Headline(const RestoreReport& report, const std::vector<std::string>& warnings,
                     const TerminalStyle& style) {
  std::string word = "Restored";
  if (!warnings.empty()) {
    word += " with " + FormatCounted(warnings.size(), "warning", "warnings");
  }
  const std::string text =
      WrapAt(fmt::format("{} {} in {}: {} swapped in at {}; readers or writers waited {} for it.",
                         word, report.archive, FormatDuration(report.duration),
                         fmt::join(report.components, ", "), FormatLocal(report.swapped_at),
                         FormatDuration(std::chrono::milliseconds(report.swap_ms))),
             0, style.width);
  // Painted when it is wrapped: escape sequences have no width.
  const Colour colour = warnings.empty() ? Colour::kGreen : Colour::kYellow;
  return Paint(style, colour, text.substr(0, word.size())) + text.substr(word.size()) + "\n";
}

}  // namespace

std::string RenderRestored(const RestoreReport& report, const std::set<std::string>& filtered,
                           const std::vector<std::string>& warnings, const TerminalStyle& style) {
  std::string out = Headline(report, warnings, style);
  std::vector<ComponentSummary> restored;
  for (const std::string& name : report.components) {
    if (const ComponentManifest* component = DescribedBy(report, filtered, name)) {
      restored.push_back(Summarize(*component));
    } else if (const auto items = report.verified_items.find(name);
               items != report.verified_items.end() && items->second > 0) {
      restored.push_back({.name = name, .items = items->second, .digest = {}});
    }
  }
  out += RenderComponents(restored, style);
  out += "  " +
         WrapAt(report.manifest != nullptr
                    ? "Verified before the swap: what was loaded was read back, and its counts and "
                      "digests are those of the archive."
                    : "Verified before the swap: what was loaded was read back and compared with "
                      "what the archive gave, which holds no digests of its own.",
                2, style.width) +
         "\n";
  if (report.applied) {
    const std::string held = fmt::format("The site holds {}, made {}.", report.applied->archive,
                                         ForPeople(report.applied->created));
    out += "  " + WrapAt(Printable(held), 2, style.width) + "\n";
  }
  return out;
}

std::string RenderSkipped(const RestoreReport& report, bool dry_run, TimePoint now,
                          const TerminalStyle& style) {
  const std::optional<TimePoint> created = ParseRfc3339(report.applied->created);
  const auto age =
      std::chrono::duration_cast<std::chrono::milliseconds>(now - created.value_or(now));
  const std::string text =
      fmt::format("{}: the site already holds {} (it is {} old). Nothing {}was changed{}.",
                  dry_run ? "It would be skipped" : "Skipped", HeldText(*report.applied),
                  FormatDuration(std::max(age, std::chrono::milliseconds(0))),
                  report.finished_swaps.empty() ? "" : "else ", dry_run ? " (--dry-run)" : "");
  return WrapAt(Printable(text), 0, style.width) + "\n";
}

std::string RenderRefused(const RestoreReport& report) {
  return report.finished_swaps.empty() ? "Nothing was changed.\n" : "Nothing else was changed.\n";
}

nlohmann::ordered_json RestoredJson(const RestoreReport& report,
                                    const std::set<std::string>& filtered) {
  auto list = nlohmann::ordered_json::array();
  for (const std::string& name : report.components) {
    nlohmann::ordered_json entry = {{"name", name}};
    if (const ComponentManifest* component = DescribedBy(report, filtered, name)) {
      const ComponentSummary summary = Summarize(*component);
      entry["databases"] = summary.databases;
      entry["objects"] = summary.objects;
      entry["items"] = summary.items;
      entry["digest"] = summary.digest;
    } else if (const auto items = report.verified_items.find(name);
               items != report.verified_items.end()) {
      entry["items"] = items->second;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

std::string RenderPreview(const RestorePreview& preview, const std::string& left_out, TimePoint now,
                          const TerminalStyle& style) {
  std::string out =
      WrapAt(Printable(ArchiveSentence(preview.archive, preview.manifest, now)), 0, style.width) +
      "\n";
  if (!preview.passed_over.empty()) {
    out += WrapAt(Printable("Newer, but not whole: " + preview.passed_over + "."), 0, style.width) +
           "\n";
  }
  for (const std::string& sentence : HeldSentences(preview.held)) {
    out += WrapAt(Printable(sentence), 0, style.width) + "\n";
  }
  out += "\n";
  TextTable table({Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft});
  // A server counts pages and indexes, an archive rows and documents.
  table.AddRow({"This replaces", "", "now (on disk)", "after (in the archive)"});
  for (const auto& [component, plan] : preview.plans) {
    std::string shown = "  " + component;
    for (const ReplacedThing& thing : plan.replaced) {
      table.AddRow({shown, Printable(thing.what), thing.now, thing.after});
      shown.clear();
    }
  }
  constexpr size_t kWhatColumn = 1;
  out += table.RenderWithin(2, style.width, kWhatColumn);
  out += RenderUntouched(left_out, preview.not_held, style);
  if (preview.manifest != nullptr) out += BackupWarnings(*preview.manifest, style);
  out += "  " + WrapAt(WhatHappens(preview), 2, style.width) + "\n";
  if (const std::string space = Space(preview); !space.empty()) {
    const char* const when = preview.in_place ? "Space needed, and free without the live data: "
                                              : "Space needed meanwhile: ";
    out += "  " + WrapAt(when + space + ".", 2, style.width) + "\n";
  }
  return out;
}

std::string RenderUntouched(const std::string& left_out, const std::vector<std::string>& not_held,
                            const TerminalStyle& style) {
  std::string out;
  const auto say = [&](const std::string& what, const std::string& names) {
    if (!names.empty()) out += "  " + WrapAt(what + names + ".", 2, style.width) + "\n";
  };
  say("In the archive, but not restored: ", left_out);
  say("Not in the archive, so it stays as it is: ", fmt::format("{}", fmt::join(not_held, ", ")));
  return out;
}

std::string RenderUndo(const std::vector<KeptRestore>& restores, const TerminalStyle& style) {
  std::string out;
  for (const KeptRestore& restore : restores) {
    const std::string what = fmt::format(
        "This undoes the restore of {}{}: the data from before {} become live again in {}.",
        restore.intent.archive, restore.interrupted ? ", which was interrupted" : "",
        WhenStarted(restore.intent), fmt::join(restore.components, ", "));
    out += WrapAt(Printable(what), 0, style.width) + "\n";
  }
  return out +
         WrapAt("What is live there now, with all that was changed since, is removed.", 0,
                style.width) +
         "\n";
}

std::string RenderDrop(const std::vector<KeptRestore>& restores, const TerminalStyle& style) {
  std::string out;
  for (const KeptRestore& restore : restores) {
    const std::string what = fmt::format(
        "This removes the data from before {} that the restore of {} replaced in {}.",
        WhenStarted(restore.intent), restore.intent.archive, fmt::join(restore.components, ", "));
    out += WrapAt(Printable(what), 0, style.width) + "\n";
  }
  return out + "The live data stay as they are; there is no way back then.\n";
}

std::string RenderAfterRestore(const RestoreOptions& options, const std::string& undo,
                               bool with_next_steps, const TerminalStyle& style) {
  std::string out;
  if (with_next_steps) {
    out +=
        "  " +
        WrapAt(
            "Left to do: restart what keeps data in memory (LMS, CMS and their workers); after a "
            "change of the Open edX version run `tutor local init` or `tutor k8s init`.",
            2, style.width) +
        "\n";
  }
  if (options.in_place) return out + "  The old data are gone (--in-place).\n";
  if (!options.keep_old) {
    return out + "  The old data are gone (--keep-old would have kept them).\n";
  }
  // A command in a line of its own, to be copied.
  return out + "  The old data are kept. To go back:\n    " + undo + "\n";
}

}  // namespace oxbackup
