#include "cli/cmd_restore.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "cli/front_end.h"
#include "cli/json_report.h"
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

/// Shows the preview and asks, unless --yes answers. The display starts when the work does.
bool Confirm(const RestorePreview& preview, const std::string& left_out, bool yes,
             CommandServices& services) {
  const std::string text =
      RenderPreview(preview, left_out, services.clock().Now(), StyleOf(STDERR_FILENO));
  std::fputs(text.c_str(), stderr);
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

std::string DoneText(const RestoreReport& report, const std::string& left_out, bool kept_old,
                     const std::vector<std::string>& warnings, const TerminalStyle& style) {
  std::string out =
      warnings.empty()
          ? Paint(style, Colour::kGreen, "Restored")
          : Paint(style, Colour::kYellow,
                  "Restored with " + FormatCounted(warnings.size(), "warning", "warnings"));
  out += fmt::format(" {} in {}: {} swapped in; readers or writers waited {} for it.\n",
                     report.archive, FormatDuration(report.duration),
                     fmt::join(report.components, ", "),
                     FormatDuration(std::chrono::milliseconds(report.swap_ms)));
  out += RenderUntouched(left_out, report.not_held, style);
  for (const std::string& warning : warnings) {
    out += "  " + Paint(style, Colour::kYellow, "warning:") + " " +
           WrapAt(Printable(warning), 11, style.width) + "\n";
  }
  return out + RenderAfterRestore(kept_old, FrontEnd().empty(), style);
}

CommandOutcome OutcomeOf(const RestoreReport& report, const RestoreOptions& options,
                         const Site& site, CommandServices& services) {
  const std::string left_out = WhyLeftOut(report.left_out, site);
  CommandOutcome outcome;
  auto plans = nlohmann::ordered_json::array();
  for (const auto& [component, plan] : report.plans) plans.push_back(PlanJson(component, plan));
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
                  {"plans", std::move(plans)}};
  for (const std::string& sentence : report.finished_swaps) {
    outcome.text += Printable(sentence) + "\n";
  }
  if (report.swapped) {
    outcome.text +=
        DoneText(report, left_out, options.keep_old, services.warnings().All(), services.style());
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

// It goes back as a whole, at once.
void RefuseBesideUndo(const SettingValues& settings) {
  const auto refuse = [](std::string_view flag) {
    throw Error(ErrorKind::kUsage, fmt::format("--undo and --{} exclude each other", flag))
        .Hint("openedx-backup restore --undo brings back all that the last restore replaced");
  };
  for (const std::string_view flag : {"dry-run", "keep-old"}) {
    if (settings.Switch(flag)) refuse(flag);
  }
  for (const std::string_view flag : {"only", "exclude", "date", "name"}) {
    if (settings.Find(flag)) refuse(flag);
  }
}

}  // namespace

CommandOutcome RunRestore(const SettingValues& settings, CommandServices& services) {
  if (settings.Switch("undo")) {
    RefuseBesideUndo(settings);
    return RunUndo(settings, services);
  }
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
    return Confirm(preview, WhyLeftOut(preview.left_out, site), settings.Switch("yes"), services);
  };
  services.aftermath = [progress = &run.progress] {
    return std::string(SwapBegan(*progress) ? "" : "Nothing live was changed.");
  };
  const RestoreReport report = Restore(*location.store, targets, options, run);
  services.display().Stop(true);
  return OutcomeOf(report, options, site, services);
}

}  // namespace oxbackup
