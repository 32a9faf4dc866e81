// What packages install beside the command, made from the table of settings.
#pragma once

#include <string>

namespace oxbackup {

/// `kind`: "man" (the manual page, section 1), "bash", "zsh" or "fish" (completions), "settings"
/// (the table of docs/operations.md) or "metrics" (that of docs/monitoring.md). Throws
/// Error(kUsage) for any other.
std::string Generate(const std::string& kind);

std::string ManualPage();
std::string BashCompletion();
std::string ZshCompletion();
std::string FishCompletion();
/// In Markdown.
std::string SettingsTable();
/// The table of all metrics for docs/monitoring.md.
std::string MetricsTable();

}  // namespace oxbackup
