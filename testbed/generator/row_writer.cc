#include "row_writer.h"

#include <fmt/format.h>

#include <iterator>

namespace sitegen {

constexpr size_t kStatementBytes = 1 << 20;

RowWriter::RowWriter(MysqlClient& client, std::string_view table, std::string_view columns)
    : client_(client) {
  head_ = columns.empty() ? fmt::format("INSERT INTO {} VALUES ", table)
                          : fmt::format("INSERT INTO {} ({}) VALUES ", table, columns);
}

RowWriter& RowWriter::Begin() {
  if (sql_.empty()) {
    sql_ = head_;
  } else {
    sql_ += ',';
  }
  sql_ += '(';
  first_value_ = true;
  return *this;
}

void RowWriter::Separate() {
  if (!first_value_) sql_ += ',';
  first_value_ = false;
}

RowWriter& RowWriter::Int(int64_t value) {
  Separate();
  fmt::format_to(std::back_inserter(sql_), "{}", value);
  return *this;
}

RowWriter& RowWriter::Real(double value) {
  Separate();
  fmt::format_to(std::back_inserter(sql_), "{:.17e}", value);
  return *this;
}

RowWriter& RowWriter::Text(std::string_view value) {
  Separate();
  sql_ += '\'';
  AppendEscaped(sql_, value);
  sql_ += '\'';
  return *this;
}

RowWriter& RowWriter::Binary(std::string_view value) {
  Separate();
  sql_ += "_binary'";
  AppendEscaped(sql_, value);
  sql_ += '\'';
  return *this;
}

RowWriter& RowWriter::Null() {
  Separate();
  sql_ += "NULL";
  return *this;
}

void RowWriter::End() {
  sql_ += ')';
  if (sql_.size() >= kStatementBytes) Flush();
}

void RowWriter::Flush() {
  if (sql_.empty()) return;
  client_.Execute(sql_);
  sql_.clear();
}

}  // namespace sitegen
