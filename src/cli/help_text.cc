#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/exit_status.h"
#include "cli/terminal.h"

namespace oxbackup {
namespace {

constexpr int kFlagColumn = 28;

std::string Row(const std::string& left, std::string_view right, int width) {
  constexpr int kIndent = kFlagColumn + 2;
  std::string out = PadRight("  " + left, kIndent);
  if (DisplayWidth(left) + 3 > kIndent) out += "\n" + std::string(kIndent, ' ');
  return out + WrapAt(right, kIndent, width) + "\n";
}

/// "codec and level (default xz; BACKUP_COMPRESSION)".
std::string Explanation(const Setting& setting) {
  std::vector<std::string> notes;
  if (!setting.fallback.empty()) notes.push_back(fmt::format("default {}", setting.fallback));
  if (!setting.variable.empty()) {
    notes.emplace_back(setting.variable);
    if (setting.kind == SettingKind::kSecret)
      notes.back() += fmt::format(", {}_FILE", setting.variable);
  }
  if (setting.kind == SettingKind::kList) notes.emplace_back("repeatable");
  if (notes.empty()) return std::string(setting.help);
  return fmt::format("{} ({})", setting.help, fmt::join(notes, "; "));
}

std::string Statuses(int width) {
  std::string out = "Exit status\n";
  for (const ExitStatusText& text : kExitStatuses) {
    const std::string left = fmt::format("{:>3}", static_cast<int>(text.status));
    out += fmt::format("  {}  {}\n", left, WrapAt(text.meaning, 7, width));
  }
  return out;
}

std::string CommandHelp(const Command& command, int width) {
  std::string out = fmt::format("openedx-backup {}: {}\n\n", command.name, command.summary);
  out += WrapAt(command.description, 0, width) + "\n\n";
  out += fmt::format("Example\n  {}\n", command.example);
  std::string_view group;
  for (const Setting& setting : Settings()) {
    if ((setting.commands & command.bit) == 0) continue;
    if (setting.group != group) out += fmt::format("\n{}\n", setting.group);
    group = setting.group;
    const std::string left = fmt::format("--{}{}", setting.flag, PlaceholderBehindFlag(setting));
    out += Row(left, Explanation(setting), width);
  }
  out +=
      "\n" + WrapAt(
                 "Flags win over variables, variables over the settings file (--config), whose "
                 "keys are the flags' names: mysql-host = \"db\", or host = \"db\" below [mysql].",
                 0, width);
  return out + "\n\n" + Statuses(width);
}

}  // namespace

std::string HelpText(const Command* command, int width) {
  const int columns = std::clamp(width, 60, 100);
  if (command != nullptr) return CommandHelp(*command, columns);
  std::string out =
      "openedx-backup: back a whole Open edX site up into one archive, and restore it\n\n"
      "usage: openedx-backup COMMAND [FLAG]…\n\n";
  for (const Command& each : Commands()) {
    out += fmt::format("  {:<9} {}\n", each.name, each.summary);
  }
  out += "\nopenedx-backup COMMAND --help explains a command's flags and variables.\n\n";
  return out + Statuses(columns);
}

}  // namespace oxbackup
