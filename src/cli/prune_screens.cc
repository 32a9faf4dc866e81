#include "cli/prune_screens.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "cli/list_screens.h"
#include "cli/text_table.h"

namespace oxbackup {
namespace {

using Align = TextTable::Align;

std::string RenderItems(const PrunePlan& plan, bool removed, const TerminalStyle& style) {
  TextTable table({Align::kLeft, Align::kLeft, Align::kRight, Align::kLeft});
  for (const PruneItem& item : plan.items) {
    if (item.kept_by.empty() != removed) continue;
    const ArchiveEntry& entry = item.entry;
    const std::string state = entry.state == ArchiveState::kComplete ? "" : StateText(entry);
    table.AddRow({Printable(DescribeObject(entry.object)), ShortTime(entry.made),
                  FormatBytes(entry.object.size),
                  removed ? state : fmt::format("{}", fmt::join(item.kept_by, ", "))});
  }
  constexpr size_t kNameColumn = 0;
  return table.RenderWithin(2, style.width, kNameColumn);
}

}  // namespace

std::string CountAndSize(size_t count, uint64_t bytes) {
  return fmt::format("{} ({})", FormatCounted(count, "archive", "archives"), FormatBytes(bytes));
}

std::string RenderPrunePlan(const std::string& location, const PrunePlan& plan,
                            const TerminalStyle& style) {
  if (plan.items.empty()) return fmt::format("No archives in {}.\n", location);
  const size_t removed = plan.removed();
  const size_t kept = plan.items.size() - removed;
  std::string out;
  if (kept > 0) {
    out += fmt::format("To keep in {}, and why:\n", location) + RenderItems(plan, false, style);
  }
  if (removed > 0) {
    out += Paint(style, Colour::kBold, "To remove:") + "\n" + RenderItems(plan, true, style);
  }
  return out + fmt::format("To keep: {}. To remove: {}.\n", CountAndSize(kept, plan.kept_bytes()),
                           CountAndSize(removed, plan.removed_bytes()));
}

}  // namespace oxbackup
