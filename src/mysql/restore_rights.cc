#include "mysql/restore_rights.h"

#include <fmt/format.h>

#include <array>
#include <cctype>

#include "base/error.h"
#include "mysql/quote.h"
#include "mysql/sql_lexer.h"

namespace oxbackup::mysql {
namespace {

constexpr std::array<std::string_view, 13> kNeededRights = {
    "SELECT",     "INSERT",      "DELETE",  "CREATE",         "DROP",          "ALTER", "INDEX",
    "REFERENCES", "CREATE VIEW", "TRIGGER", "CREATE ROUTINE", "ALTER ROUTINE", "EVENT"};

constexpr const char* kGrantHint =
    "grant them on *.* (a restore creates databases of its own beside the live ones), or use an "
    "administrative account";

// The rights in "GRANT SELECT, INSERT (`a`), CREATE VIEW ON `d`.* TO …", in upper case.
std::set<std::string> RightsOf(std::string_view grant, bool& is_role) {
  std::set<std::string> rights;
  std::string right;
  SqlLexer lexer(grant);
  static_cast<void>(lexer.Next());
  is_role = true;
  for (SqlToken token = lexer.Next(); token.kind != SqlToken::Kind::kEnd; token = lexer.Next()) {
    if (token.Is("TO")) break;
    if (token.Is("ON") || token.IsSymbol(',')) {
      rights.insert(right);
      right.clear();
      if (!token.Is("ON")) continue;
      is_role = false;
      break;
    }
    if (token.kind != SqlToken::Kind::kWord) continue;
    if (!right.empty()) right += ' ';
    for (const char c : token.raw) {
      right += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  return rights;
}

// "root@%" as information_schema.USER_PRIVILEGES has it: "'root'@'%'".
std::string GranteeOf(const std::string& definer) {
  const size_t at = definer.rfind('@');
  if (at == std::string::npos) return definer;
  return "'" + definer.substr(0, at) + "'@'" + definer.substr(at + 1) + "'";
}

}  // namespace

HeldRights::HeldRights(Session& session) : session_(session) {
  for (const Row& row : session.Query("SHOW GRANTS")) {
    bool is_role = false;
    const std::set<std::string> rights = RightsOf(row[0].value_or(""), is_role);
    if (is_role) has_role_ = true;
    held_.insert(rights.begin(), rights.end());
  }
}

bool HeldRights::MayHave(std::string_view right) const {
  return has_role_ || held_.contains("ALL") || held_.contains("ALL PRIVILEGES") ||
         held_.contains(std::string(right));
}

void HeldRights::RefuseMissing() const {
  std::string missing;
  for (const std::string_view right : kNeededRights) {
    if (MayHave(right)) continue;
    missing += missing.empty() ? "" : ", ";
    missing += right;
  }
  if (missing.empty()) return;
  throw Error(ErrorKind::kSource,
              fmt::format("{} lacks rights that a restore needs: {}", session_.where(), missing))
      .Hint(kGrantHint);
}

void HeldRights::RefuseProgramsOfSystemUsers(const std::vector<std::string>& databases) const {
  if (!session_.server().IsMySqlFrom(80016) || databases.empty() || MayHave("SYSTEM_USER")) return;
  std::set<std::string> system_users;
  for (const Row& row : session_.Query("SELECT GRANTEE FROM information_schema.USER_PRIVILEGES "
                                       "WHERE PRIVILEGE_TYPE='SYSTEM_USER'")) {
    system_users.insert(row[0].value_or(""));
  }
  const std::string list = QuoteList(databases);
  for (const Row& row : session_.Query(fmt::format(
           "SELECT 'view', TABLE_SCHEMA, TABLE_NAME, DEFINER FROM information_schema.VIEWS WHERE "
           "TABLE_SCHEMA IN ({0}) UNION ALL "
           "SELECT LOWER(ROUTINE_TYPE), ROUTINE_SCHEMA, ROUTINE_NAME, DEFINER FROM "
           "information_schema.ROUTINES WHERE ROUTINE_SCHEMA IN ({0}) UNION ALL "
           "SELECT 'event', EVENT_SCHEMA, EVENT_NAME, DEFINER FROM information_schema.EVENTS WHERE "
           "EVENT_SCHEMA IN ({0}) UNION ALL "
           "SELECT 'trigger', TRIGGER_SCHEMA, TRIGGER_NAME, DEFINER FROM "
           "information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN ({0})",
           list))) {
    const std::string definer = row[3].value_or("");
    if (!system_users.contains(GranteeOf(definer))) continue;
    throw Error(ErrorKind::kSource,
                fmt::format("{} may not replace the {} {}.{}: it runs as {}, who has the right "
                            "SYSTEM_USER",
                            session_.where(), row[0].value_or(""), row[1].value_or(""),
                            row[2].value_or(""), definer))
        .Hint("grant SYSTEM_USER to this user, or use an administrative account");
  }
}

void HeldRights::RefuseWithoutTrust() const {
  if (MayHave("SUPER")) return;
  if (session_.QueryValue("SELECT @@GLOBAL.log_bin=1 AND "
                          "@@GLOBAL.log_bin_trust_function_creators=0") != "1") {
    return;
  }
  throw Error(ErrorKind::kSource,
              fmt::format("{} may not create triggers and functions: the server writes a binary "
                          "log, and log_bin_trust_function_creators is off",
                          session_.where()))
      .Hint(
          "SET GLOBAL log_bin_trust_function_creators=ON for the time of the restore, or grant "
          "SUPER to this user");
}

bool HasProgramsThatNeedTrust(Session& session, const std::vector<std::string>& databases) {
  if (databases.empty()) return false;
  return session.QueryValue(fmt::format(
             "SELECT EXISTS (SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN "
             "({0})) OR EXISTS (SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_TYPE="
             "'FUNCTION' AND ROUTINE_SCHEMA IN ({0}))",
             QuoteList(databases))) == "1";
}

}  // namespace oxbackup::mysql
