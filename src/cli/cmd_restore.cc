#include "cli/cmd_restore.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/log_line.h"
#include "base/text.h"
#include "cli/component_summary.h"
#include "cli/front_end.h"
#include "cli/json_report.h"
#include "cli/question.h"
#include "cli/restore_screens.h"
#include "cli/site_settings.h"
#include "cli/terminal.h"
#include "engine/restore.h"
#include "engine/undo.h"

namespace oxbackup {
namespace {

RestoreTargets TargetsOf(const Site& site, CommandServices& services) {
  RestoreTargets targets = MakeTargets(site, services.run());
  if (!targets.empty()) return targets;
  throw Error(ErrorKind::kUsage, "there is nothing to restore into: no component is configured")
      .Hint(
          "openedx-backup restore --from /backup --mysql-host mysql --mongodb-host mongodb "
          "--caddy /caddy");
}

/// The preview as it stands before a question, or as a line of a log in JSON.
std::string PreviewText(const RestorePreview& preview, const std::string& left_out, bool as_line,
                        const CommandServices& services) {
  if (!as_line) {
    return RenderPreview(preview, left_out, services.clock().Now(), StyleOf(STDERR_FILENO));
  }
  nlohmann::ordered_json line =
      LogLine(LogLevel::kInfo, "what this restore replaces, from " + preview.archive);
  line["archive"] = preview.archive;
  line["plans"] = PlansJson(preview.plans);
  line["left_out"] = preview.left_out;
  line["not_held"] = preview.not_held;
  line["passed_over"] = preview.passed_over;
  line["backup_warnings"] =
      preview.manifest != nullptr ? preview.manifest->warnings : std::vector<std::string>();
  line["in_place"] = preview.in_place;
  line["held"] = HeldJson(preview.held);
  return DumpLine(line) + "\n";
}

/// Whether what is shown before a question is a line of a log in JSON.
bool ShownAsLine(bool yes, const CommandServices& services) {
  return services.json_log() && (yes || !CanAsk());
}

/// Shows what is going to happen and asks, unless --yes answers. The display starts when the work
/// does.
bool Confirm(const std::string& preview, bool yes, CommandServices& services) {
  std::fputs(preview.c_str(), stderr);
  const bool go = yes || services.Ask("\nGo on? [y/N] ");
  if (go) services.display().Start();
  return go;
}

/// Asks after what `render` makes of the restores.
ConfirmKept AskAfter(std::string (*render)(const std::vector<KeptRestore>&, const TerminalStyle&),
                     const SettingValues& settings, CommandServices& services) {
  return [render, &settings, &services](const std::vector<KeptRestore>& restores) {
    return Confirm(render(restores, StyleOf(STDERR_FILENO)), settings.Switch("yes"), services);
  };
}

CommandOutcome KeptCommandOutcome(const KeptOutcome& done, const char* key,
                                  const std::string& title, CommandServices& services) {
  services.display().Stop(true);
  CommandOutcome outcome;
  outcome.json = {{key, done.sentences}};
  if (!done.confirmed) {
    outcome.text = "Nothing was changed.\n";
    outcome.status = ExitStatus::kInterrupted;
    return outcome;
  }
  outcome.text = title + "\n";
  for (const std::string& sentence : done.sentences) {
    outcome.text += "  " + Printable(sentence) + "\n";
  }
  outcome.text += RenderWarnings(services.warnings().All(), services.style());
  return outcome;
}

CommandOutcome RunUndo(const SettingValues& settings, CommandServices& services) {
  const ComponentSelection selection = SelectionOf(settings);
  RestoreTargets targets = TargetsOf(SiteOf(settings, kRestore, services.threads()), services);
  const KeptOutcome done =
      Undo(targets, selection, AskAfter(RenderUndo, settings, services), services.run());
  return KeptCommandOutcome(done, "undone", "Undone:", services);
}

CommandOutcome RunDropOld(const SettingValues& settings, CommandServices& services) {
  RestoreTargets targets = TargetsOf(SiteOf(settings, kRestore, services.threads()), services);
  const KeptOutcome done =
      DropKept(targets, AskAfter(RenderDrop, settings, services), services.run());
  return KeptCommandOutcome(done, "dropped", "Dropped:", services);
}

/// What a restore that failed has changed, by what the board says.
std::string Aftermath(const Progress::Snapshot& board) {
  const bool swap_began = std::ranges::any_of(
      board.components, [](const auto& component) { return component.phase == "swap"; });
  if (swap_began) return "";
  for (const auto& [title, text] : board.notes) {
    if (title == kEarlierRestore) return text + " Nothing else was changed.";
  }
  return "Nothing live was changed.";
}

/// Components of which the settings let a part through.
std::set<std::string> Filtered(const Site& site) {
  const bool some = site.mongodb && (!site.mongodb->restore.ns_include.empty() ||
                                     !site.mongodb->restore.ns_exclude.empty());
  return some ? std::set<std::string>{"mongodb"} : std::set<std::string>();
}

std::string DoneText(const RestoreReport& report, const std::string& left_out,
                     const std::string& undo, const RestoreOptions& options, const Site& site,
                     CommandServices& services) {
  const TerminalStyle& style = services.style();
  const std::vector<std::string> warnings = services.warnings().All();
  std::string out = RenderRestored(report, Filtered(site), warnings, style);
  out += RenderUntouched(left_out, report.not_held, style);
  return out + RenderWarnings(warnings, style) +
         RenderAfterRestore(options, undo, FrontEnd().empty(), style);
}

/// Of the components that were restored or, after a dry run, are to be.
void TellFacts(const RestoreReport& report, RunFacts& facts) {
  facts.archive = report.archive;
  facts.version = report.version;
  std::vector<ComponentFacts> held;
  if (report.manifest) held = ComponentFactsOf(*report.manifest);
  for (const auto& [name, plan] : report.plans) {
    const auto found = std::ranges::find(held, name, &ComponentFacts::name);
    ComponentFacts component = found == held.end() ? ComponentFacts{.name = name} : *found;
    const auto verified = report.verified_items.find(name);
    if (verified != report.verified_items.end()) component.items = verified->second;
    facts.components.push_back(std::move(component));
  }
  facts.skipped = report.skipped;
  if (!report.finished_swaps.empty()) facts.finished_swaps = report.finished_swaps.size();
  if (report.applied) {
    facts.applied = {.archive = report.applied->archive,
                     .version = report.applied->version,
                     .created = ParseRfc3339(report.applied->created)};
  }
  if (report.swapped) facts.swap = std::chrono::milliseconds(report.swap_ms);
}

CommandOutcome OutcomeOf(const RestoreReport& report, const RestoreOptions& options,
                         const Site& site, const std::string& undo, CommandServices& services) {
  const std::string left_out = WhyLeftOut(report.left_out, options.selection);
  CommandOutcome outcome;
  outcome.json = {{"archive", report.archive},
                  {"version", report.version},
                  {"dry_run", options.dry_run},
                  {"in_place", options.in_place},
                  {"swapped", report.swapped},
                  {"skipped", report.skipped},
                  {"held", HeldJson(report.held)},
                  {"components", report.components},
                  {"left_out", report.left_out},
                  {"not_held", report.not_held},
                  {"passed_over", report.passed_over},
                  {"swap_ms", report.swap_ms},
                  {"kept_old", report.swapped && options.keep_old},
                  {"finished_swaps", report.finished_swaps},
                  {"duration_ms", report.duration.count()},
                  {"plans", PlansJson(report.plans)}};
  if (report.applied) outcome.json["applied"] = AppliedJson(*report.applied);
  if (report.swapped) {
    outcome.json["swapped_at"] = FormatRfc3339(report.swapped_at);
    outcome.json["restored"] = RestoredJson(report, Filtered(site));
  }
  for (const std::string& sentence : report.finished_swaps) {
    outcome.text += Printable(sentence) + "\n";
  }
  if (report.skipped) {
    outcome.text +=
        RenderSkipped(report, options.dry_run, services.clock().Now(), services.style()) +
        RenderWarnings(services.warnings().All(), services.style());
  } else if (report.swapped) {
    outcome.text += DoneText(report, left_out, undo, options, site, services);
  } else if (options.dry_run) {
    const RestorePreview preview{
        report.archive,  report.manifest.get(), report.plans,     report.left_out,
        report.not_held, report.passed_over,    options.in_place, report.held};
    outcome.text += RenderPreview(preview, left_out, services.clock().Now(), services.style()) +
                    RenderWarnings(services.warnings().All(), services.style()) +
                    "Nothing was changed (--dry-run).\n";
  } else {
    outcome.text += RenderRefused(report);
    outcome.status = ExitStatus::kInterrupted;
  }
  return outcome;
}

std::optional<AgeLimit> AgeLimitOf(const SettingValues& settings) {
  const std::optional<CalendarSpan> span = settings.Span("max-age");
  if (!span) return std::nullopt;
  const std::string origin = settings.Find("max-age").value_or(SettingValue{}).origin;
  if (span->months != 0) {
    throw Error(ErrorKind::kUsage, fmt::format("{} has months (m) in it, not minutes: '{}'", origin,
                                               settings.TextOr("max-age", "")))
        .Hint("give it in hours, days, weeks or years: 2h, 2d, 1w");
  }
  const char* const separator = origin.starts_with("--") ? " " : "=";
  return AgeLimit{*span, origin + separator + settings.TextOr("max-age", "")};
}

/// The command that goes back behind this restore, for the same site: with the flags that said
/// which one it is. A front end knows that by itself.
std::string UndoCommand(const SettingValues& settings) {
  constexpr std::array<std::string_view, 3> kSiteGroups = {"MySQL", "MongoDB", "Files"};
  std::string command = "openedx-backup restore --undo";
  for (const Setting& setting : Settings()) {
    const bool of_site =
        std::ranges::count(kSiteGroups, setting.group) > 0 || setting.id == "config";
    const auto given = settings.flags().find(std::string(setting.id));
    if ((setting.commands & kRestore) == 0 || given == settings.flags().end()) continue;
    if (setting.id == "yes") command += " --yes";
    if (!of_site || !FrontEnd().empty()) continue;
    for (const std::string& value : given->second) {
      command += fmt::format(" --{} {}", setting.flag, ForShell(value));
    }
  }
  return command;
}

}  // namespace

CommandOutcome RunRestore(const SettingValues& settings, CommandServices& services) {
  services.facts().dry_run = settings.Switch("dry-run");
  if (settings.Switch("undo")) return RunUndo(settings, services);
  if (settings.Switch("drop-old")) return RunDropOld(settings, services);
  const RunContext run = services.run();
  const Location location = OpenConfiguredLocation(settings, "from", run);
  services.facts().location = location.store->Location();
  RestoreOptions options;
  options.choice = ChoiceOf(settings, location);
  options.selection = SelectionOf(settings);
  options.dry_run = settings.Switch("dry-run");
  options.keep_old = settings.Switch("keep-old");
  options.in_place = settings.Switch("in-place");
  options.threads = services.threads();
  options.skip_applied = settings.Bool("skip-applied");
  options.max_age = AgeLimitOf(settings);
  const Site site = SiteOf(settings, kRestore, services.threads());
  CheckApart(location, site, options.selection);
  RestoreTargets targets = TargetsOf(site, services);
  options.confirm = [&](const RestorePreview& preview) {
    services.facts().archive = preview.archive;
    if (options.dry_run) return false;
    const bool yes = settings.Switch("yes");
    return Confirm(PreviewText(preview, WhyLeftOut(preview.left_out, options.selection),
                               ShownAsLine(yes, services), services),
                   yes, services);
  };
  services.aftermath = [progress = &run.progress] { return Aftermath(progress->Read()); };
  const RestoreReport report = Restore(*location.store, targets, options, run);
  services.display().Stop(true);
  TellFacts(report, services.facts());
  return OutcomeOf(report, options, site, UndoCommand(settings), services);
}

}  // namespace oxbackup
