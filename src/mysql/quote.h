// SQL text for names and values. The strings fit sessions with backslash escapes (no
// NO_BACKSLASH_ESCAPES) and a connection charset of utf8mb4, which is what Session and the preamble
// of our scripts set.
#pragma once

#include <string>
#include <string_view>

namespace oxbackup::mysql {

/// `name` in backticks, backticks inside doubled.
std::string QuoteName(std::string_view name);
/// `database`.`name`.
std::string QuoteName(std::string_view database, std::string_view name);
/// 'value' with escapes.
std::string QuoteString(std::string_view value);
/// "column = 'name'" for queries of information_schema, bytewise too: MariaDB compares names there
/// without regard to case although it tells databases and tables apart by it. The plain comparison
/// is the one that spares the server a look at all databases.
std::string NameIs(std::string_view column, std::string_view name);
/// Appends the value's bytes with NUL, newline, carriage return, Ctrl-Z, backslash and single quote
/// escaped: all that the servers and the stock client need within single quotes. The result has no
/// line break. Double quotes stay as they are (JSON texts would grow by them).
void AppendEscaped(std::string_view value, std::string& out);
/// "'a','b'" for IN lists. REQUIRES: values is not empty.
template <class Range>
std::string QuoteList(const Range& values) {
  std::string list;
  for (const auto& value : values) {
    if (!list.empty()) list += ',';
    list += QuoteString(value);
  }
  return list;
}

}  // namespace oxbackup::mysql
