#include "files/tree_plan.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "files/tree_walk.h"

namespace oxbackup::files {
namespace {

std::string DescribeTree(uint64_t entries, uint64_t bytes) {
  return FormatCounted(entries, "entry", "entries") + ", " + FormatBytes(bytes);
}

std::string DescribeLive(const std::filesystem::path& path, const RunContext& run) {
  if (!std::filesystem::exists(path)) return "nothing";
  uint64_t entries = 0;
  uint64_t bytes = 0;
  WalkTree(
      TreeRoot(path), run, [](const std::string&) {},
      [&](const WalkedEntry& entry) {
        ++entries;
        const bool file = S_ISREG(entry.status.st_mode) && entry.hard_link_to.empty();
        if (file) bytes += static_cast<uint64_t>(entry.status.st_size);
      });
  return DescribeTree(entries, bytes);
}

std::optional<uint64_t> FreeBytes(const std::filesystem::path& folder) {
  struct statvfs status {};
  if (::statvfs(folder.c_str(), &status) != 0) return std::nullopt;
  return uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace

void PlanTree(const SwapPlace& place, const ObjectEntry* object, RestorePlan& plan,
              const RunContext& run) {
  ReplacedThing thing;
  thing.what = place.target.string();
  thing.now = DescribeLive(place.target, run);
  thing.after =
      object == nullptr ? "as in the archive" : DescribeTree(object->items, object->raw_bytes);
  plan.replaced.push_back(std::move(thing));
  const uint64_t needed = object == nullptr ? 0 : object->raw_bytes;
  plan.bytes_needed += needed;
  const std::optional<uint64_t> free = FreeBytes(place.live);
  if (!free) return;
  plan.bytes_free = std::min(plan.bytes_free.value_or(*free), *free);
  if (needed <= *free) return;
  throw Error(ErrorKind::kSource,
              fmt::format("{} has too little space for the restored files", place.live.string()))
      .Cause(fmt::format("{} are needed beside the live files, {} are free", FormatBytes(needed),
                         FormatBytes(*free)))
      .Hint("free some space there");
}

}  // namespace oxbackup::files
