// The commands that we tell people to restore with by hand, and a place to run them in.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/process_testing.h"

namespace oxbackup {

/// The fenced blocks below docs/format.md's "Restoring by hand", in their order, the fences left
/// out. `index` counts from 0. Throws std::runtime_error when there are not so many.
std::string DocumentedCommands(size_t index);

/// What follows `heading` in `text`, of the lines that begin with `prefix`, without it; up to the
/// first line that does not when `adjoining`. Throws std::runtime_error when there is no such line.
std::string LinesAfter(std::string_view text, std::string_view heading, std::string_view prefix,
                       bool adjoining);

/// A shell with stock clients in its PATH that know, unlike a person's, where the server is, and
/// that answer the question for the password.
class HandShell {
 public:
  /// Makes the clients in `folder`/clients. `mysql` and `mongorestore` are the real programs.
  HandShell(std::filesystem::path folder, const std::filesystem::path& mysql,
            const std::filesystem::path& mysql_defaults, const std::filesystem::path& mongorestore,
            const std::string& mongodb_uri);

  /// Runs the commands in `place` as they are; the first that fails ends them.
  ProcessResult Run(const std::filesystem::path& place, const std::string& commands) const;

 private:
  std::filesystem::path clients_;
};

}  // namespace oxbackup
