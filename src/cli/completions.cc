#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "cli/generate.h"
#include "cli/settings_table.h"

namespace oxbackup {
namespace {

/// The words that complete a setting's value; empty where there is no list of them.
std::vector<std::string> ValuesOf(const Setting& setting) {
  if (setting.id == "only" || setting.id == "exclude") {
    return {"mysql", "mongodb", "caddy", "media", "config"};
  }
  if (setting.kind == SettingKind::kBool) return {"true", "false"};
  if (setting.id == "compression") return {"xz", "zstd", "none"};
  if (setting.kind != SettingKind::kText) return {};
  if (setting.placeholder.find('|') == std::string_view::npos) return {};
  return SplitNonEmpty(setting.placeholder, "|");
}

bool NeedsValue(const Setting& setting) {
  return setting.kind != SettingKind::kSwitch && setting.kind != SettingKind::kCountOrNone;
}

bool TakesFile(const Setting& setting) {
  return setting.kind == SettingKind::kPath || setting.kind == SettingKind::kSecret ||
         setting.kind == SettingKind::kPair || setting.id == "media";
}

/// Text between single quotes of a shell.
std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string CommandNames() {
  std::string out;
  for (const Command& command : Commands())
    out += std::string(out.empty() ? "" : " ") + std::string(command.name);
  return out;
}

/// A setting's specification for zsh's _arguments: "--flag[help]:value:action".
std::string ZshSpecification(const Setting& setting) {
  std::string help(setting.help);
  for (size_t at = 0; (at = help.find_first_of("[]:", at)) != std::string::npos; at += 2) {
    help.insert(at, 1, '\\');
  }
  std::string out = fmt::format("--{}[{}]", setting.flag, help);
  if (setting.kind == SettingKind::kList) out.insert(0, "*");
  if (!NeedsValue(setting)) return out;
  const std::vector<std::string> values = ValuesOf(setting);
  std::string action;
  if (!values.empty()) {
    action = fmt::format("({})", fmt::join(values, " "));
  } else if (TakesFile(setting)) {
    action = "_files";
  }
  out += fmt::format(":value:{}", action);
  if (setting.kind == SettingKind::kPair) out += fmt::format(":value:{}", action);
  return out;
}

}  // namespace

std::string BashCompletion() {
  std::string out = fmt::format(
      "# bash completion for openedx-backup\n"
      "_openedx_backup() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} flags=\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W '{} --help --version' -- \"$current\"))\n"
      "    return\n"
      "  fi\n"
      "  case $previous in\n",
      CommandNames());
  std::string_view last;
  for (const Setting& setting : Settings()) {
    if (setting.flag == last || !NeedsValue(setting)) continue;
    last = setting.flag;
    const std::vector<std::string> values = ValuesOf(setting);
    const std::string reply = !values.empty()
                                  ? fmt::format("compgen -W '{}'", fmt::join(values, " "))
                                  : (TakesFile(setting) ? "compgen -f" : "");
    out += fmt::format("    --{})\n", setting.flag);
    if (!reply.empty()) out += fmt::format("      COMPREPLY=($({} -- \"$current\"))\n", reply);
    out += "      return ;;\n";
  }
  out += "  esac\n  case ${COMP_WORDS[1]} in\n";
  for (const Command& command : Commands()) {
    out += fmt::format("    {}) flags='--help", command.name);
    for (const Setting& setting : Settings()) {
      if ((setting.commands & command.bit) != 0) out += fmt::format(" --{}", setting.flag);
    }
    out += "' ;;\n";
  }
  return out +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$flags\" -- \"$current\"))\n"
         "}\n"
         "complete -o filenames -F _openedx_backup openedx-backup\n";
}

std::string ZshCompletion() {
  std::string out =
      "#compdef openedx-backup\n"
      "_openedx_backup() {\n"
      "  local -a commands\n"
      "  commands=(\n";
  for (const Command& command : Commands()) {
    out += fmt::format("    {}\n", Quoted(fmt::format("{}:{}", command.name, command.summary)));
  }
  out +=
      "  )\n"
      "  if ((CURRENT == 2)); then\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  local command=$words[2]\n"
      "  shift words\n"
      "  ((CURRENT--))\n"
      "  case $command in\n";
  for (const Command& command : Commands()) {
    out += fmt::format("    {})\n      _arguments '--help[explain the command]'", command.name);
    for (const Setting& setting : Settings()) {
      if ((setting.commands & command.bit) == 0) continue;
      out += " \\\n        " + Quoted(ZshSpecification(setting));
    }
    out += "\n      ;;\n";
  }
  return out + "  esac\n}\n_openedx_backup \"$@\"\n";
}

std::string FishCompletion() {
  std::string out = "# fish completion for openedx-backup\ncomplete -c openedx-backup -f\n";
  for (const Command& command : Commands()) {
    out += fmt::format("complete -c openedx-backup -n __fish_use_subcommand -a {} -d {}\n",
                       command.name, Quoted(command.summary));
  }
  for (const Command& command : Commands()) {
    for (const Setting& setting : Settings()) {
      if ((setting.commands & command.bit) == 0) continue;
      out +=
          fmt::format("complete -c openedx-backup -n '__fish_seen_subcommand_from {}' -l {} -d {}",
                      command.name, setting.flag, Quoted(setting.help));
      if (NeedsValue(setting)) out += TakesFile(setting) ? " -r -F" : " -x";
      if (const std::vector<std::string> values = ValuesOf(setting); !values.empty()) {
        out += fmt::format(" -a {}", Quoted(fmt::format("{}", fmt::join(values, " "))));
      }
      out += "\n";
    }
  }
  return out;
}

}  // namespace oxbackup
