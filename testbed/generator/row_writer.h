// Turns rows into multi-row INSERT statements of about a megabyte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mysql_client.h"

namespace sitegen {

/// Values in the order of the table's columns: Begin, one call a column, End; Flush at the end.
class RowWriter {
 public:
  /// `client` must outlive the writer. `table` is quoted already; `columns` may be "".
  RowWriter(MysqlClient& client, std::string_view table, std::string_view columns);

  RowWriter& Begin();
  RowWriter& Int(int64_t value);
  RowWriter& Real(double value);
  RowWriter& Bool(bool value) { return Int(value ? 1 : 0); }
  RowWriter& Text(std::string_view value);
  RowWriter& Binary(std::string_view value);
  RowWriter& Null();
  /// Text where `given`, else NULL.
  RowWriter& TextOrNull(bool given, std::string_view value) { return given ? Text(value) : Null(); }
  void End();
  void Flush();

 private:
  void Separate();

  MysqlClient& client_;
  std::string head_;
  std::string sql_;
  bool first_value_ = true;
};

}  // namespace sitegen
