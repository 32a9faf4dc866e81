#include "mysql/hand_script.h"

#include <string_view>

#include "mysql/quote.h"
#include "mysql/row_chunks.h"

namespace oxbackup::mysql {
namespace {

constexpr std::string_view kHowTo =
    "-- Restores the MySQL part of this archive with the stock client alone.\n"
    "-- Unpack the archive, change into its folder data/, then, with MariaDB's or an older "
    "client:\n"
    "--   mysql -u root -p < mysql_dump.sql\n"
    "-- Newer clients (seen with MySQL 9.7) want to be told that a script may use 'source':\n"
    "--   mysql --commands -u root -p < mysql_dump.sql\n"
    "-- Without 'source', with any client (the same lines in the same order):\n"
    "--   while IFS= read -r line; do case \"$line\" in\n"
    "--     source\\ *) cat \"${line#source }\" ;;\n"
    "--     *) printf '%s\\n' \"$line\" ;;\n"
    "--   esac; done < mysql_dump.sql | mysql -u root -p\n"
    "-- Tables of the same names are replaced. Statements reach 1 MiB, or the size of one row.\n";

std::string RelativePath(std::string_view path) {
  constexpr std::string_view kData = "data/";
  if (path.starts_with(kData)) path.remove_prefix(kData.size());
  return std::string(path);
}

class Script {
 public:
  void Use(const std::string& database) { text_ += "USE " + QuoteName(database) + ";\n"; }
  void Source(const std::string& path) {
    if (!path.empty()) text_ += "source " + RelativePath(path) + "\n";
  }
  void Source(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) Source(path);
  }
  void Say(const std::string& comment) { text_ += "-- " + comment + "\n"; }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_ = std::string(kHowTo) + std::string(kPreamble);
};

}  // namespace

std::string HandScript(const std::vector<ScriptDatabase>& databases,
                       const std::vector<ScriptView>& views, const std::string& accounts) {
  Script script;
  for (const ScriptDatabase& database : databases) {
    script.Source(database.create);
    script.Use(database.name);
    script.Source(database.tables);
    script.Source(database.rows);
  }
  for (const ScriptDatabase& database : databases) {
    if (database.triggers.empty() && database.post.empty()) continue;
    script.Use(database.name);
    script.Source(database.triggers);
    script.Source(database.post);
  }
  // Last, since views can be made of tables and functions of every database.
  for (const ScriptView& view : views) {
    script.Use(view.database);
    script.Source(view.path);
  }
  // Not by itself: it replaces passwords, that of whoever runs this script too.
  if (!accounts.empty()) {
    script.Say(
        "Accounts and grants of the server are apart, since they replace passwords; where they");
    script.Say("are wanted: mysql --force -u root -p < " + RelativePath(accounts));
  }
  return script.Take();
}

}  // namespace oxbackup::mysql
