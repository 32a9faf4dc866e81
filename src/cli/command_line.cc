#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"

namespace oxbackup {
namespace {

constexpr std::string_view kGenerateCommand = "generate";

bool IsFlag(std::string_view argument) { return argument.size() > 1 && argument[0] == '-'; }

Error UsageError(const std::string& what, const Command* command) {
  Error error(ErrorKind::kUsage, what);
  if (command != nullptr) {
    error.Hint(fmt::format("{}, or openedx-backup {} --help", command->example, command->name));
  } else {
    error.Hint("openedx-backup --help lists the commands");
  }
  return error;
}

/// The error for an argument that no flag took. Only a flag's name is repeated.
Error UnexpectedArgument(const std::string& argument, const Command& command) {
  if (!IsFlag(argument)) {
    return UsageError(
        fmt::format("{} takes flags alone, and something else was given", command.name), &command);
  }
  const std::string flag = argument.substr(0, argument.find('='));
  if (flag.find("password") != std::string::npos || flag.find("secret") != std::string::npos) {
    return Error(
               ErrorKind::kUsage,
               fmt::format("there is no flag {}: every user of a machine can read the arguments of "
                           "its processes",
                           flag))
        .Hint(
            "set MYSQL_ROOT_PASSWORD, MONGODB_PASSWORD, or the same with _FILE that names a file");
  }
  for (const Setting& setting : Settings()) {
    if ("--" + std::string(setting.flag) != flag) continue;
    return UsageError(fmt::format("{} is no flag of {}", flag, command.name), &command);
  }
  return UsageError(fmt::format("there is no flag {}", flag), &command);
}

/// Adds the command's flags; their values go to `flags`, which must outlive the parsing.
void AddFlags(CLI::App& app, const Command& command, SettingValues::Flags& flags) {
  for (const Setting& setting : Settings()) {
    if ((setting.commands & command.bit) == 0) continue;
    const std::string flag = "--" + std::string(setting.flag);
    const std::string id(setting.id);
    if (setting.kind == SettingKind::kSwitch) {
      app.add_flag_callback(flag, [&flags, id] { flags[id] = {"true"}; });
      continue;
    }
    CLI::Option* option = app.add_option_function<std::vector<std::string>>(
        flag, [&flags, id](const std::vector<std::string>& values) { flags[id] = values; });
    option->type_size(1)->allow_extra_args(false);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    if (setting.kind == SettingKind::kPair) option->expected(2);
    if (setting.kind == SettingKind::kCountOrNone) {
      option->expected(0, 1)->default_str(std::string(setting.fallback));
    }
  }
  app.allow_extras();
}

void CheckCounts(const Command& command, const SettingValues::Flags& flags) {
  for (const auto& [id, values] : flags) {
    const Setting* setting = FindSetting(command.bit, id);
    const bool pair = setting->kind == SettingKind::kPair;
    if (pair && values.size() != 2) {
      throw UsageError(fmt::format("--{} takes two values: --{} {}", setting->flag, setting->flag,
                                   setting->placeholder),
                       &command);
    }
    if (pair || setting->kind == SettingKind::kList || values.size() == 1) continue;
    throw UsageError(fmt::format("--{} is given more than once", setting->flag), &command);
  }
}

CommandLine ParseCommand(const Command& command, std::vector<std::string> arguments) {
  CommandLine line;
  line.command = &command;
  CLI::App app;
  AddFlags(app, command, line.flags);
  std::ranges::reverse(arguments);  // CLI11 takes them so
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    line.action = CommandLine::Action::kHelp;
    return line;
  } catch (const CLI::ArgumentMismatch& error) {
    // CLI11 names the flag and how many values it wants, never the values.
    throw UsageError(error.what(), &command);
  } catch (const CLI::ParseError& error) {
    throw UsageError(fmt::format("{}: {}", command.name, error.get_name()), &command);
  }
  const std::vector<std::string> extras = app.remaining();
  if (!extras.empty()) {
    // The flag is what went wrong; a word may be the value that belonged to it.
    const auto flag = std::ranges::find_if(extras, IsFlag);
    throw UnexpectedArgument(flag == extras.end() ? extras.front() : *flag, command);
  }
  CheckCounts(command, line.flags);
  return line;
}

}  // namespace

CommandLine ParseCommandLine(std::vector<std::string> arguments) {
  CommandLine line;
  if (arguments.empty()) throw UsageError("no command is given", nullptr);
  const std::string name = arguments.front();
  arguments.erase(arguments.begin());
  if (name == "--help" || name == "-h" || name == "help") {
    line.action = CommandLine::Action::kHelp;
    if (!arguments.empty()) line.command = FindCommand(arguments.front());
    return line;
  }
  if (name == "--version") {
    line.action = CommandLine::Action::kVersion;
    return line;
  }
  if (name == kGenerateCommand && arguments.size() == 1) {
    line.action = CommandLine::Action::kGenerate;
    line.argument = arguments.front();
    return line;
  }
  const Command* command = FindCommand(name);
  if (command != nullptr) return ParseCommand(*command, std::move(arguments));
  if (IsFlag(name)) {
    throw UsageError("the command comes first, then its flags: openedx-backup backup --to DIR",
                     nullptr);
  }
  throw UsageError(fmt::format("there is no command '{}'", name), nullptr);
}

bool AsksForJson(const std::vector<std::string>& arguments) {
  return std::ranges::find(arguments, "--json") != arguments.end();
}

bool AsksForJsonLog(const std::vector<std::string>& arguments, const Environment& environment) {
  constexpr std::string_view kFlag = "--log-format";
  for (size_t at = 0; at < arguments.size(); ++at) {
    if (arguments[at] == kFlag) return at + 1 < arguments.size() && arguments[at + 1] == "json";
    if (arguments[at].starts_with("--log-format=")) return arguments[at].ends_with("=json");
  }
  return environment("LOG_FORMAT") == "json";
}

std::string AskedSummaryFile(const std::vector<std::string>& arguments,
                             const Environment& environment) {
  const Command* const command = arguments.empty() ? nullptr : FindCommand(arguments.front());
  if (command == nullptr || FindSetting(command->bit, "summary-file") == nullptr) return {};
  constexpr std::string_view kFlag = "--summary-file";
  for (size_t at = 1; at < arguments.size(); ++at) {
    const std::string& argument = arguments[at];
    if (argument == kFlag) return at + 1 < arguments.size() ? arguments[at + 1] : "";
    if (argument.starts_with("--summary-file=")) return argument.substr(kFlag.size() + 1);
  }
  return environment("SUMMARY_FILE").value_or("");
}

}  // namespace oxbackup
