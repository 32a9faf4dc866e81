#include "by_hand_testing.h"

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "base/temporary_folder_testing.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

constexpr char kFence[] = "```\n";

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

void MakeProgram(const fs::path& path, const std::string& script) {
  WriteTestFile(path, "#!/bin/sh\n" + script);
  fs::permissions(path, fs::perms::owner_all);
}

}  // namespace

std::string DocumentedCommands(size_t index) {
  const std::string docs = ReadTestFile(OPENEDX_BACKUP_FIXTURES "/../../docs/format.md");
  size_t at = docs.find("## Restoring by hand\n");
  if (at == std::string::npos) throw std::runtime_error("docs/format.md says nothing of it");
  const size_t chapter_end = docs.find("\n## ", at + 1);
  for (;; --index) {
    const size_t begin = docs.find(kFence, at) + std::string_view(kFence).size();
    const size_t end = docs.find(kFence, begin);
    if (end == std::string::npos || end > chapter_end) {
      throw std::runtime_error("docs/format.md has fewer blocks of commands");
    }
    if (index == 0) return docs.substr(begin, end - begin);
    at = end + std::string_view(kFence).size();
  }
}

std::string LinesAfter(std::string_view text, std::string_view heading, std::string_view prefix,
                       bool adjoining) {
  const size_t at = text.find(heading);
  if (at == std::string_view::npos) throw std::runtime_error(fmt::format("no '{}'", heading));
  std::istringstream lines{std::string(text.substr(at))};
  std::string found;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    if (line.starts_with(prefix)) {
      found += line.substr(prefix.size()) + "\n";
    } else if (adjoining) {
      break;
    }
  }
  if (found.empty()) throw std::runtime_error(fmt::format("no commands after '{}'", heading));
  return found;
}

HandShell::HandShell(fs::path folder, const fs::path& mysql, const fs::path& mysql_defaults,
                     const fs::path& mongorestore, const std::string& mongodb_uri)
    : clients_(std::move(folder) / "clients") {
  MakeProgram(clients_ / "mysql",
              fmt::format("for word; do\n  shift\n  [ \"$word\" = -p ] || set -- \"$@\" \"$word\"\n"
                          "done\nexec {} --defaults-file={} \"$@\"\n",
                          Quoted(mysql), Quoted(mysql_defaults)));
  MakeProgram(clients_ / "mongorestore",
              fmt::format("exec {} --uri={} \"$@\"\n", Quoted(mongorestore), Quoted(mongodb_uri)));
}

ProcessResult HandShell::Run(const fs::path& place, const std::string& commands) const {
  // MYSQL_HOST would make the stock clients ignore their own settings.
  return RunProcess({"bash", "-euo", "pipefail", "-c", "cd \"$1\"\n" + commands, "bash", place},
                    {.environment = {{"PATH", clients_.string() + ":" + std::getenv("PATH")},
                                     {"MYSQL_HOST", ""},
                                     {"MYSQL_PORT", ""}}});
}

}  // namespace oxbackup
