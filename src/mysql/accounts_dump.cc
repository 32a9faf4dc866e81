#include "mysql/accounts_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "mysql/accounts_restore.h"
#include "mysql/quote.h"
#include "mysql/row_chunks.h"
#include "mysql/sql_lexer.h"

namespace oxbackup::mysql {
namespace {

constexpr std::string_view kCreateUser = "CREATE USER ";

struct DumpedAccount {
  std::string user;
  std::string host;
  bool role = false;         // a MariaDB role: it has no host
  std::string default_role;  // MariaDB

  std::string Quoted() const {
    return role ? QuoteName(user) : QuoteName(user) + '@' + QuoteName(host);
  }
};

std::optional<std::vector<DumpedAccount>> ListAccounts(Session& session, ServerError& refused) {
  const bool mariadb = session.server().mariadb;
  const auto rows =
      session.TryQuery(mariadb ? "SELECT User, Host, is_role, default_role FROM mysql.user"
                               : "SELECT User, Host, 'N', '' FROM mysql.user",
                       refused);
  if (!rows) return std::nullopt;
  std::vector<DumpedAccount> accounts;
  for (const Row& row : *rows) {
    DumpedAccount account{row[0].value_or(""), row[1].value_or(""), row[2] == "Y",
                          row[3].value_or("")};
    if (!IsSystemAccount(account.user)) accounts.push_back(std::move(account));
  }
  // Roles first: accounts refer to them.
  std::sort(accounts.begin(), accounts.end(), [](const DumpedAccount& a, const DumpedAccount& b) {
    return std::tuple(!a.role, a.user, a.host) < std::tuple(!b.role, b.user, b.host);
  });
  return accounts;
}

// One statement per line: a line break can only stand inside a quoted comment or name.
void AddLine(std::string& text, std::string statement) {
  for (size_t at = 0; (at = statement.find('\n', at)) != std::string::npos; at += 2) {
    statement.replace(at, 1, "\\n");
  }
  text += statement + ";\n";
}

class AccountsDump {
 public:
  explicit AccountsDump(Session& session) : session_(session) {}

  // What the server refuses, or nothing.
  std::optional<ServerError> Add(const DumpedAccount& account) {
    if (!account.role) {
      const auto create = session_.TryQuery("SHOW CREATE USER " + account.Quoted(), refused_);
      if (!create) return refused_;
      AddUser((*create).at(0)[0].value_or(""));
    } else if (account.user != "PUBLIC") {
      AddLine(users_, "CREATE ROLE IF NOT EXISTS " + account.Quoted());
    }
    const auto grants = session_.TryQuery("SHOW GRANTS FOR " + account.Quoted(), refused_);
    if (!grants) return refused_;
    for (const Row& row : *grants) AddLine(grants_, row[0].value_or(""));
    if (session_.server().mariadb) {
      if (!account.default_role.empty()) {
        AddLine(defaults_, fmt::format("SET DEFAULT ROLE {} FOR {}",
                                       QuoteName(account.default_role), account.Quoted()));
      }
      return std::nullopt;
    }
    return AddDefaultRoles(account);
  }

  std::string Text() const { return users_ + settings_ + grants_ + defaults_; }

 private:
  void AddUser(const std::string& shown) {
    const std::string create = WithoutDefaultRole(shown);
    if (!create.starts_with(kCreateUser)) return;
    const std::string rest = create.substr(kCreateUser.size());
    AddLine(users_, "CREATE USER IF NOT EXISTS " + rest);
    AddLine(settings_, WithEmptyPasswordNamed("ALTER USER " + rest));
  }

  std::optional<ServerError> AddDefaultRoles(const DumpedAccount& account) {
    if (!session_.server().IsMySqlFrom(80000)) return std::nullopt;
    const auto roles = session_.TryQuery(
        fmt::format("SELECT DEFAULT_ROLE_USER, DEFAULT_ROLE_HOST FROM mysql.default_roles WHERE"
                    " USER = {} AND HOST = {} ORDER BY 1, 2",
                    QuoteString(account.user), QuoteString(account.host)),
        refused_);
    if (!roles) return refused_;
    std::string list;
    for (const Row& row : *roles) {
      list += (list.empty() ? "" : ", ") + QuoteName(row[0].value_or("")) + '@' +
              QuoteName(row[1].value_or(""));
    }
    if (!list.empty()) {
      AddLine(defaults_, fmt::format("SET DEFAULT ROLE {} TO {}", list, account.Quoted()));
    }
    return std::nullopt;
  }

