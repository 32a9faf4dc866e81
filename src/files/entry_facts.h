// What the file system knows about a file, as a tar member has it.
#pragma once

#include <sys/stat.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "archive/member.h"

namespace oxbackup::files {

/// Names of users and groups, looked up once each. Thread-safe.
class OwnerNames {
 public:
  /// Empty when the system does not know the number.
  std::string User(uid_t uid);
  std::string Group(gid_t gid);

 private:
  std::mutex mutex_;
  std::map<uid_t, std::string> users_;   // guarded by mutex_
  std::map<gid_t, std::string> groups_;  // guarded by mutex_
};

/// A member's header with mode, owner and time out of `status`; its type, path and size are not
/// set.
MemberInfo InfoFromStat(const struct stat& status, OwnerNames& owners);

/// The extended attributes of an open file or folder that can be set back: the user's, access
/// control lists, and, for root, file capabilities. Throws Error(kSource), naming `path`.
std::map<std::string, std::string> ReadXattrs(int fd, const std::string& path);

/// Sets mode, owner, attributes and time of an open file or folder. What the system refuses or
/// silently does otherwise is reported by name: "owner", "mode", "time", "attribute user.x"; empty
/// when the file now has all of it.
std::vector<std::string> ApplyInfo(int fd, const MemberInfo& info);

/// The same for the symlink `name` in `folder`: its owner and time.
std::vector<std::string> ApplyLinkInfo(int folder, const std::string& name, const MemberInfo& info);

}  // namespace oxbackup::files
