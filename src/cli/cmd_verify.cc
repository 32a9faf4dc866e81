#include "cli/cmd_verify.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/site_settings.h"
#include "engine/verify.h"

namespace oxbackup {
namespace {

std::string CheckedText(const VerifyReport& report, const TerminalStyle& style) {
  if (report.manifest.tool_version.empty()) {
    return fmt::format(
        "{}: read to its end, {}, {} members. It was made by another tool and holds no "
        "digests to compare with, so this proves only that it can be read.\n",
        report.archive, FormatBytes(report.bytes_read), FormatCount(report.members));
  }
  if (report.depth == VerifyDepth::kQuick) {
    return fmt::format(
        "{}: index and manifest agree with each other and with the file's size. Not "
        "checked: the data themselves (leave --quick out).\n",
        report.archive);
  }
  const std::string proof = fmt::format(
      "Every block decompresses, and the SHA-256 of all {} members and the digests of all {} "
      "tables, "
      "collections and folders agree with the manifest. Not checked: whether a server accepts it "
      "(use --against-live, or a restore test).",
      FormatCount(report.members), FormatCount(report.objects));
  return fmt::format("{}: whole, {} read.\n", report.archive, FormatBytes(report.bytes_read)) +
         WrapAt(proof, 0, style.width) + "\n";
}

std::string ComparedText(const VerifyReport& report, const TerminalStyle& style) {
  if (report.differences.empty()) {
    return fmt::format("{}: the running site equals it, {} tables, collections and folders.\n",
                       report.archive, FormatCount(report.objects));
  }
  std::string out = fmt::format("{}: the running site differs from it in {}:\n", report.archive,
                                report.differences.size() == 1
                                    ? std::string("one place")
                                    : FormatCount(report.differences.size()) + " places");
  for (const std::string& difference : report.differences) {
    out += "  - " + WrapAt(Printable(difference), 4, style.width) + "\n";
  }
  return out;
}

VerifyReport Compare(const SettingValues& settings, CommandServices& services,
                     const ArchiveEntry& entry) {
  const RunContext run = services.run();
  if (!entry.manifest) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{} has no digests to compare a site with", entry.object.name))
        .Hint("only archives of openedx-backup can be compared with a running site");
  }
  const Site site = SiteOf(settings, kVerify, services.threads(), run.log);
  LiveComparers comparers = MakeComparers(site, SelectionOf(settings), run);
  if (comparers.empty()) {
    throw Error(ErrorKind::kUsage, "there is no site to compare with: no component is configured")
        .Hint("openedx-backup verify --from /backup --against-live --mysql-host mysql");
  }
  return CompareWithLive(*entry.manifest, entry.object.name, comparers, run);
}

}  // namespace

CommandOutcome RunVerify(const SettingValues& settings, CommandServices& services) {
  const RunContext run = services.run();
  const bool live = settings.Switch("against-live");
  const bool quick = settings.Switch("quick");
  if (live && quick) {
    throw Error(ErrorKind::kUsage, "--quick and --against-live exclude each other");
  }
  const Location location = OpenConfiguredLocation(settings, "from");
  const ArchiveEntry entry = ChooseArchive(*location.store, ChoiceOf(settings, location), run);
  services.display().Start();
  const VerifyReport report = live ? Compare(settings, services, entry)
                                   : VerifyArchive(*location.store, entry.object.name,
                                                   quick ? VerifyDepth::kQuick : VerifyDepth::kFull,
                                                   services.threads(), run);
  services.display().Stop(true);
  CommandOutcome outcome;
  outcome.text =
      live ? ComparedText(report, services.style()) : CheckedText(report, services.style());
  outcome.json = {{"archive", report.archive},
                  {"depth", live ? "against_live" : quick ? "quick" : "full"},
                  {"bytes_read", report.bytes_read},
                  {"members", report.members},
                  {"objects", report.objects},
                  {"differences", report.differences}};
  if (!report.differences.empty()) outcome.status = ExitStatus::kCorrupt;
  return outcome;
}

}  // namespace oxbackup
