#include "mysql/accounts_restore.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
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
    if (refused && warned.insert(name).second) {
      warnings.Add("the account " + name + " could not be restored in full: " + refused->message);
    }
  }
}

}  // namespace oxbackup::mysql
