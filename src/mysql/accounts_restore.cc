#include "mysql/accounts_restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "base/error.h"
#include "mysql/accounts_dump.h"
#include "mysql/quote.h"
#include "mysql/restore_session.h"
#include "mysql/script_splitter.h"
#include "mysql/sql_lexer.h"
#include "mysql/statement.h"

namespace oxbackup::mysql {
namespace {

bool IsAccountName(const SqlToken& token) {
  return token.IsNameLike() || token.kind == SqlToken::Kind::kString;
}

// Reads "name" or "name@host", where `token` is the name.
Account TakeAccount(SqlLexer& lexer, const SqlToken& token) {
  Account account{token.Text(), "%"};
  SqlLexer ahead = lexer;
  if (!ahead.Next().IsSymbol('@')) return account;
  const SqlToken host = ahead.Next();
  if (IsAccountName(host)) account.host = host.Text();
  return account;
}

// The accounts that a script creates, by the statement that drops each: MariaDB drops roles, which
// have no host, only as such.
std::map<std::string, Account> CreatedAccounts(std::string_view script) {
  MemoryByteSource source(script);
  ScriptSplitter splitter(source);
  std::map<std::string, Account> accounts;
  while (const auto statement = splitter.Next()) {
    SqlLexer lexer(*statement);
    if (!lexer.Next().Is("CREATE")) continue;
    const std::optional<Account> account = AccountOf(*statement);
    if (!account) continue;
    const std::string drop = lexer.Next().Is("ROLE")
                                 ? "DROP ROLE IF EXISTS " + QuoteName(account->user)
                                 : "DROP USER IF EXISTS " + QuoteString(account->user) + "@" +
                                       QuoteString(account->host);
    accounts.emplace(drop, *account);
  }
  return accounts;
}

// What a script grants, by account: "GRANT SELECT ON …". To have no right is none.
std::map<std::string, std::set<std::string>> GrantsOf(std::string_view script,
                                                      const std::string& own_user) {
  MemoryByteSource source(script);
  ScriptSplitter splitter(source);
  std::map<std::string, std::set<std::string>> grants;
  while (const auto statement = splitter.Next()) {
    if (!statement->starts_with("GRANT ") || statement->starts_with("GRANT USAGE ")) continue;
    const std::optional<Account> account = AccountOf(*statement);
    if (!account || account->user == own_user || IsSystemAccount(account->user)) continue;
    grants[account->user + "@" + account->host].emplace(*statement);
  }
  return grants;
}

bool IsAboutRights(std::string_view statement) {
  const SqlToken verb = SqlLexer(statement).Next();
  return verb.Is("GRANT") || verb.Is("REVOKE");
}

// Calls `body` with each statement about an account, and that, but for `own_user` and the servers'.
void ForEachOfOthers(
    std::string_view script, const std::string& own_user,
    const std::function<void(std::string_view statement, const std::string& account)>& body) {
  MemoryByteSource source(script);
  ScriptSplitter splitter(source);
  while (const auto statement = splitter.Next()) {
    const std::optional<Account> account = AccountOf(*statement);
    if (!account || account->user == own_user || IsSystemAccount(account->user)) continue;
    body(*statement, account->user + "@" + account->host);
  }
}

// One warning an account.
void Tell(const std::string& account, const ServerError& refused, std::set<std::string>& told,
          Warnings& warnings) {
  if (!told.insert(account).second) return;
  // The message would quote the statement from there on, and so the password's hash.
  const std::string why = refused.number == kParseError
                              ? "this server does not understand its definition"
                              : refused.message;
  warnings.Add("the account " + account + " could not be restored in full: " + why);
}

// Without this mode MariaDB's GRANT creates an account that is not there, and without a password.
class NoAccountsByGrant {
 public:
  explicit NoAccountsByGrant(Session& session) : session_(session) {
    if (!session_.server().mariadb) return;
    session_.Execute("SET SESSION sql_mode=CONCAT(@@SESSION.sql_mode,',NO_AUTO_CREATE_USER')");
  }
  ~NoAccountsByGrant() {
    try {
      if (session_.server().mariadb) ResetScriptSettings(session_);
    } catch (const Error&) {
      // The connection is gone, and its settings with it.
    }
  }
  NoAccountsByGrant(const NoAccountsByGrant&) = delete;
  NoAccountsByGrant& operator=(const NoAccountsByGrant&) = delete;

