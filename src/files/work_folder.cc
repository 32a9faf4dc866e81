#include "files/work_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "files/entry_moves.h"
#include "files/folder_tools.h"
#include "files/tree_walk.h"

namespace oxbackup::files {
namespace {

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

// Some file systems give every file one owner or one mode (NFS that maps users, SMB). What they
// make of a folder of ours tells; on all others nobody else can have made the like.
std::optional<struct stat> MakeLikeOurs(const SwapPlace& place) {
  std::string path = (place.live / fmt::format("{}-probe-XXXXXX", kWorkFolder)).string();
  struct stat status {};
  if (::mkdtemp(path.data()) == nullptr) return std::nullopt;
  const bool known = ::lstat(path.c_str(), &status) == 0;
  ::rmdir(path.c_str());
  return known ? std::optional(status) : std::nullopt;
}

bool IsOfOurMaking(const struct stat& status, const SwapPlace& place) {
  const bool owned = status.st_uid == ::geteuid() || status.st_uid == 0;
  const mode_t open_to_others = status.st_mode & kOthersWrite;
  if (owned && open_to_others == 0) return true;
  const std::optional<struct stat> alike = MakeLikeOurs(place);
  return alike && (owned || status.st_uid == alike->st_uid) &&
         (open_to_others & ~alike->st_mode) == 0;
}

// A folder of folders, as far as those are empty; false when something stays.
bool RemoveEmptyFolders(int parent, const std::string& name) {
  const FileDescriptor folder = OpenFolderAt(parent, name);
  if (!folder) return false;
  for (const std::string& inner : NamesIn(folder.get(), name)) {
    ::unlinkat(folder.get(), inner.c_str(), AT_REMOVEDIR);
  }
  return ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0;
}

[[noreturn]] void ThrowNotOurs(const std::string& what, const SwapPlace& place) {
  throw Error(ErrorKind::kSource,
              fmt::format("{} is not of this user's making, so it is not trusted", what))
      .Cause("it belongs to another user, or others may write there")
      .Hint(fmt::format("when a restore by another user was interrupted, or kept old data, run as "
                        "that user; otherwise look at {} and remove it",
                        place.work.string()));
}

}  // namespace

FileDescriptor OpenWorkFolder(const SwapPlace& place) {
  FileDescriptor work(::open(place.work.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!work && errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
    throw SystemError(ErrorKind::kSource, fmt::format("cannot open {}", place.work.string()), errno)
        .Hint("run as the user that began the restore");
  }
  return work;
}

FileDescriptor MakeWorkFolder(const SwapPlace& place) {
  const FileDescriptor live(::open(place.live.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!live) {
    throw SystemError(ErrorKind::kSource, fmt::format("cannot open {}", place.live.string()),
                      errno);
  }
  FileDescriptor work = MakeFolderAt(live.get(), place.work.filename(), place.work.string());
  CheckIsOurs(work.get(), place);
  // What is put together there is for nobody's eyes before it is live.
  (void)!::fchmod(work.get(), 0700);
  return work;
}

bool IsOurs(int work, const SwapPlace& place) {
  struct stat status {};
  return ::fstat(work, &status) == 0 && IsOfOurMaking(status, place);
}

void CheckIsOurs(int work, const SwapPlace& place) {
  if (!IsOurs(work, place)) ThrowNotOurs(fmt::format("the folder {}", place.work.string()), place);
}

void RemoveWorkFolder(const SwapPlace& place) {
  const FileDescriptor work = OpenWorkFolder(place);
  if (!work) return;
  const std::string where = place.work.string();
  bool strays = false;
  for (const std::string& name : NamesIn(work.get(), where)) {
    if (name == kStrays && !RemoveEmptyFolders(work.get(), name)) {
      strays = true;
    } else {
      RemoveTreeAt(work.get(), name, where + "/" + name);
    }
  }
  if (strays) return;
  const FileDescriptor live(::open(place.live.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  RemoveTreeAt(live.get(), place.work.filename(), where);
}

std::optional<SwapRecord> RecordAt(const SwapPlace& place) {
  const FileDescriptor work = OpenWorkFolder(place);
  struct stat status {};
  if (!work || ::fstatat(work.get(), kRecordName, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::nullopt;
  }
  CheckIsOurs(work.get(), place);
  if (!S_ISREG(status.st_mode) || !IsOfOurMaking(status, place)) {
    ThrowNotOurs(fmt::format("the record {}", (place.work / kRecordName).string()), place);
  }
  return ReadRecord(work.get(), place.work.string());
}

}  // namespace oxbackup::files
