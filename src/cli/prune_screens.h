// What prune shows.
#pragma once

#include <string>

#include "cli/terminal.h"
#include "engine/prune.h"

namespace oxbackup {

/// What is kept and by which rule, and what is to be removed, newest first, with the sum of both.
std::string RenderPrunePlan(const std::string& location, const PrunePlan& plan,
                            const TerminalStyle& style);

/// "3 archives (2.6 GB)".
std::string CountAndSize(size_t count, uint64_t bytes);

}  // namespace oxbackup
