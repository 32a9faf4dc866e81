#include "files/tree_plan.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "files/tree_walk.h"
#include "files/work_folder.h"

namespace oxbackup::files {
namespace {

std::string DescribeTree(uint64_t entries, uint64_t bytes) {
  return FormatCounted(entries, "entry", "entries") + ", " + FormatBytes(bytes);
}

// What is at a place.
struct LiveTree {
  std::string now = "nothing";
  uint64_t stored_bytes = 0;  // on the disk
};

// Renaming an entry needs no right in it, removing it does.
void RefuseUnremovable(const std::string& path, const struct stat& status) {
  if (!S_ISDIR(status.st_mode) || status.st_uid == ::geteuid()) return;
  if (::access(path.c_str(), R_OK | W_OK | X_OK) == 0) return;
  throw SystemError(ErrorKind::kSource, fmt::format("cannot empty the live folder {}", path), errno)
      .Hint("restore without --in-place, or as a user that may remove what is in there");
}

// (stat(3type)) Blocks are of 512 bytes, whatever the file system.
uint64_t StoredBytes(const struct stat& status) {
  return static_cast<uint64_t>(status.st_blocks) * 512;
}

LiveTree LookAt(const std::filesystem::path& path, RestoreRoom room, const RunContext& run) {
  if (!std::filesystem::exists(path)) return {};
  uint64_t entries = 0;
  uint64_t bytes = 0;
  uint64_t stored = 0;
  const TreeRoot root(path);
  WalkTree(
      root, run, [](const std::string&) {},
      [&](const WalkedEntry& entry) {
        if (room == RestoreRoom::kInPlace) {
          RefuseUnremovable(root.FullPath(entry.path), entry.status);
        }
        ++entries;
        if (!S_ISREG(entry.status.st_mode) || !entry.hard_link_to.empty()) return;
        bytes += static_cast<uint64_t>(entry.status.st_size);
        stored += StoredBytes(entry.status);
      });
  return {DescribeTree(entries, bytes), stored};
}

std::optional<uint64_t> FreeBytes(const std::filesystem::path& folder) {
  struct statvfs status {};
  if (::statvfs(folder.c_str(), &status) != 0) return std::nullopt;
  return uint64_t{status.f_bavail} * status.f_frsize;
}

dev_t DeviceOf(const std::filesystem::path& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 ? status.st_dev : 0;
}

// The right to look everywhere may be missing: that is restored, too.
uint64_t StoredBelow(const std::filesystem::path& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  const auto options = std::filesystem::directory_options::skip_permission_denied;
  for (std::filesystem::recursive_directory_iterator at(folder, options, error), end;
       !error && at != end; at.increment(error)) {
    struct stat status {};
    const bool known = ::lstat(at->path().c_str(), &status) == 0;
    if (known && S_ISREG(status.st_mode)) bytes += StoredBytes(status);
  }
  return bytes;
}

// What goes before the load, by the file system that it is on: what an earlier, broken load has
// left, and in place the live data.
std::map<dev_t, uint64_t> BytesThatGo(const std::vector<PlannedTree>& trees,
                                      const std::vector<LiveTree>& live, RestoreRoom room) {
  std::map<dev_t, uint64_t> bytes;
  for (size_t at = 0; at < trees.size(); ++at) {
    const SwapPlace& place = trees[at].place;
    const FileDescriptor work = OpenWorkFolder(place);
    uint64_t& here = bytes[DeviceOf(place.live)];
    if (work && IsOurs(work.get(), place)) here += StoredBelow(place.work / kNewFolder);
    if (room == RestoreRoom::kInPlace) here += live[at].stored_bytes;
  }
  return bytes;
}

void CheckRoom(const PlannedTree& tree, uint64_t needed, uint64_t free, uint64_t live,
               RestoreRoom room) {
  if (needed <= free) return;
  const bool in_place = room == RestoreRoom::kInPlace;
  throw Error(ErrorKind::kSource, fmt::format("{} has too little space for the restored files",
                                              tree.place.live.string()))
      .Cause(fmt::format("{} are needed{}, {} are free{}", FormatBytes(needed),
                         in_place ? "" : " beside the live files", FormatBytes(free),
                         in_place ? " without the live files" : ""))
      .Hint(!in_place && needed <= free + live
                ? "free some space there, or restore with --in-place, which removes the live data "
                  "first and has no undo"
                : "free some space there");
}

}  // namespace

RestorePlan PlanTrees(const std::vector<PlannedTree>& trees, RestoreRoom room,
                      const RunContext& run) {
  RestorePlan plan;
  std::vector<LiveTree> live;
  for (const PlannedTree& tree : trees) live.push_back(LookAt(tree.place.target, room, run));
  const std::map<dev_t, uint64_t> gone = BytesThatGo(trees, live, room);
  for (size_t at = 0; at < trees.size(); ++at) {
    const SwapPlace& place = trees[at].place;
    const ObjectEntry* const object = trees[at].object;
    const uint64_t needed = object == nullptr ? 0 : object->raw_bytes;
    plan.replaced.push_back(
        {place.target.string(), live[at].now,
         object == nullptr ? "as in the archive" : DescribeTree(object->items, object->raw_bytes)});
    plan.bytes_needed += needed;
    std::optional<uint64_t> free = FreeBytes(place.live);
    if (!free) continue;
    *free += gone.at(DeviceOf(place.live));
    plan.bytes_free = std::min(plan.bytes_free.value_or(*free), *free);
    CheckRoom(trees[at], needed, *free, live[at].stored_bytes, room);
  }
  return plan;
}

}  // namespace oxbackup::files
