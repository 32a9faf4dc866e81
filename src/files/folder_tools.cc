#include "files/folder_tools.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/error.h"

namespace oxbackup::files {
namespace {

constexpr char kCheckRights[] = "check that this user may write there, and the disk";

// A bind mount of the same file system has its device number too; a kernel before 5.8, or a
// container's filter of system calls, knows no more than that number.
bool IsMountedAt(int parent, const std::string& name) {
  constexpr int kFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
  struct statx above {};
  struct statx inner {};
  if (::statx(parent, "", AT_EMPTY_PATH, STATX_MNT_ID, &above) == 0 &&
      ::statx(parent, name.c_str(), kFlags, STATX_MNT_ID, &inner) == 0 &&
      (above.stx_mask & inner.stx_mask & STATX_MNT_ID) != 0) {
    return above.stx_mnt_id != inner.stx_mnt_id;
  }
  struct stat folder {};
  struct stat entry {};
  return ::fstat(parent, &folder) == 0 && ::fstatat(parent, name.c_str(), &entry, kFlags) == 0 &&
         folder.st_dev != entry.st_dev;
}

}  // namespace

FileDescriptor OpenFolder(const std::filesystem::path& path) {
  return FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

FileDescriptor OpenFolderAt(int parent, const std::string& name) {
  return FileDescriptor(
      ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

FileDescriptor MakeFolderAt(int parent, const std::string& name, const std::string& where) {
  if (::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) {
    throw SystemError(ErrorKind::kSource, fmt::format("cannot create the folder {}", where), errno)
        .Hint(kCheckRights);
  }
  FileDescriptor folder = OpenFolderAt(parent, name);
  if (!folder) {
    const bool other = errno == ELOOP || errno == ENOTDIR;
    throw SystemError(ErrorKind::kSource, fmt::format("cannot open the folder {}", where), errno)
        .Hint(other ? "something that is no folder has its name: look at it and remove it"
                    : kCheckRights);
  }
  return folder;
}

std::vector<std::string> NamesIn(int folder, const std::string& where) {
  const int own = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(own < 0 ? nullptr : ::fdopendir(own),
                                                    &::closedir);
  if (listing == nullptr) {
    throw SystemError(ErrorKind::kSource, fmt::format("cannot list {}", where), errno);
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* const entry = ::readdir(listing.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  if (errno != 0) {
    throw SystemError(ErrorKind::kSource, fmt::format("cannot list {}", where), errno);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void RemoveTreeAt(int parent, const std::string& name, const std::string& where) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return;
  const int error = errno;
  // Its content is somebody else's, and would be gone before rmdir refuses the mount point.
  if (IsMountedAt(parent, name)) {
    throw Error(ErrorKind::kSource, fmt::format("cannot remove {}", where))
        .Cause("something is mounted there")
        .Hint("unmount it");
  }
  FileDescriptor folder = OpenFolderAt(parent, name);
  if (!folder && errno == EACCES) {
    // One of ours, restored without the right to look into it.
    ::fchmodat(parent, name.c_str(), 0700, 0);
    folder = OpenFolderAt(parent, name);
  }
  if (!folder) {
    throw SystemError(ErrorKind::kSource, fmt::format("cannot remove {}", where), error)
        .Hint(kCheckRights);
  }
  const std::vector<std::string> names = NamesIn(folder.get(), where);
  if (!names.empty()) ::fchmod(folder.get(), 0700);
  for (const std::string& inner : names) {
    RemoveTreeAt(folder.get(), inner, fmt::format("{}/{}", where, inner));
  }
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    throw SystemError(ErrorKind::kSource, fmt::format("cannot remove {}", where), errno)
        .Hint(kCheckRights);
  }
}

void SyncFolderOrThrow(int folder, const std::string& where) {
  if (const int error = SyncFolder(folder)) {
    throw SystemError(ErrorKind::kSource, fmt::format("cannot sync {}", where), error)
        .Hint("check the disk");
  }
}

std::optional<uint64_t> InodeAt(int folder, const std::string& name) {
  struct stat status {};
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return status.st_ino;
}

}  // namespace oxbackup::files
