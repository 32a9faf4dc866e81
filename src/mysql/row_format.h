// Rows of a table as SQL text that reads back exactly.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/catalog.h"

namespace oxbackup::mysql {

/// Knows how one table's columns are selected and written. Immutable: may be shared by threads.
///
/// The text of a row, "(1,'a',NULL)", is its canonical form: it holds no line break, depends on the
/// stored values alone, and gives the same row when it is inserted, so that digests over it can be
/// compared between a source, an archive and a restored table (docs/format.md). It needs sessions
/// as Session makes them, for reading and for inserting.
class RowFormatter {
 public:
  /// `server`: the one that the rows are read from.
  RowFormatter(const Table& table, const ServerInfo& server);

  /// Expressions that select what AppendRow takes: "`id`,`score` * 1e0". Generated columns are left
  /// out. Never empty ("1" for a table of generated columns alone).
  const std::string& select_list() const { return select_list_; }
  /// One expression for each of json_columns(), each with a comma before it, to follow
  /// select_list(). NULL where the text of the value brings back every type in it, else how many of
  /// its values are true strings. May be empty.
  const std::string& json_check_list() const { return json_check_list_; }
  /// Places of the columns of MySQL's type JSON in select_list().
  const std::vector<size_t>& json_columns() const { return json_columns_; }
  /// "INSERT INTO `t` (`id`,`score`) VALUES\n": the table without its database.
  const std::string& insert_head() const { return insert_head_; }

  /// Appends the row's canonical text. `values` and `lengths` begin with the columns of
  /// select_list() (there may be more); nullptr is NULL.
  void AppendRow(std::span<const char* const> values, std::span<const unsigned long> lengths,
                 std::string& out) const;

  /// How many columns select_list() has.
  size_t column_count() const { return forms_.size(); }
  /// Where table.columns[`column`] is among them; column_count() when it is left out.
  size_t Position(size_t column) const { return positions_[column]; }

 private:
  enum class Form {
    kNumber,  ///< as the server prints it
    kReal,    ///< the same, but a negative zero keeps its sign
    kText,    ///< quoted and escaped
    kBinary,  ///< the same after _binary, so that its bytes are not taken for text
    kHex,     ///< x'…'
    kJson,    ///< kText; numbers that the text does not bring back are put in by JSON_REPLACE
  };
  static Form FormOf(const Column& column, const ServerInfo& server);
  static std::string SelectExpression(const Column& column, Form form);

  std::vector<Form> forms_;
  std::vector<size_t> positions_;
  std::vector<size_t> json_columns_;
  std::string select_list_;
  std::string json_check_list_;
  std::string insert_head_;
};

}  // namespace oxbackup::mysql
