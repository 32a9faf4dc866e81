// Running the built command as a user would, for tests.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/process_testing.h"
#include "base/temporary_folder_testing.h"
#include "terminal_testing.h"

namespace oxbackup {

/// A site of one Caddy folder and a place for archives: all that the command needs to work without
/// a server.
class CommandSite {
 public:
  CommandSite();

  std::string caddy() const { return (folder_.path() / "caddy").string(); }
  std::string archives() const { return (folder_.path() / "archives").string(); }
  std::filesystem::path path() const { return folder_.path(); }

  /// Runs the command without a terminal, without any of its variables but those given.
  ProcessResult Run(const std::vector<std::string>& arguments,
                    const std::map<std::string, std::string>& environment = {}) const;
  /// The same through another program, which gets the command and its arguments as its last ones.
  ProcessResult RunThrough(std::vector<std::string> program,
                           const std::vector<std::string>& arguments) const;
  /// As Run, or RunThrough, still running.
  std::unique_ptr<Process> Start(const std::vector<std::string>& arguments,
                                 std::vector<std::string> program = {}) const;
  /// The same on a terminal, with no variables but those given.
  std::unique_ptr<TerminalProcess> StartOnTerminal(
      const std::vector<std::string>& arguments,
      const std::map<std::string, std::string>& environment = {}) const;
  /// Backs the Caddy folder up and returns the archive's path; fails the test when that fails.
  std::string Backup() const;
  /// Runs with --json and parses the last line of its output.
  nlohmann::json RunJson(std::vector<std::string> arguments) const;
  /// What is in the place of archives, hidden files included.
  std::vector<std::string> Stored() const;

 private:
  TemporaryFolder folder_;
};

}  // namespace oxbackup
