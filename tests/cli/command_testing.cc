#include "command_testing.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "cli/settings_table.h"

namespace oxbackup {
namespace {

/// In a session of its own the command has no terminal, wherever the tests run.
std::vector<std::string> CommandLineOf(const std::vector<std::string>& arguments) {
  std::vector<std::string> line = {"setsid", "--wait", OPENEDX_BACKUP_COMMAND};
  line.insert(line.end(), arguments.begin(), arguments.end());
  return line;
}

ProcessOptions OptionsOf(const std::map<std::string, std::string>& environment) {
  ProcessOptions options;
  for (const Setting& setting : Settings()) {
    if (setting.variable.empty()) continue;
    options.environment[std::string(setting.variable)] = "";
    options.environment[std::string(setting.variable) + "_FILE"] = "";
  }
  for (const auto& [name, value] : environment) options.environment[name] = value;
  return options;
}

}  // namespace

CommandSite::CommandSite() {
  WriteTestFile(folder_.path() / "caddy" / "certificates" / "campus.crt", "a certificate");
  WriteTestFile(folder_.path() / "caddy" / "locks" / "empty", "");
  std::filesystem::create_directory(archives());
}

ProcessResult CommandSite::Run(const std::vector<std::string>& arguments,
                               const std::map<std::string, std::string>& environment) const {
  return RunProcess(CommandLineOf(arguments), OptionsOf(environment));
}

ProcessResult CommandSite::RunThrough(std::vector<std::string> program,
                                      const std::vector<std::string>& arguments) const {
  program.push_back(OPENEDX_BACKUP_COMMAND);
  program.insert(program.end(), arguments.begin(), arguments.end());
  return RunProcess(program, OptionsOf({}));
}

std::unique_ptr<Process> CommandSite::Start(const std::vector<std::string>& arguments,
                                            std::vector<std::string> program) const {
  // Without setsid in between, so that a signal reaches the command itself.
  program.emplace_back(OPENEDX_BACKUP_COMMAND);
  program.insert(program.end(), arguments.begin(), arguments.end());
  return std::make_unique<Process>(program, OptionsOf({}));
}

std::unique_ptr<TerminalProcess> CommandSite::StartOnTerminal(
    const std::vector<std::string>& arguments,
    const std::map<std::string, std::string>& environment) const {
  std::vector<std::string> line = {OPENEDX_BACKUP_COMMAND};
  line.insert(line.end(), arguments.begin(), arguments.end());
  std::map<std::string, std::string> variables = {{"TERM", "xterm"}, {"NO_COLOR", "1"}};
  for (const auto& [name, value] : environment) variables[name] = value;
  return std::make_unique<TerminalProcess>(line, OptionsOf(variables).environment);
}

std::string CommandSite::Backup() const {
  const nlohmann::json result =
      RunJson({"backup", "--to", archives(), "--caddy", caddy(), "--progress", "none"});
  EXPECT_EQ(result["exit_status"], 0) << result.dump(2);
  return archives() + "/" + result["archive"].get<std::string>();
}

nlohmann::json CommandSite::RunJson(std::vector<std::string> arguments) const {
  arguments.push_back("--json");
  const ProcessResult result = Run(arguments);
  const std::vector<std::string> lines = SplitNonEmpty(result.out, "\n");
  EXPECT_FALSE(lines.empty()) << result.error;
  if (lines.empty()) return {};
  nlohmann::json json = nlohmann::json::parse(lines.back());
  EXPECT_EQ(json["exit_status"], result.status);
  return json;
}

std::vector<std::string> CommandSite::Stored() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(archives())) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace oxbackup
