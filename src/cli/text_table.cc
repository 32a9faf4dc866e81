#include "cli/text_table.h"

#include <algorithm>

#include "cli/terminal.h"

namespace oxbackup {
namespace {

constexpr int kGap = 2;

}  // namespace

std::string TextTable::Render(int indent) const {
  const std::vector<int> widths = Widths();
  std::string out;
  for (const std::vector<std::string>& row : rows_) out += Line(indent, widths, row);
  return out;
}

std::string TextTable::RenderWithin(int indent, int width, size_t long_column) const {
  std::vector<int> widths = Widths();
  int total = indent;
  for (const int column : widths) total += column == 0 ? 0 : column + kGap;
  total -= kGap;
  if (total <= width) return Render(indent);
  const int room = widths[long_column] - (total - width);
  const auto too_long = [&](const std::vector<std::string>& row) {
    return row.size() > long_column && DisplayWidth(row[long_column]) > room;
  };
  widths[long_column] = 0;
  for (const std::vector<std::string>& row : rows_) {
    if (row.size() <= long_column || too_long(row)) continue;
    widths[long_column] = std::max(widths[long_column], DisplayWidth(row[long_column]));
  }
  std::vector<int> first_line = widths;
  std::string out;
  for (const std::vector<std::string>& row : rows_) {
    if (!too_long(row)) {
      out += Line(indent, widths, row);
      continue;
    }
    const auto after = row.begin() + static_cast<std::ptrdiff_t>(long_column) + 1;
    first_line[long_column] = DisplayWidth(row[long_column]);
    out += Line(indent, first_line, {row.begin(), after});
    if (after == row.end()) continue;
    std::vector<std::string> rest(long_column + 1);
    rest.insert(rest.end(), after, row.end());
    out += Line(indent, widths, rest);
  }
  return out;
}

std::vector<int> TextTable::Widths() const {
  std::vector<int> widths(columns_.size(), 0);
  for (const std::vector<std::string>& row : rows_) {
    for (size_t at = 0; at < std::min(row.size(), widths.size()); ++at) {
      widths[at] = std::max(widths[at], DisplayWidth(row[at]));
    }
  }
  return widths;
}

std::string TextTable::Line(int indent, const std::vector<int>& widths,
                            const std::vector<std::string>& row) const {
  std::string line(static_cast<size_t>(indent), ' ');
  for (size_t at = 0; at < widths.size(); ++at) {
    if (widths[at] == 0) continue;
    const std::string cell = at < row.size() ? row[at] : "";
    line += columns_[at] == Align::kRight ? PadLeft(cell, widths[at]) : PadRight(cell, widths[at]);
    line += std::string(kGap, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace oxbackup
