// A line of the log in JSON, for those who add keys of their own.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/log.h"

namespace oxbackup {

/// {"time", "level", "message"}, the time being now.
nlohmann::ordered_json LogLine(LogLevel level, std::string_view message);

/// Any object in one line, without its end; bytes that are no UTF-8 are replaced.
std::string DumpLine(const nlohmann::ordered_json& json);

}  // namespace oxbackup
