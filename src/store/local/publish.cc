#include "store/local/publish.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace oxbackup {
namespace {

enum class Outcome { kDone, kTaken, kNotSupported };

bool MeansNotSupported(int error) {
  return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM ||
         error == EMLINK;
}

[[noreturn]] void Fail(const std::string& name, int error) {
  throw SystemError(ErrorKind::kStore, fmt::format("cannot give the archive its name {}", name),
                    error)
      .Hint("check the folder's rights and its free space; nothing was left under that name");
}

Outcome FromErrno(const std::string& name) {
  if (errno == EEXIST) return Outcome::kTaken;
  if (MeansNotSupported(errno)) return Outcome::kNotSupported;
  Fail(name, errno);
}

Outcome RenameNoReplace(int folder, const std::string& temporary, const std::string& name) {
  if (::renameat2(folder, temporary.c_str(), folder, name.c_str(), RENAME_NOREPLACE) == 0) {
    return Outcome::kDone;
  }
  return FromErrno(name);
}

bool SameFile(int folder, const std::string& one, const std::string& other) {
  struct stat first {};
  struct stat second {};
  return ::fstatat(folder, one.c_str(), &first, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::fstatat(folder, other.c_str(), &second, AT_SYMLINK_NOFOLLOW) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

Outcome LinkNoReplace(int folder, const std::string& temporary, const std::string& name) {
  if (::linkat(folder, temporary.c_str(), folder, name.c_str(), 0) != 0) {
    const Outcome outcome = FromErrno(name);
    // NFS repeats a request whose answer got lost and then tells of the name that it made itself.
    if (outcome != Outcome::kTaken || !SameFile(folder, temporary, name)) return outcome;
  }
  // If we die before this, the next Create removes the second, hidden name.
  ::unlinkat(folder, temporary.c_str(), 0);
  return Outcome::kDone;
}

Outcome LockedRename(int folder, const std::string& temporary, const std::string& name) {
  // A description of its own: a lock belongs to it, and two writers of one process need two locks.
  const FileDescriptor lock(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0) return Outcome::kNotSupported;
  struct stat status {};
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return Outcome::kTaken;
  if (::renameat(folder, temporary.c_str(), folder, name.c_str()) != 0) Fail(name, errno);
  return Outcome::kDone;
}

Outcome Publish(PublishMethod method, int folder, const std::string& temporary,
                const std::string& name) {
  switch (method) {
    case PublishMethod::kRenameNoReplace:
      return RenameNoReplace(folder, temporary, name);
    case PublishMethod::kLink:
      return LinkNoReplace(folder, temporary, name);
    case PublishMethod::kLockedRename:
      return LockedRename(folder, temporary, name);
  }
  return Outcome::kNotSupported;
}

}  // namespace

bool PublishNoReplace(int folder, const std::string& temporary, const std::string& name,
                      std::initializer_list<PublishMethod> methods) {
  for (const PublishMethod method : methods) {
    const Outcome outcome = Publish(method, folder, temporary, name);
    if (outcome != Outcome::kNotSupported) return outcome == Outcome::kDone;
  }
  throw Error(ErrorKind::kStore, fmt::format("cannot give the archive its name {}", name))
      .Cause("the file system can neither rename without replacing, nor link, nor lock a folder")
      .Hint("choose a folder on another file system");
}

}  // namespace oxbackup
