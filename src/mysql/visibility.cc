#include "mysql/visibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "mysql/quote.h"

namespace oxbackup::mysql {
namespace {

// LIKE as grants use it: '%' any text, '_' any character, a backslash takes away their meaning.
bool MatchesPattern(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    for (size_t skip = 0; skip <= text.size(); ++skip) {
      if (MatchesPattern(pattern.substr(1), text.substr(skip))) return true;
    }
    return false;
  }
  if (text.empty()) return false;
  if (pattern[0] == '\\' && pattern.size() > 1)
    pattern.remove_prefix(1);
  else if (pattern[0] == '_')
    return MatchesPattern(pattern.substr(1), text.substr(1));
  return pattern[0] == text[0] && MatchesPattern(pattern.substr(1), text.substr(1));
}

// Whether "SELECT, SHOW VIEW (col), …" has the right as a whole.
bool ListHas(std::string_view list, std::string_view right) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(", "), list.size());
    const std::string_view item = list.substr(0, comma);
    if (item == right || item == "ALL PRIVILEGES" || item == "ALL") return true;
    list.remove_prefix(std::min(comma + 2, list.size()));
  }
  return false;
}

std::string UnquoteName(std::string_view quoted) {
  std::string name;
  for (size_t i = 1; i + 1 < quoted.size(); ++i) {
    name += quoted[i];
    if (quoted[i] == '`') ++i;
  }
  return name;
}

}  // namespace

bool GrantsCover(const std::vector<std::string>& grants, std::string_view right,
                 std::string_view database) {
  constexpr std::string_view kGrant = "GRANT ";
  constexpr std::string_view kAll = ".*";
  return std::any_of(grants.begin(), grants.end(), [&](std::string_view line) {
    const size_t on = line.find(" ON ");
    const size_t to = line.find(" TO ", on);
    if (!line.starts_with(kGrant) || on == std::string_view::npos || to == std::string_view::npos) {
      return false;
    }
    std::string_view where = line.substr(on + 4, to - on - 4);
    if (!ListHas(line.substr(kGrant.size(), on - kGrant.size()), right)) return false;
    if (where == "*.*") return true;
    if (!where.ends_with(kAll)) return false;
    where.remove_suffix(kAll.size());
    return MatchesPattern(UnquoteName(where), database);
  });
}

bool SeesRoutines(const std::vector<std::string>& grants, std::string_view database,
                  const ServerInfo& server) {
  constexpr std::array<std::string_view, 4> kRights = {"SHOW_ROUTINE", "EXECUTE", "ALTER ROUTINE",
                                                       "CREATE ROUTINE"};
  if (std::any_of(kRights.begin(), kRights.end(),
                  [&](std::string_view right) { return GrantsCover(grants, right, database); })) {
    return true;
  }
  // MySQL 8 asks for SELECT on the whole server, the others for it on the table of routines.
  const bool has_table = !server.IsMySqlFrom(80000);
  return std::any_of(grants.begin(), grants.end(), [&](const std::string& line) {
    if (line.find(" ON *.* TO ") != std::string::npos ||
        (has_table && line.find(" ON `mysql`.* TO ") != std::string::npos)) {
      return GrantsCover({line}, "SELECT", "mysql");
    }
    return has_table && line.starts_with("GRANT ") &&
           line.find("SELECT") < line.find(" ON `mysql`.`proc` TO ") &&
           line.find(" ON `mysql`.`proc` TO ") != std::string::npos;
  });
}

void CheckDatabases(Session& session, const std::vector<std::string>& databases) {
  std::vector<std::string> visible;
  for (const Row& row : session.Query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")) {
    visible.push_back(row[0].value_or(""));
  }
  for (const std::string& name : databases) {
    if (std::find(visible.begin(), visible.end(), name) != visible.end()) continue;
    throw Error(
        ErrorKind::kUsage,
        fmt::format("there is no database '{}' on the server, or the account may not see it", name))
        .While("looking for the databases on " + session.where())
        .Hint("check the list of databases (MYSQL_DATABASES)");
  }
}

std::vector<Invisible> FindInvisible(Session& session, const std::vector<std::string>& databases) {
  std::vector<std::string> grants;
  ServerError refused;
  const auto rows = session.TryQuery("SHOW GRANTS", refused);
  if (!rows) return {};
  for (const Row& row : *rows) grants.push_back(row[0].value_or(""));
  struct Right {
    std::string_view name;
    std::string_view kind;
  };
  constexpr std::array<Right, 4> kRights = {
      {{"SELECT", "tables"}, {"SHOW VIEW", "views"}, {"TRIGGER", "triggers"}, {"EVENT", "events"}}};
  std::vector<Invisible> found;
  for (const Right& right : kRights) {
    for (const std::string& database : databases) {
      if (GrantsCover(grants, right.name, database)) continue;
      found.push_back({database, std::string(right.kind), std::string(right.name)});
    }
  }
  for (const std::string& database : databases) {
    if (SeesRoutines(grants, database, session.server())) continue;
    found.push_back({database, "routines", "SHOW_ROUTINE"});
  }
  return found;
}

void WarnOfInvisible(const std::vector<Invisible>& invisible, const std::string& where,
                     Warnings& warnings) {
  for (const Invisible& one : invisible) {
    if (one.kind == "routines") {
      warnings.Add(
          fmt::format("{} has neither SHOW_ROUTINE nor EXECUTE on all of {}: procedures and "
                      "functions that it cannot see are not in the backup",
                      where, one.database));
      continue;
    }
    warnings.Add(fmt::format(
        "{} has no right {} on all of {}: {}{} that it cannot see are not in the backup", where,
        one.right, one.database, one.kind == "views" ? "the texts of " : "", one.kind));
  }
}

}  // namespace oxbackup::mysql