 private:
  Session& session_;
};

}  // namespace

bool IsSystemAccount(std::string_view user) {
  constexpr std::array<std::string_view, 4> kAccounts = {"mysql.sys", "mysql.session",
                                                         "mysql.infoschema", "mariadb.sys"};
  return std::find(kAccounts.begin(), kAccounts.end(), user) != kAccounts.end();
}

std::optional<Account> AccountOf(std::string_view statement) {
  SqlLexer lexer(statement);
  const SqlToken verb = lexer.Next();
  SqlToken token = lexer.Next();
  if (verb.Is("CREATE") || verb.Is("ALTER") || verb.Is("DROP")) {
    if (!token.Is("USER") && !token.Is("ROLE")) return std::nullopt;
    token = lexer.Next();
    while (token.Is("IF") || token.Is("NOT") || token.Is("EXISTS")) token = lexer.Next();
  } else if (verb.Is("GRANT") || verb.Is("REVOKE") || verb.Is("SET")) {
    const std::string_view before = verb.Is("REVOKE") ? "FROM" : verb.Is("GRANT") ? "TO" : "FOR";
    while (token.kind != SqlToken::Kind::kEnd && !token.Is(before) && !token.Is("TO")) {
      token = lexer.Next();
    }
    token = lexer.Next();
  } else {
    return std::nullopt;
  }
  if (!IsAccountName(token)) return std::nullopt;
  return TakeAccount(lexer, token);
}

void DropNewAccounts(Session& session, std::string_view script, std::string_view before,
                     const std::string& own_user, Warnings& warnings) {
  // Without knowledge of what was there, everything would look new.
  if (before.empty()) return;
  const std::map<std::string, Account> old = CreatedAccounts(before);
  for (const auto& [drop, account] : CreatedAccounts(script)) {
    if (old.contains(drop) || account.user == own_user || IsSystemAccount(account.user)) continue;
    if (const auto refused = session.TryExecute(drop)) {
      warnings.Add("the account " + account.user + "@" + account.host +
                   " of the undone restore stays: " + refused->message);
    }
  }
}

void WarnOfRightsThatStay(std::string_view now, std::string_view before,
                          const std::string& own_user, Warnings& warnings) {
  const auto has = GrantsOf(now, own_user);
  const auto had = GrantsOf(before, own_user);
  std::set<std::string> named;
  for (const auto& [drop, account] : CreatedAccounts(before)) {
    const std::string name = account.user + "@" + account.host;
    const auto grants = has.find(name);
    if (grants == has.end() || !named.insert(name).second) continue;
    const auto old = had.find(name);
    if (old != had.end() && std::ranges::includes(old->second, grants->second)) continue;
    warnings.Add("the account " + name +
                 " has rights that it did not have before the undone restore: see SHOW GRANTS");
  }
}

std::set<std::string> ApplyAccounts(Session& session, std::string_view script,
                                    const std::string& own_user, Warnings& warnings) {
  std::set<std::string> told;
  const NoAccountsByGrant mode(session);
  ForEachOfOthers(script, own_user, [&](std::string_view statement, const std::string& account) {
    // Older archives have it without.
    const std::optional<ServerError> refused =
        session.TryExecute(WithEmptyPasswordNamed(statement));
    if (refused && !IsAboutRights(statement)) Tell(account, *refused, told, warnings);
  });
  return told;
}

void ApplyRights(Session& session, std::string_view script, const std::string& own_user,
                 std::set<std::string> told, Warnings& warnings) {
  const NoAccountsByGrant mode(session);
  ForEachOfOthers(script, own_user, [&](std::string_view statement, const std::string& account) {
    if (!IsAboutRights(statement)) return;
    const std::optional<ServerError> refused = session.TryExecute(statement);
    if (refused) Tell(account, *refused, told, warnings);
  });
}

void ApplyRoutineRights(Session& session, std::string_view script, Warnings& warnings) {
  constexpr unsigned kNoSuchRoutine = 1305;
  const NoAccountsByGrant mode(session);
  ForEachOfOthers(script, "", [&](std::string_view statement, const std::string& account) {
    const std::optional<ServerError> refused = session.TryExecute(statement);
    if (!refused || refused->number == kNoSuchRoutine) return;
    warnings.Add(fmt::format("the account {} has lost a right on a routine: {} ({}); run {}",
                             account, refused->message, refused->number, statement));
  });
}

}  // namespace oxbackup::mysql