  Session& session_;
  ServerError refused_;
  std::string users_;
  std::string settings_;
  std::string grants_;
  std::string defaults_;
};

// "Execute,Alter Routine,Grant" and so on, as mysql.procs_priv has it, as a GRANT.
std::string GrantOfRoutine(const Row& row) {
  std::string rights;
  bool grants = false;
  std::istringstream list(row[3].value_or(""));
  for (std::string right; std::getline(list, right, ',');) {
    if (right == "Grant") {
      grants = true;
    } else {
      rights += (rights.empty() ? "" : ", ") + right;
    }
  }
  const std::string& user = TextOf(row, 4);
  const std::string& host = TextOf(row, 5);
  // A role of MariaDB's has no host.
  const std::string account = QuoteName(user) + (host.empty() ? "" : "@" + QuoteName(host));
  return fmt::format("GRANT {} ON {} {} TO {}{}", rights.empty() ? "USAGE" : rights, TextOf(row, 0),
                     QuoteName(TextOf(row, 1), TextOf(row, 2)), account,
                     grants ? " WITH GRANT OPTION" : "");
}

}  // namespace

std::string RoutineRightsText(Session& session, const std::vector<std::string>& databases,
                              Warnings& warnings) {
  const bool has_routines =
      !databases.empty() &&
      !session
           .Query("SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA IN (" +
                  QuoteList(databases) + ") LIMIT 1")
           .empty();
  if (!has_routines) return "";
  ServerError refused;
  const auto rows = session.TryQuery(
      "SELECT Routine_type, Db, Routine_name, Proc_priv, User, Host FROM mysql.procs_priv WHERE Db "
      "IN (" +
          QuoteList(databases) + ")",
      refused);
  if (!rows) {
    warnings.Add(fmt::format(
        "rights that accounts have on single procedures and functions may be lost: {} ({})",
        refused.message, refused.number));
    return "";
  }
  std::string text;
  for (const Row& row : *rows) AddLine(text, GrantOfRoutine(row));
  return text;
}

std::string WithoutDefaultRole(const std::string& create_user) {
  constexpr std::string_view kHead = " DEFAULT ROLE ";
  const size_t begin = create_user.find(kHead);
  if (begin == std::string::npos) return create_user;
  const size_t end = create_user.find(" REQUIRE ", begin);
  return create_user.substr(0, begin) + (end == std::string::npos ? "" : create_user.substr(end));
}

std::string WithEmptyPasswordNamed(std::string_view statement) {
  constexpr std::array<std::string_view, 3> kPlugins = {"caching_sha2_password",
                                                        "mysql_native_password", "sha256_password"};
  SqlLexer lexer(statement);
  if (!lexer.Next().Is("ALTER") || !lexer.Next().Is("USER")) return std::string(statement);
  for (SqlToken token = lexer.Next(); token.kind != SqlToken::Kind::kEnd; token = lexer.Next()) {
    if (!token.Is("IDENTIFIED")) continue;
    if (!lexer.Next().Is("WITH")) break;
    const SqlToken plugin = lexer.Next();
    const bool has_passwords =
        std::find(kPlugins.begin(), kPlugins.end(), plugin.Text()) != kPlugins.end();
    const SqlToken after = lexer.Next();
    if (!has_passwords || after.Is("AS") || after.Is("BY")) break;
    std::string text(statement.substr(0, plugin.end));
    text += " AS ''";
    text += statement.substr(plugin.end);
    return text;
  }
  return std::string(statement);
}

std::string AccountsText(Session& session, Warnings& warnings) {
  const auto give_up = [&](const ServerError& refused) {
    warnings.Add(fmt::format("accounts and rights are not in the backup: {} ({})", refused.message,
                             refused.number));
    return std::string();
  };
  // Hashes of passwords are arbitrary bytes otherwise.
  if (session.server().IsMySqlFrom(80017)) {
    session.Execute("SET SESSION print_identified_with_as_hex = ON");
  }
  ServerError refused;
  const auto accounts = ListAccounts(session, refused);
  if (!accounts) return give_up(refused);
  AccountsDump dump(session);
  for (const DumpedAccount& account : *accounts) {
    if (const auto error = dump.Add(account)) return give_up(*error);
  }
  return std::string(kPreamble) + dump.Text();
}

}  // namespace oxbackup::mysql
