// The settings file (--config), TOML. toml++ reads it and not CLI11, whose reader ends a quoted
// value at a '#', which would cut a password silently.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace oxbackup {

/// What a settings file says.
struct ConfigFile {
  std::string path;
  /// By setting id. A table's name is a prefix: `[mysql] host` is `mysql-host`, and `_` is `-`.
  std::map<std::string, std::vector<std::string>> values;
  bool others_can_read = false;  ///< by its permission bits
};

/// Throws Error(kUsage) with the line when it cannot be read, is no TOML, or holds a value that is
/// no text, number, boolean or list of them.
ConfigFile ReadConfigFile(const std::string& path);

}  // namespace oxbackup
