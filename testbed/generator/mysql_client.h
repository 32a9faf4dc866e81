// A MySQL connection with the few calls the generator needs. Errors are std::runtime_error.
#pragma once

#include <mysql.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flags.h"

namespace sitegen {

/// Not for use by several threads at once.
class MysqlClient {
 public:
  /// Connects with utf8mb4, UTC, no binary log, and an sql_mode that takes every value as written.
  explicit MysqlClient(const Servers& servers);

  void Execute(std::string_view sql);

  /// One field of a row; `null` tells SQL's NULL from an empty text.
  struct Field {
    bool null = true;
    std::string_view bytes;
  };
  using Row = std::vector<Field>;

  /// Calls `visit` with each row as it arrives; the fields are valid during the call alone.
  void Query(std::string_view sql, const std::function<void(const Row&)>& visit);
  /// All rows as texts, NULL as "".
  std::vector<std::vector<std::string>> Rows(std::string_view sql);
  /// The column names of a statement's result.
  std::vector<std::string> Columns(std::string_view sql);

  bool is_mariadb() const { return is_mariadb_; }

 private:
  struct Closer {
    void operator()(MYSQL* mysql) const { mysql_close(mysql); }
  };
  [[noreturn]] void Fail(std::string_view sql) const;

  std::unique_ptr<MYSQL, Closer> mysql_;
  bool is_mariadb_ = false;
};

/// `name` in backquotes.
std::string QuoteName(std::string_view name);
/// 'text' as a literal under the connection's sql_mode; any bytes.
std::string QuoteText(std::string_view text);
/// Appends the escaped text, without the quotes.
void AppendEscaped(std::string& sql, std::string_view text);

/// The databases that are no part of the server itself.
std::vector<std::string> UserDatabases(MysqlClient& client);

}  // namespace sitegen
