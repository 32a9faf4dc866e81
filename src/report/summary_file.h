// The file that holds what became of a run: a container's termination message, say.
#pragma once

#include <string>
#include <string_view>

namespace oxbackup {

/// Empties the file, which is made when it is not there: until the run's end it says nothing about
/// this run, whatever an earlier one has left. Throws Error(kUsage), naming `origin` (the setting),
/// when it cannot be written.
void PrepareSummaryFile(const std::string& path, std::string_view origin);

/// Makes `line` and a line end its whole content, in place, since the file may be mounted from
/// elsewhere. Leaves it empty, never half written, when that fails. Throws Error(kInternal).
void WriteSummaryFile(const std::string& path, std::string_view line);

}  // namespace oxbackup
