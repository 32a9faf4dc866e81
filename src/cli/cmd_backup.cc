#include "cli/cmd_backup.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/archive_screens.h"
#include "cli/component_summary.h"
#include "cli/json_report.h"
#include "cli/site_settings.h"
#include "engine/backup.h"

namespace oxbackup {
namespace {

std::string VerifiedText(const BackupReport& report) {
  if (report.read_back) return "  Verified: every stored byte read back and compared.\n";
  if (!report.proof.empty()) return fmt::format("  Verified: {}.\n", report.proof);
  return "  Not read back (--no-read-back).\n";
}

std::string SummaryText(const BackupReport& report, const std::string& place,
                        const std::string& left_out, const std::vector<std::string>& warnings,
                        const TerminalStyle& style) {
  std::string out =
      warnings.empty()
          ? Paint(style, Colour::kGreen, "Complete")
          : Paint(style, Colour::kYellow,
                  "Done with " + FormatCounted(warnings.size(), "warning", "warnings"));
  out += fmt::format(" in {}: {} of data in {}, {}.\n", FormatDuration(report.duration),
                     FormatBytes(report.totals.raw_bytes), FormatBytes(report.totals.stored_bytes),
                     report.name);
  out += RenderComponents(report.manifest, style);
  out += RenderMoments(report.manifest, false, style);
  if (!left_out.empty()) {
    out += "  " + WrapAt("Not in it: " + left_out + ".", 2, style.width) + "\n";
  }
  out += RenderWarnings(warnings, style);
  for (const std::string& kept : report.kept_old) {
    const std::string line =
        "Not in it: " + kept + " (openedx-backup restore --drop-old removes it).";
    out += "  " + WrapAt(Printable(line), 2, style.width) + "\n";
  }
  out += VerifiedText(report);
  out += fmt::format("  Restore with:\n    openedx-backup restore --from {} --name {}\n",
                     ForShell(place), ForShell(report.name));
  return out;
}

void TellFacts(const BackupReport& report, RunFacts& facts) {
  facts.archive = report.name;
  facts.version = report.version;
  facts.stored_bytes = report.totals.stored_bytes;
  facts.raw_bytes = report.totals.raw_bytes;
  facts.components = ComponentFactsOf(report.manifest);
  if (report.read_back) facts.read_back = report.read_back_time;
  facts.skew = std::chrono::milliseconds(report.manifest.skew_ms);
}

}  // namespace

CommandOutcome RunBackup(const SettingValues& settings, CommandServices& services) {
  const RunContext run = services.run();
  const ComponentSelection selection = SelectionOf(settings);
  const BackupOptions options{
      .archive = {.compression = ParseCompression(settings.TextOr("compression", "xz")),
                  .workers = services.threads()},
      .name = settings.Text("name"),
      .read_back = !settings.Switch("no-read-back")};
  const Location location = OpenConfiguredLocation(settings, "to", run);
  if (location.name) {
    throw Error(ErrorKind::kUsage, "--to names a file, and a backup goes into a folder")
        .Hint("--to FOLDER --name NAME");
  }
  const Site site = SiteOf(settings, kBackup, services.threads());
  CheckApart(location, site, selection);
  BackupSources sources = MakeSources(site, selection, run);
  RestoreTargets targets = MakeTargets(site, run);
  if (sources.empty()) {
    throw Error(ErrorKind::kUsage, "there is nothing to back up: no component is configured")
        .Hint(
            "openedx-backup backup --to /backup --mysql-host mysql --mongodb-host mongodb "
            "--caddy /caddy");
  }
  const std::string place = location.store->Location();
  services.facts().location = place;
  services.aftermath = [progress = &run.progress] { return AftermathOfBackup(progress->Read()); };
  services.display().Start();
  const BackupReport report = Backup(*location.store, sources, targets, options, run);
  services.display().Stop(true);
  TellFacts(report, services.facts());
  const std::vector<std::string> left_out = LeftOut(site, selection);
  return {.text = SummaryText(report, place, WhyLeftOut(left_out, selection),
                              services.warnings().All(), services.style()),
          .json = {{"location", place},
                   {"archive", report.name},
                   {"version", report.version},
                   {"stored_bytes", report.totals.stored_bytes},
                   {"raw_bytes", report.totals.raw_bytes},
                   {"duration_ms", report.duration.count()},
                   {"read_back", report.read_back},
                   {"proof", report.proof},
                   {"left_out", left_out},
                   {"kept_old", report.kept_old},
                   {"manifest", ManifestJson(report.manifest, report.totals.lists, false)}},
          .status = {}};
}

}  // namespace oxbackup
