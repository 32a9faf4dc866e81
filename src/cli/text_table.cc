#include "cli/text_table.h"

#include <algorithm>

#include "cli/terminal.h"

namespace oxbackup {

std::string TextTable::Render(int indent) const {
  std::vector<int> widths(columns_.size(), 0);
  for (const std::vector<std::string>& row : rows_) {
    for (size_t at = 0; at < std::min(row.size(), widths.size()); ++at) {
      widths[at] = std::max(widths[at], DisplayWidth(row[at]));
    }
  }
  std::string out;
  for (const std::vector<std::string>& row : rows_) {
    std::string line(static_cast<size_t>(indent), ' ');
    for (size_t at = 0; at < widths.size(); ++at) {
      if (widths[at] == 0) continue;
      const std::string cell = at < row.size() ? row[at] : "";
      line +=
          columns_[at] == Align::kRight ? PadLeft(cell, widths[at]) : PadRight(cell, widths[at]);
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace oxbackup
