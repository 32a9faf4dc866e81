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
  /// As Render, but where that would be wider than `width`, rows in whose column `long_column`
  /// there is too much text have what follows it in a second line. For texts that must not be cut:
  /// one that alone is wider than the rest of the line stays so.
  std::string RenderWithin(int indent, int width, size_t long_column) const;

 private:
  std::vector<int> Widths() const;
  std::string Line(int indent, const std::vector<int>& widths,
                   const std::vector<std::string>& row) const;

  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace oxbackup
