#include "cli/cmd_verify.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/component_summary.h"
#include "cli/site_settings.h"
#include "engine/open_runs.h"
#include "engine/verify.h"

namespace oxbackup {
namespace {

std::string Members(const VerifyReport& report) {
  return FormatCounted(report.members, "member", "members");
}

std::string CheckedText(const VerifyReport& report, const TerminalStyle& style) {
  const auto wrapped = [&](const std::string& text) { return WrapAt(text, 0, style.width) + "\n"; };
  if (report.manifest.tool_version.empty()) {
    return wrapped(fmt::format(
        "{}: read to its end, {}, {}. It was made by another tool and holds no digests to compare "
        "with, so this proves only that it can be read.",
        report.archive, FormatBytes(report.bytes_read), Members(report)));
  }
  if (report.depth == VerifyDepth::kQuick) {
    return wrapped(fmt::format(
        "{}: index and manifest agree with each other and with the file's size. Not checked: the "
        "data themselves (leave --quick out).",
        report.archive));
  }
  return wrapped(
             fmt::format("{}: whole, {} read.", report.archive, FormatBytes(report.bytes_read))) +
         wrapped(fmt::format(
             "Every block decompresses, and the SHA-256 of {} and the {} agree with the manifest. "
             "Not checked: whether a server accepts it (use --against-live, or a restore test).",
             Members(report),
             FormatCounted(report.objects, "digest of a table, collection or folder",
                           "digests of tables, collections and folders")));
}

std::string ComparedText(const VerifyReport& report, const std::string& left_out,
                         const TerminalStyle& style) {
  std::string not_compared;
  const auto say = [&](const std::string& what, const std::string& names) {
    if (!names.empty()) not_compared += "  " + WrapAt(what + names + ".", 2, style.width) + "\n";
  };
  say("Not compared: ", left_out);
  say("The site has, but not the archive: ", fmt::format("{}", fmt::join(report.not_held, ", ")));
  if (report.differences.empty()) {
    return WrapAt(fmt::format("{}: the running site equals it in {}.", report.archive,
                              FormatCounted(report.objects, "table, collection or folder",
                                            "tables, collections and folders")),
                  0, style.width) +
           "\n" + not_compared;
  }
  std::string out = fmt::format("{}: the running site differs from it in {}:\n", report.archive,
                                FormatCounted(report.differences.size(), "place", "places"));
  for (const std::string& difference : report.differences) {
    out += "  - " + WrapAt(Printable(difference), 4, style.width) + "\n";
  }
  return out + not_compared;
}

struct Comparison {
  VerifyReport report;
  std::string left_out;  ///< what the archive holds and was not compared, with the reason
};

Comparison Compare(const SettingValues& settings, CommandServices& services,
                   const ArchiveEntry& entry) {
  const RunContext run = services.run();
  if (!entry.manifest) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{} has no digests to compare a site with", entry.object.name))
        .Hint("only archives of openedx-backup can be compared with a running site");
  }
  const Site site = SiteOf(settings, kVerify, services.threads());
  const ComponentSelection selection = SelectionOf(settings);
  LiveComparers comparers = MakeComparers(site, selection, run);
  if (comparers.empty()) {
    throw Error(ErrorKind::kUsage, "there is no site to compare with: no component is configured")
        .Hint("openedx-backup verify --from /backup --against-live --mysql-host mysql");
  }
  RestoreTargets targets = MakeTargets(site, run);
  for (const std::string& sentence : DescribeOpenSwaps(targets)) run.warnings.Add(sentence);
  std::vector<std::string> left_out = ComponentNamesOf(*entry.manifest);
  std::erase_if(left_out, [&](const std::string& name) {
    return site.Has(name) && selection.Includes(name);
  });
  return {.report = CompareWithLive(*entry.manifest, entry.object.name, comparers, run),
          .left_out = WhyLeftOut(left_out, selection)};
}

}  // namespace

CommandOutcome RunVerify(const SettingValues& settings, CommandServices& services) {
  const RunContext run = services.run();
  const bool live = settings.Switch("against-live");
  const bool quick = settings.Switch("quick");
  const Location location = OpenConfiguredLocation(settings, "from", run);
  ArchiveChoice choice = ChoiceOf(settings, location);
  choice.components = SelectionOf(settings).only;
  const ArchiveEntry entry = ChooseArchive(*location.store, choice, run);
  RunFacts& facts = services.facts();
  facts.location = location.store->Location();
  facts.archive = entry.object.name;
  facts.version = entry.object.version;
  if (entry.manifest) facts.components = ComponentFactsOf(*entry.manifest);
  services.display().Start();
  Comparison done;
  if (live) {
    done = Compare(settings, services, entry);
  } else {
    done.report =
        VerifyArchive(*location.store, entry.object,
                      quick ? VerifyDepth::kQuick : VerifyDepth::kFull, services.threads(), run);
  }
  const VerifyReport& report = done.report;
  services.display().Stop(true);
  CommandOutcome outcome;
  outcome.text = live ? ComparedText(report, done.left_out, services.style())
                      : CheckedText(report, services.style());
  outcome.json = {{"archive", report.archive},
                  {"depth", live ? "against_live" : quick ? "quick" : "full"},
                  {"bytes_read", report.bytes_read},
                  {"members", report.members},
                  {"objects", report.objects},
                  {"differences", report.differences}};
  if (live) outcome.json["not_held"] = report.not_held;
  if (!report.differences.empty()) outcome.status = ExitStatus::kCorrupt;
  return outcome;
}

}  // namespace oxbackup
