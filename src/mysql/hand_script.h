// data/mysql_dump.sql: with it the stock client alone restores all SQL members.
#pragma once

#include <string>
#include <vector>

namespace oxbackup::mysql {

/// The members of one database in the order in which they are loaded; paths as in the archive.
struct ScriptDatabase {
  std::string name;
  std::string create;               ///< schema-create
  std::vector<std::string> tables;  ///< schema
  std::vector<std::string> rows;
  std::vector<std::string> triggers;
  std::string post;  ///< empty: none
};

struct ScriptView {
  std::string database;
  std::string path;
};

/// The script: comments that say how to use it, USE and `source` lines. `views`: in the order of
/// their dependencies. `accounts`: path of that member, empty for none; it is named in a comment
/// only. Paths are written relative to the folder data/.
std::string HandScript(const std::vector<ScriptDatabase>& databases,
                       const std::vector<ScriptView>& views, const std::string& accounts);

}  // namespace oxbackup::mysql
