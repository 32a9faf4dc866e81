// The process's environment as a seam, so that tests choose it.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace oxbackup {

/// Gives an environment variable's value; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The process's own.
Environment ProcessEnvironment();

}  // namespace oxbackup
