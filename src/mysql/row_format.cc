#include "mysql/row_format.h"

#include <fmt/format.h>

#include <cstdint>
#include <set>

#include "mysql/json_text.h"
#include "mysql/quote.h"

namespace oxbackup::mysql {
namespace {

const std::set<std::string_view> kNumberTypes = {"tinyint", "smallint", "mediumint",
                                                 "int",     "bigint",   "decimal"};

const std::set<std::string_view> kBinaryTypes = {
    "binary",          "varbinary",    "tinyblob",       "blob",
    "mediumblob",      "longblob",     "vector",         "geometry",
    "point",           "linestring",   "polygon",        "multipoint",
    "multilinestring", "multipolygon", "geomcollection", "geometrycollection"};

// Character sets whose every value comes back from utf8mb4 as it was. In others several codes can
// stand for one character (big5, sjis, cp932, gb18030), so their values travel as bytes.
const std::set<std::string_view> kLosslessCharsets = {"utf8mb4", "utf8mb3", "utf8", "ascii",
                                                      "latin1"};

bool IsEnumOrSet(const Column& column) {
  return column.data_type == "enum" || column.data_type == "set";
}

// ENUM keeps '' for what was no member when it was stored, SET for no member at all; the number
// alone tells that apart from a member that is ''.
bool HasEmptyMember(const Column& column) {
  return column.type.find("('',") != std::string::npos ||
         column.type.find(",'',") != std::string::npos ||
         column.type.find(",'')") != std::string::npos ||
         column.type.find("('')") != std::string::npos;
}

void AppendHex(std::string_view bytes, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

void AppendQuoted(std::string_view value, std::string& out) {
  out += '\'';
  AppendEscaped(value, out);
  out += '\'';
}

void AppendJson(std::string_view value, std::string& out) {
  const std::vector<JsonNumber> numbers = ReadJsonText(value).numbers;
  if (!numbers.empty()) out += "JSON_REPLACE(";
  AppendQuoted(value, out);
  for (const JsonNumber& number : numbers) {
    out += ',';
    AppendQuoted(number.path, out);
    out += ',';
    out += number.literal;
  }
  if (!numbers.empty()) out += ')';
}

}  // namespace

RowFormatter::Form RowFormatter::FormOf(const Column& column, const ServerInfo& server) {
  // MariaDB's JSON is text.
  if (column.data_type == "json" && !server.mariadb) return Form::kJson;
  if (kNumberTypes.contains(column.data_type)) return Form::kNumber;
  if (column.data_type == "float" || column.data_type == "double") return Form::kReal;
  if (column.data_type == "bit") return Form::kHex;
  if (kBinaryTypes.contains(column.data_type)) return Form::kBinary;
  const bool character = !column.charset.empty();
  if (IsEnumOrSet(column)) {
    const bool by_number = HasEmptyMember(column) || column.charset == "binary";
    return by_number ? Form::kNumber : Form::kText;
  }
  if (character && !kLosslessCharsets.contains(column.charset)) return Form::kBinary;
  return Form::kText;
}

std::string RowFormatter::SelectExpression(const Column& column, Form form) {
  const std::string name = QuoteName(column.name);
  // The text protocol rounds FLOAT to six digits; a product is DOUBLE and printed so that it reads
  // back equal. A sum would turn -0 into 0. The exponent keeps FLOAT(M,D) from rounding to D
  // digits.
  if (form == Form::kReal) return name + " * 1e0";
  // A sum would be DOUBLE, which does not have the 64 bits of a SET.
  if (form == Form::kNumber && IsEnumOrSet(column)) return "CAST(" + name + " AS UNSIGNED)";
  if (form == Form::kBinary && !kBinaryTypes.contains(column.data_type)) {
    return "CAST(" + name + " AS BINARY)";
  }
  return name;
}

RowFormatter::RowFormatter(const Table& table, const ServerInfo& server) {
  std::string names;
  for (const Column& column : table.columns) {
    positions_.push_back(forms_.size());
    if (column.generated) {
      positions_.back() = SIZE_MAX;
      continue;
    }
    const Form form = FormOf(column, server);
    if (!forms_.empty()) {
      select_list_ += ',';
      names += ',';
    }
    select_list_ += SelectExpression(column, form);
    const std::string name = QuoteName(column.name);
    names += name;
    if (form == Form::kJson) {
      json_columns_.push_back(forms_.size());
      json_check_list_ += fmt::format(
          ",IF({0} = CAST(CAST({0} AS CHAR) AS JSON), NULL,"
          " JSON_LENGTH(COALESCE(JSON_SEARCH({0}, 'all', '%'), JSON_ARRAY())))",
          name);
    }
    forms_.push_back(form);
  }
  for (size_t& position : positions_) {
    if (position == SIZE_MAX) position = forms_.size();
  }
  if (forms_.empty()) select_list_ = "1";
  insert_head_ = "INSERT INTO " + QuoteName(table.name) + " (" + names + ") VALUES\n";
}

void RowFormatter::AppendRow(std::span<const char* const> values,
                             std::span<const unsigned long> lengths, std::string& out) const {
  char separator = '(';
  for (size_t i = 0; i < forms_.size(); ++i) {
    out += separator;
    separator = ',';
    if (values[i] == nullptr) {
      out += "NULL";
      continue;
    }
    const std::string_view value(values[i], lengths[i]);
    switch (forms_[i]) {
      case Form::kNumber:
        out += value;
        break;
      case Form::kReal:
        out += value;
        // The integer literal -0 is 0.
        if (value == "-0") out += "e0";
        break;
      case Form::kText:
        AppendQuoted(value, out);
        break;
      case Form::kBinary:
        out += "_binary ";
        AppendQuoted(value, out);
        break;
      case Form::kJson:
        AppendJson(value, out);
        break;
      case Form::kHex:
        out += "x'";
        AppendHex(value, out);
        out += '\'';
        break;
    }
  }
  if (forms_.empty()) out += '(';
  out += ')';
}

}  // namespace oxbackup::mysql
