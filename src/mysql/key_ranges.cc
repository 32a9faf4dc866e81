#include "mysql/key_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "mysql/quote.h"

namespace oxbackup::mysql {
namespace {

__extension__ using Wide = __int128;  // holds the span of any 64-bit key

// More ranges than that cost more in starting than they gain.
constexpr uint64_t kMostRanges = 4096;

bool IsStringType(const std::string& type) { return type == "char" || type == "varchar"; }
bool IsBytesType(const std::string& type) { return type == "binary" || type == "varbinary"; }

std::optional<Wide> ParseInteger(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return negative ? -static_cast<Wide>(number) : static_cast<Wide>(number);
}

std::string FormatInteger(Wide number) {
  const bool negative = number < 0;
  const auto magnitude = static_cast<uint64_t>(negative ? -number : number);
  return fmt::format("{}{}", negative ? "-" : "", magnitude);
}

Wide FloorDivide(Wide number, Wide step) {
  return number >= 0 ? number / step : -((-number + step - 1) / step);
}

struct Ends {
  std::string least;
  std::string greatest;
};

std::optional<Ends> ReadEnds(Session& session, const Table& table, const std::string& expression) {
  const Rows rows = session.Query(fmt::format("SELECT MIN({0}), MAX({0}) FROM {1}", expression,
                                              QuoteName(table.database, table.name)));
  if (rows.empty() || !rows[0][0] || !rows[0][1]) return std::nullopt;
  return Ends{*rows[0][0], *rows[0][1]};
}

size_t CommonPrefix(const Ends& ends) {
  const auto [a, b] = std::mismatch(ends.least.begin(), ends.least.end(), ends.greatest.begin(),
                                    ends.greatest.end());
  return static_cast<size_t>(a - ends.least.begin());
}

// Keys of one prefix are told apart by their next byte: 32 ranges where it is evenly spread, as in
// UUIDs and hashes.
std::vector<std::string> BytesBorders(const Ends& ends) {
  const std::string prefix = ends.least.substr(0, CommonPrefix(ends));
  std::vector<std::string> borders;
  for (int byte = 8; byte < 256; byte += 8) {
    borders.push_back("_binary " + QuoteString(prefix + static_cast<char>(byte)));
  }
  return borders;
}

// The same for text, by digits and letters. The server puts them into the order of the column's
// collation and drops those that are equal in it.
std::vector<std::string> TextBorders(Session& session, const Table& table, const Column& column,
                                     const Ends& ends) {
  // Not into the middle of a character.
  size_t length = CommonPrefix(ends);
  const auto is_inner_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  while (length > 0 && length < ends.greatest.size() && is_inner_byte(ends.greatest[length])) {
    --length;
  }
  const std::string prefix = ends.greatest.substr(0, length);
  std::string candidates;
  for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuvwxyz")) {
    candidates += (candidates.empty() ? "SELECT " : " UNION SELECT ") + QuoteString(prefix + c) +
                  (candidates.empty() ? " AS b" : "");
  }
  const std::string collation = session.QueryValue(fmt::format(
      "SELECT COLLATION_NAME FROM information_schema.COLUMNS WHERE {} AND {} AND COLUMN_NAME = {}",
      NameIs("TABLE_SCHEMA", table.database), NameIs("TABLE_NAME", table.name),
      QuoteString(column.name)));
  std::vector<std::string> borders;
  for (const Row& row : session.Query(
           fmt::format("SELECT MIN(b) FROM ({}) AS c GROUP BY CONVERT(b USING {}) COLLATE {}"
                       " ORDER BY CONVERT(MIN(b) USING {}) COLLATE {}",
                       candidates, column.charset, collation, column.charset, collation))) {
    borders.push_back(QuoteString(row[0].value_or("")));
  }
  return borders;
}

}  // namespace

std::vector<std::string> IntegerBorders(std::string_view least, std::string_view greatest,
                                        uint64_t data_bytes) {
  const std::optional<Wide> low = ParseInteger(least);
  const std::optional<Wide> high = ParseInteger(greatest);
  if (!low || !high || *high <= *low || data_bytes < 2 * kRangeBytes) return {};
  const uint64_t ranges = std::min(data_bytes / kRangeBytes, kMostRanges);
  const Wide span = *high - *low + 1;
  Wide step = 1;
  while (step * 2 <= span / static_cast<Wide>(ranges)) step *= 2;
  std::vector<std::string> borders;
  for (Wide border = (FloorDivide(*low, step) + 1) * step; border <= *high; border += step) {
    borders.push_back(FormatInteger(border));
  }
  return borders;
}

std::vector<std::string> FindBorders(Session& session, const Table& table) {
  if (table.key.empty() || table.data_bytes < 2 * kRangeBytes) return {};
  const Column& column = table.columns[table.key[0]];
  const std::string name = QuoteName(column.name);
  if (IsInteger(column)) {
    const std::optional<Ends> ends = ReadEnds(session, table, name);
    if (!ends) return {};
    return IntegerBorders(ends->least, ends->greatest, table.data_bytes);
  }
  if (!IsStringType(column.data_type) && !IsBytesType(column.data_type)) return {};
  const std::optional<Ends> ends = ReadEnds(session, table, name);
  if (!ends) return {};
  const bool bytes = IsBytesType(column.data_type) || column.charset == "binary";
  return bytes ? BytesBorders(*ends) : TextBorders(session, table, column, *ends);
}

std::vector<std::string> RangeConditions(const Table& table,
                                         const std::vector<std::string>& borders) {
  if (borders.empty()) return {""};
  const std::string name = QuoteName(table.columns[table.key[0]].name);
  std::vector<std::string> conditions = {name + " < " + borders.front()};
  for (size_t i = 0; i + 1 < borders.size(); ++i) {
    conditions.push_back(fmt::format("{0} >= {1} AND {0} < {2}", name, borders[i], borders[i + 1]));
  }
  conditions.push_back(name + " >= " + borders.back());
  return conditions;
}

}  // namespace oxbackup::mysql
