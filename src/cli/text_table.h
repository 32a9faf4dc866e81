// Columns of text.
#pragma once

#include <string>
#include <vector>

namespace oxbackup {

/// Lines of cells that are padded so that columns stand below each other.
class TextTable {
 public:
  enum class Align { kLeft, kRight };

  /// One alignment a column; rows may have fewer cells.
  explicit TextTable(std::vector<Align> columns) : columns_(std::move(columns)) {}

  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// Columns are two spaces apart and begin after `indent` spaces; columns that are empty in every
  /// row take no room. No line ends in spaces.
  std::string Render(int indent) const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace oxbackup
