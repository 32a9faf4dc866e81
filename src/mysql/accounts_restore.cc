#include "mysql/accounts_restore.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "mysql/quote.h"
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

// That a script creates.
std::set<Account> CreatedAccounts(std::string_view script) {
  MemoryByteSource source(script);
  ScriptSplitter splitter(source);
  std::set<Account> accounts;
  while (const auto statement = splitter.Next()) {
    SqlLexer lexer(*statement);
    if (!lexer.Next().Is("CREATE")) continue;
    if (const std::optional<Account> account = AccountOf(*statement)) accounts.insert(*account);
  }
  return accounts;
}

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
  const std::set<Account> old = CreatedAccounts(before);
  for (const Account& account : CreatedAccounts(script)) {
    if (old.contains(account) || account.user == own_user || IsSystemAccount(account.user))
      continue;
    const std::string name = QuoteString(account.user) + "@" + QuoteString(account.host);
    // A role is dropped as a user too.
    if (const auto refused = session.TryExecute("DROP USER IF EXISTS " + name)) {
      warnings.Add("the account " + name + " of the undone restore stays: " + refused->message);
    }
  }
}

void ApplyAccounts(Session& session, std::string_view script, const std::string& own_user,
                   Warnings& warnings) {
  MemoryByteSource source(script);
  ScriptSplitter splitter(source);
  std::set<std::string> warned;
  while (const auto statement = splitter.Next()) {
    const std::optional<Account> account = AccountOf(*statement);
    if (!account) continue;
    if (account->user == own_user || IsSystemAccount(account->user)) continue;
    const std::optional<ServerError> refused = session.TryExecute(*statement);
    const std::string name = account->user + "@" + account->host;
    if (!refused || !warned.insert(name).second) continue;
    // The message would quote the statement from there on, and so the password's hash.
    const std::string why = refused->number == kParseError
                                ? "this server does not understand its definition"
                                : refused->message;
    warnings.Add("the account " + name + " could not be restored in full: " + why);
  }
}

}  // namespace oxbackup::mysql
