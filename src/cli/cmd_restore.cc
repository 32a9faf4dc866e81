#include "cli/cmd_restore.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/log_line.h"
#include "base/text.h"
#include "cli/front_end.h"
#include "cli/json_report.h"
#include "cli/question.h"
#include "cli/restore_screens.h"
#include "cli/site_settings.h"
#include "engine/restore.h"

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

CommandOutcome RunUndo(const SettingValues& settings, CommandServices& services) {
  RestoreTargets targets = TargetsOf(SiteOf(settings, kRestore, services.threads()), services);
  services.display().Start();
  const std::vector<std::string> sentences = Undo(targets, services.run());
  services.display().Stop(true);
  CommandOutcome outcome;
  outcome.text = "What the last restore replaced is back.\n";
  for (const std::string& sentence : sentences) outcome.text += "  " + Printable(sentence) + "\n";
  outcome.json = {{"undone", sentences}};
  return outcome;
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
  return DumpLine(line) + "\n";
}

/// Shows the preview and asks, unless --yes answers. The display starts when the work does.
bool Confirm(const RestorePreview& preview, const std::string& left_out, bool yes,
             CommandServices& services) {
  const bool as_line = services.json_log() && (yes || !CanAsk());
  std::fputs(PreviewText(preview, left_out, as_line, services).c_str(), stderr);
  const bool go = yes || services.Ask("\nGo on? [y/N] ");
  if (go) services.display().Start();
  return go;
}

/// Whether some component's swap has begun, by what the board says.
bool SwapBegan(const Progress& progress) {
  const Progress::Snapshot board = progress.Read();
  return std::ranges::any_of(board.components,
                             [](const auto& component) { return component.phase == "swap"; });
}

/// Components of which the settings let a part through.
std::set<std::string> Filtered(const Site& site) {
  const bool some = site.mongodb && (!site.mongodb->restore.ns_include.empty() ||
                                     !site.mongodb->restore.ns_exclude.empty());
  return some ? std::set<std::string>{"mongodb"} : std::set<std::string>();
}

std::string DoneText(const RestoreReport& report, const std::string& left_out, bool kept_old,
                     const Site& site, CommandServices& services) {
  const TerminalStyle& style = services.style();
  const std::vector<std::string> warnings = services.warnings().All();
  std::string out = RenderRestored(report, Filtered(site), warnings, style);
  out += RenderUntouched(left_out, report.not_held, style);
  for (const std::string& warning : warnings) {
    out += "  " + Paint(style, Colour::kYellow, "warning:") + " " +
           WrapAt(Printable(warning), 11, style.width) + "\n";
  }
  return out + RenderAfterRestore(kept_old, FrontEnd().empty(), style);
}

CommandOutcome OutcomeOf(const RestoreReport& report, const RestoreOptions& options,
                         const Site& site, CommandServices& services) {
  const std::string left_out = WhyLeftOut(report.left_out, options.selection);
  CommandOutcome outcome;
  outcome.json = {{"archive", report.archive},
                  {"dry_run", options.dry_run},
                  {"swapped", report.swapped},
                  {"components", report.components},
                  {"left_out", report.left_out},
                  {"not_held", report.not_held},
                  {"swap_ms", report.swap_ms},
                  {"kept_old", report.swapped && options.keep_old},
                  {"finished_swaps", report.finished_swaps},
                  {"duration_ms", report.duration.count()},
                  {"plans", PlansJson(report.plans)}};
  if (report.swapped) {
    outcome.json["swapped_at"] = FormatRfc3339(report.swapped_at);
    outcome.json["restored"] = RestoredJson(report, Filtered(site));
  }
  for (const std::string& sentence : report.finished_swaps) {
    outcome.text += Printable(sentence) + "\n";
  }
  if (report.swapped) {
    outcome.text += DoneText(report, left_out, options.keep_old, site, services);
  } else if (options.dry_run) {
    const RestorePreview preview{report.archive, report.manifest.get(), report.plans,
                                 report.left_out, report.not_held};
    outcome.text += RenderPreview(preview, left_out, services.clock().Now(), services.style()) +
                    "Nothing was changed (--dry-run).\n";
  } else {
    outcome.text += "Nothing was changed.\n";
    outcome.status = ExitStatus::kInterrupted;
  }
  return outcome;
}

}  // namespace

CommandOutcome RunRestore(const SettingValues& settings, CommandServices& services) {
  if (settings.Switch("undo")) return RunUndo(settings, services);
  const RunContext run = services.run();
  const Location location = OpenConfiguredLocation(settings, "from");
  RestoreOptions options;
  options.choice = ChoiceOf(settings, location);
  options.selection = SelectionOf(settings);
  options.dry_run = settings.Switch("dry-run");
  options.keep_old = settings.Switch("keep-old");
  const Site site = SiteOf(settings, kRestore, services.threads());
  CheckApart(location, site, options.selection);
  RestoreTargets targets = TargetsOf(site, services);
  options.confirm = [&](const RestorePreview& preview) {
    if (options.dry_run) return false;
    return Confirm(preview, WhyLeftOut(preview.left_out, options.selection), settings.Switch("yes"),
                   services);
  };
  services.aftermath = [progress = &run.progress] {
    return std::string(SwapBegan(*progress) ? "" : "Nothing live was changed.");
  };
  const RestoreReport report = Restore(*location.store, targets, options, run);
  services.display().Stop(true);
  return OutcomeOf(report, options, site, services);
}

}  // namespace oxbackup
