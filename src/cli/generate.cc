#include "cli/generate.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/version.h"
#include "cli/exit_status.h"
#include "cli/settings_table.h"
#include "report/metrics.h"

namespace oxbackup {
namespace {

/// Text for roff: backslashes and dashes stand for themselves, and no line begins with a dot.
std::string Roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  if (!out.empty() && (out.front() == '.' || out.front() == '\'')) out.insert(0, "\\&");
  return out;
}

std::string RoffItem(const Setting& setting) {
  std::string out = fmt::format(".TP\n\\fB{}\\fR", Roff(fmt::format("--{}", setting.flag)));
  if (!setting.placeholder.empty()) {
    out += fmt::format("\\fI{}\\fR", Roff(PlaceholderBehindFlag(setting)));
  }
  out += fmt::format("\n{}.", Roff(setting.help));
  if (!setting.fallback.empty()) out += fmt::format("\nDefault: {}.", Roff(setting.fallback));
  if (setting.kind == SettingKind::kList) out += "\nCan be repeated.";
  if (!setting.variable.empty()) {
    out += fmt::format("\nVariable: \\fB{}\\fR", Roff(setting.variable));
    if (setting.kind == SettingKind::kSecret) {
      out += fmt::format(" (the secret itself) or \\fB{}_FILE\\fR", Roff(setting.variable));
    }
    out += ".";
  }
  return out + "\n";
}

std::string CommandsOf(const Setting& setting) {
  std::string out;
  for (const Command& command : Commands()) {
    if ((setting.commands & command.bit) == 0) continue;
    if (!out.empty()) out += ", ";
    out += command.name;
  }
  return out;
}

std::string MarkdownCell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string Code(std::string_view text) {
  return text.empty() ? "" : fmt::format("`{}`", MarkdownCell(text));
}

}  // namespace

std::string Generate(const std::string& kind) {
  if (kind == "man") return ManualPage();
  if (kind == "bash") return BashCompletion();
  if (kind == "zsh") return ZshCompletion();
  if (kind == "fish") return FishCompletion();
  if (kind == "settings") return SettingsTable();
  if (kind == "metrics") return MetricsTable();
  throw Error(ErrorKind::kUsage, "generate makes man, bash, zsh, fish, settings or metrics");
}

std::string ManualPage() {
  std::string out = fmt::format(
      ".TH OPENEDX\\-BACKUP 1 \"\" \"openedx-backup {}\" \"User commands\"\n"
      ".SH NAME\nopenedx\\-backup \\- back a whole Open edX site up into one archive, and restore "
      "it\n"
      ".SH SYNOPSIS\n\\fBopenedx\\-backup\\fR \\fICOMMAND\\fR [\\fIFLAG\\fR]...\n"
      ".SH DESCRIPTION\n"
      "Streams MySQL, MongoDB, Caddy's data and media folders of a running site into one ordinary\n"
      "tar archive, without temporary files, and restores it: everything is\n"
      "loaded beside the live data, verified and then swapped in.\n"
      ".PP\nFlags win over variables, variables over the settings file (\\fB\\-\\-config\\fR), "
      "that\n"
      "over defaults. Empty variables count as not set. Secrets are never flags.\n"
      ".SH COMMANDS\n",
      kVersion);
  for (const Command& command : Commands()) {
    out += fmt::format(".SS {}\n{}\n.PP\nFlags:", command.name, Roff(command.description));
    std::string separator = " ";
    for (const Setting& setting : Settings()) {
      if ((setting.commands & command.bit) == 0) continue;
      out += fmt::format("{}\\fB{}\\fR", separator, Roff(fmt::format("--{}", setting.flag)));
      separator = ",\n";
    }
    out += fmt::format(".\n.PP\nExample: \\fB{}\\fR\n", Roff(command.example));
  }
  out += ".SH FLAGS\n";
  std::string_view group;
  for (const Setting& setting : Settings()) {
    if (setting.group != group) out += fmt::format(".SS {}\n", Roff(setting.group));
    group = setting.group;
    out += RoffItem(setting);
    out += fmt::format("For {}.\n", Roff(CommandsOf(setting)));
  }
  out +=
      ".SH FILES\nThe settings file is TOML. Its keys are the flags' names, alone\n"
      "(\\fBmysql\\-host = \"db\"\\fR) or below a table (\\fB[mysql]\\fR, \\fBhost = \"db\"\\fR).\n"
      "\\fBmysql\\-password\\fR and \\fBmongodb\\-password\\fR may stand in it; then only their\n"
      "owner should be able to read it.\n.SH EXIT STATUS\n";
  for (const ExitStatusText& text : kExitStatuses) {
    out += fmt::format(".TP\n.B {}\n{}.\n", static_cast<int>(text.status), Roff(text.meaning));
  }
  out +=
      ".SH SEE ALSO\n\\fBtar\\fR(1), \\fBxz\\fR(1), \\fBmysql\\fR(1): they restore an archive by "
      "hand.\n";
  return out;
}

std::string SettingsTable() {
  std::string out =
      "| flag | value | variable | default | commands | meaning |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const Setting& setting : Settings()) {
    std::string variable = Code(setting.variable);
    if (setting.kind == SettingKind::kSecret) {
      variable += fmt::format(", `{}_FILE`", setting.variable);
    }
    out += fmt::format("| `--{}` | {} | {} | {} | {} | {} |\n", setting.flag,
                       Code(setting.placeholder), variable, Code(setting.fallback),
                       CommandsOf(setting), MarkdownCell(setting.help));
  }
  return out;
}

std::string MetricsTable() {
  std::string out =
      "| metric | unit | labels | commands | meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const MetricDefinition& metric : MetricDefinitions()) {
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", metric.name, metric.unit,
                       Code(metric.labels), metric.commands, MarkdownCell(metric.help));
  }
  return out;
}

}  // namespace oxbackup
