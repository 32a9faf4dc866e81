#include "files/entry_facts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace oxbackup::files {
namespace {

constexpr size_t kNameBuffer = 16384;

std::string LookUpUser(uid_t uid) {
  std::vector<char> buffer(kNameBuffer);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return "";
  }
  return entry.pw_name;
}

std::string LookUpGroup(gid_t gid) {
  std::vector<char> buffer(kNameBuffer);
  group entry{};
  group* found = nullptr;
  if (::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return "";
  }
  return entry.gr_name;
}

bool CanBeSetBack(std::string_view name) {
  if (name.starts_with("user.")) return true;
  if (name == "system.posix_acl_access" || name == "system.posix_acl_default") return true;
  return name == "security.capability" && ::geteuid() == 0;
}

bool MeansNoXattrs(int error) { return error == ENOTSUP || error == ENOSYS || error == EPERM; }

std::array<timespec, 2> Times(const MemberInfo& info) {
  timespec modified{};
  modified.tv_sec = info.mtime_seconds;
  modified.tv_nsec = info.mtime_nanoseconds;
  return {timespec{0, UTIME_OMIT}, modified};
}

bool SameTime(const struct stat& status, const MemberInfo& info) {
  return status.st_mtim.tv_sec == info.mtime_seconds &&
         status.st_mtim.tv_nsec == info.mtime_nanoseconds;
}

bool SameOwner(const struct stat& status, const MemberInfo& info) {
  return status.st_uid == info.uid && status.st_gid == info.gid;
}

}  // namespace

std::string OwnerNames::User(uid_t uid) {
  const std::lock_guard lock(mutex_);
  const auto found = users_.find(uid);
  if (found != users_.end()) return found->second;
  return users_[uid] = LookUpUser(uid);
}

std::string OwnerNames::Group(gid_t gid) {
  const std::lock_guard lock(mutex_);
  const auto found = groups_.find(gid);
  if (found != groups_.end()) return found->second;
  return groups_[gid] = LookUpGroup(gid);
}

MemberInfo InfoFromStat(const struct stat& status, OwnerNames& owners) {
  MemberInfo info;
  info.mode = status.st_mode & 07777;
  info.uid = status.st_uid;
  info.gid = status.st_gid;
  info.user = owners.User(status.st_uid);
  info.group = owners.Group(status.st_gid);
  info.mtime_seconds = status.st_mtim.tv_sec;
  info.mtime_nanoseconds = status.st_mtim.tv_nsec;
  return info;
}

std::map<std::string, std::string> ReadXattrs(int fd, const std::string& path) {
  std::map<std::string, std::string> xattrs;
  std::vector<char> names(size_t{64} << 10);  // the kernel's limit for the list, as for one value
  const ssize_t size = ::flistxattr(fd, names.data(), names.size());
  if (size < 0) {
    if (MeansNoXattrs(errno)) return xattrs;
    throw SystemError(ErrorKind::kSource, fmt::format("cannot list the attributes of {}", path),
                      errno);
  }
  std::vector<char> value(size_t{64} << 10);
  for (const char* name = names.data(); name < names.data() + size;
       name += std::string_view(name).size() + 1) {
    if (!CanBeSetBack(name)) continue;
    const ssize_t length = ::fgetxattr(fd, name, value.data(), value.size());
    if (length >= 0) {
      xattrs[name] = std::string(value.data(), static_cast<size_t>(length));
    } else if (errno != ENODATA) {  // removed meanwhile otherwise
      throw SystemError(ErrorKind::kSource,
                        fmt::format("cannot read the attribute {} of {}", name, path), errno);
    }
  }
  return xattrs;
}

std::vector<std::string> ApplyInfo(int fd, const MemberInfo& info) {
  std::vector<std::string> refused;
  struct stat status {};
  if (::fstat(fd, &status) != 0) return {"anything"};
  // The owner first: changing it clears set-user-ID bits and capabilities.
  if (!SameOwner(status, info)) {
    (void)!::fchown(fd, static_cast<uid_t>(info.uid), static_cast<gid_t>(info.gid));
  }
  for (const auto& [name, value] : info.xattrs) {
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0) {
      refused.push_back("attribute " + name);
    }
  }
  (void)!::fchmod(fd, info.mode & 07777);
  (void)!::futimens(fd, Times(info).data());
  // Asked back, not believed: some file systems take all this and keep something coarser.
  if (::fstat(fd, &status) != 0) return {"anything"};
  if (!SameOwner(status, info)) refused.emplace_back("owner");
  if ((status.st_mode & 07777) != (info.mode & 07777)) refused.emplace_back("mode");
  if (!SameTime(status, info)) refused.emplace_back("time");
  return refused;
}

std::vector<std::string> ApplyLinkInfo(int folder, const std::string& name,
                                       const MemberInfo& info) {
  std::vector<std::string> refused;
  struct stat status {};
  (void)!::fchownat(folder, name.c_str(), static_cast<uid_t>(info.uid),
                    static_cast<gid_t>(info.gid), AT_SYMLINK_NOFOLLOW);
  (void)!::utimensat(folder, name.c_str(), Times(info).data(), AT_SYMLINK_NOFOLLOW);
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return {"anything"};
  if (!SameOwner(status, info)) refused.emplace_back("owner");
  if (!SameTime(status, info)) refused.emplace_back("time");
  return refused;
}

}  // namespace oxbackup::files
