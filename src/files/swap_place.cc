#include "files/swap_place.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "files/tree_walk.h"

namespace oxbackup::files {
namespace {

// The kernel writes blanks, tabs, newlines and backslashes as three octal digits.
std::string UnescapeMountPath(const std::string& escaped) {
  std::string path;
  for (size_t at = 0; at < escaped.size(); ++at) {
    if (escaped[at] == '\\' && at + 3 < escaped.size()) {
      path.push_back(static_cast<char>(std::stoi(escaped.substr(at + 1, 3), nullptr, 8)));
      at += 3;
    } else {
      path.push_back(escaped[at]);
    }
  }
  return path;
}

// st_dev would not tell of a bind mount within one file system.
std::vector<std::string> MountPoints() {
  std::vector<std::string> paths;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string skipped;
    std::string path;
    fields >> skipped >> skipped >> skipped >> skipped >> path;
    paths.push_back(UnescapeMountPath(path));
  }
  return paths;
}

bool IsMountPoint(const std::filesystem::path& path) {
  const std::vector<std::string> mounts = MountPoints();
  return std::find(mounts.begin(), mounts.end(), path.string()) != mounts.end();
}

bool CanWrite(const std::filesystem::path& folder) {
  return ::access(folder.c_str(), W_OK | X_OK) == 0;
}

std::filesystem::path Resolve(const std::filesystem::path& target) {
  std::error_code error;
  std::filesystem::path resolved = std::filesystem::canonical(target, error);
  if (!error) return resolved;
  // What is restored to where a disk should be would fill the one below it.
  if (std::filesystem::is_symlink(target)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{} is a link to {}, which is not there", target.string(),
                            std::filesystem::read_symlink(target, error).string()))
        .Hint("mount the disk that holds it, or correct the link");
  }
  std::filesystem::path absolute = std::filesystem::absolute(target).lexically_normal();
  if (absolute.filename().empty()) absolute = absolute.parent_path();
  const std::filesystem::path parent = std::filesystem::canonical(absolute.parent_path(), error);
  if (error) {
    throw Error(ErrorKind::kUsage,
                fmt::format("the folder {} does not exist", absolute.parent_path().string()))
        .Hint("create it, or correct the path");
  }
  return parent / absolute.filename();
}

// A folder that may not be looked into counts as one with a record, so that whoever reads that says
// so. One behind a link is not ours.
bool HasRecord(const std::filesystem::path& work) {
  struct stat status {};
  if (::lstat(work.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return false;
  return ::lstat((work / "record.json").c_str(), &status) == 0 || errno == EACCES;
}

SwapPlace InsidePlace(const std::filesystem::path& target) {
  const std::filesystem::path resolved = Resolve(target);
  return {true, resolved, resolved, resolved / kWorkFolder, ""};
}

}  // namespace

SwapPlace BesidePlace(const std::filesystem::path& target) {
  const std::filesystem::path resolved = Resolve(target);
  const std::filesystem::path parent = resolved.parent_path();
  const std::string name = resolved.filename().string();
  return {false, resolved, parent, parent / fmt::format("{}-{}", kWorkFolder, name), name};
}

SwapPlace NewSwapPlace(const std::filesystem::path& target) {
  return std::filesystem::is_directory(target) ? InsidePlace(target) : BesidePlace(target);
}

SwapPlace FindSwapPlace(const std::filesystem::path& target) {
  const SwapPlace inside = InsidePlace(target);
  if (HasRecord(inside.work)) return inside;
  const SwapPlace beside = BesidePlace(target);
  return HasRecord(beside.work) ? beside : NewSwapPlace(target);
}

void CheckSwapPlace(const SwapPlace& place) {
  const std::string target = place.target.string();
  if (!CanWrite(place.live)) {
    throw SystemError(ErrorKind::kSource, fmt::format("cannot write into {}", place.live.string()),
                      errno)
        .Hint(
            "let the user that runs this write there (in a container: run as root, mount without "
            "'ro')");
  }
  if (!place.inside && IsMountPoint(place.target)) {
    throw Error(ErrorKind::kUsage, fmt::format("{} is a file that is mounted by itself", target))
        .Hint("mount the folder that holds it instead: a mounted file cannot be exchanged");
  }
  for (const std::string& mount : MountPoints()) {
    if (!mount.starts_with(target == "/" ? target : target + "/") || mount == target) continue;
    throw Error(
        ErrorKind::kUsage,
        fmt::format("{} is mounted inside {}, which a restore exchanges as a whole", mount, target))
        .Hint("unmount it for the restore");
  }
}

}  // namespace oxbackup::files
