// From argv to a command and the flags that were given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/setting_values.h"
#include "cli/settings_table.h"

namespace oxbackup {

/// What the user asked for.
struct CommandLine {
  enum class Action {
    kRun,
    kHelp,      ///< of `command`, or of the whole tool when it is nullptr
    kVersion,   ///< --version
    kGenerate,  ///< packaging: `argument` says what (cli/generate.h)
  };
  Action action = Action::kRun;
  const Command* command = nullptr;
  SettingValues::Flags flags;
  std::string argument;
};

/// `arguments`: without the program's name. Throws Error(kUsage) with an example as its hint. The
/// error repeats no value that was given, only flags: somebody may have tried to pass a password.
CommandLine ParseCommandLine(std::vector<std::string> arguments);

/// Whether these arguments ask for JSON, for errors that come before anything is parsed.
bool AsksForJson(const std::vector<std::string>& arguments);
/// The same of the log, by --log-format or LOG_FORMAT.
bool AsksForJsonLog(const std::vector<std::string>& arguments, const Environment& environment);

/// The file of --summary-file or SUMMARY_FILE, for the same errors; empty without one, and for
/// commands that have no summary.
std::string AskedSummaryFile(const std::vector<std::string>& arguments,
                             const Environment& environment);

/// Help for a terminal of `width` columns. `command` nullptr: of the whole tool.
std::string HelpText(const Command* command, int width);

}  // namespace oxbackup
