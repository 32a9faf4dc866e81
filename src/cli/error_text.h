// An error as people and programs get it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/exit_status.h"
#include "cli/terminal.h"

namespace oxbackup {

/// The error with what was being done, its cause and what to do next, wrapped to the style's width.
/// `aftermath`: what is true now in a sentence, "Nothing was written."; may be empty.
std::string RenderError(const Error& error, std::string_view aftermath, const TerminalStyle& style);

/// The error as a line of the log in JSON: LogLine with "error", "aftermath" and "exit_status".
nlohmann::ordered_json ErrorLogLine(const Error& error, std::string_view aftermath);

/// The whole object that --json prints when a run fails. `command`: empty when none was recognised.
nlohmann::ordered_json ErrorJson(const Error& error, std::string_view command,
                                 std::string_view aftermath);

}  // namespace oxbackup
