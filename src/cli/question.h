// Asking the operator.
#pragma once

#include <stop_token>
#include <string>

namespace oxbackup {

/// Writes `text` to the process's terminal and waits for a line from it; true for "y" or "yes"
/// alone. Standard input is not asked: it may be a pipe. Throws Error(kUsage) when the process has
/// no terminal, and Error(kCancelled) once `stop` is requested.
bool AskYesNo(const std::string& text, const std::stop_token& stop);

/// Whether the process has a terminal to be asked on.
bool CanAsk();

}  // namespace oxbackup
