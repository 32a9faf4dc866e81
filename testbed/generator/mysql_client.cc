#include "mysql_client.h"

#include <fmt/format.h>

#include <stdexcept>

namespace sitegen {

MysqlClient::MysqlClient(const Servers& servers) : mysql_(mysql_init(nullptr)) {
  mysql_options(mysql_.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (mysql_real_connect(mysql_.get(), servers.mysql_host.c_str(), servers.mysql_user.c_str(),
                         servers.mysql_password.c_str(), nullptr, servers.mysql_port, nullptr,
                         0) == nullptr) {
    throw std::runtime_error(fmt::format("cannot connect to MySQL at {}:{} as {}: {}",
                                         servers.mysql_host, servers.mysql_port, servers.mysql_user,
                                         mysql_error(mysql_.get())));
  }
  is_mariadb_ =
      std::string_view(mysql_get_server_info(mysql_.get())).find("Maria") != std::string_view::npos;
  Execute(
      "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00', "
      "foreign_key_checks = 0, unique_checks = 0, sql_log_bin = 0");
}

void MysqlClient::Fail(std::string_view sql) const {
  throw std::runtime_error(fmt::format("MySQL error {}: {} in: {}", mysql_errno(mysql_.get()),
                                       mysql_error(mysql_.get()), sql.substr(0, 300)));
}

void MysqlClient::Execute(std::string_view sql) {
  if (mysql_real_query(mysql_.get(), sql.data(), sql.size()) != 0) Fail(sql);
  if (MYSQL_RES* result = mysql_store_result(mysql_.get())) mysql_free_result(result);
}

void MysqlClient::Query(std::string_view sql, const std::function<void(const Row&)>& visit) {
  if (mysql_real_query(mysql_.get(), sql.data(), sql.size()) != 0) Fail(sql);
  std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_use_result(mysql_.get()),
                                                                  &mysql_free_result);
  if (result == nullptr) Fail(sql);
  Row row(mysql_num_fields(result.get()));
  while (MYSQL_ROW values = mysql_fetch_row(result.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(result.get());
    for (size_t i = 0; i < row.size(); i++) {
      row[i].null = values[i] == nullptr;
      row[i].bytes = row[i].null ? std::string_view() : std::string_view(values[i], lengths[i]);
    }
    visit(row);
  }
  // The end of the rows and a connection that broke look alike but for this.
  if (mysql_errno(mysql_.get()) != 0) Fail(sql);
}

std::vector<std::vector<std::string>> MysqlClient::Rows(std::string_view sql) {
  std::vector<std::vector<std::string>> rows;
  Query(sql, [&](const Row& row) {
    auto& texts = rows.emplace_back();
    for (const Field& field : row) texts.emplace_back(field.bytes);
  });
  return rows;
}

std::vector<std::string> MysqlClient::Columns(std::string_view sql) {
  if (mysql_real_query(mysql_.get(), sql.data(), sql.size()) != 0) Fail(sql);
  std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_store_result(mysql_.get()),
                                                                  &mysql_free_result);
  if (result == nullptr) Fail(sql);
  std::vector<std::string> names;
  while (MYSQL_FIELD* field = mysql_fetch_field(result.get())) names.emplace_back(field->name);
  return names;
}

std::string QuoteName(std::string_view name) {
  std::string quoted = "`";
  for (char c : name) {
    if (c == '`') quoted += '`';
    quoted += c;
  }
  return quoted + "`";
}

void AppendEscaped(std::string& sql, std::string_view text) {
  for (char c : text) {
    switch (c) {
      case '\0':
        sql += "\\0";
        break;
      case '\'':
        sql += "\\'";
        break;
      case '\\':
        sql += "\\\\";
        break;
      default:
        sql += c;
    }
  }
}

std::string QuoteText(std::string_view text) {
  std::string quoted = "'";
  AppendEscaped(quoted, text);
  return quoted + "'";
}

std::vector<std::string> UserDatabases(MysqlClient& client) {
  std::vector<std::string> names;
  for (auto& row :
       client.Rows("SELECT schema_name FROM information_schema.schemata WHERE "
                   "schema_name NOT IN ('mysql', 'sys', 'information_schema', "
                   // The engine's own records, which are no part of a site.
                   "'performance_schema', 'openedx_backup') ORDER BY BINARY schema_name")) {
    names.push_back(row[0]);
  }
  return names;
}

}  // namespace sitegen
