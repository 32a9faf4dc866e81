// What an archive consists of: tar members.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/byte_budget.h"

namespace oxbackup {

enum class MemberType { kFile, kDirectory, kSymlink, kHardlink };

/// A member's header. Nothing in it may stem from the run itself (its time, its thread), so that
/// the same data makes the same bytes in every archive (docs/format.md, "Same data, same blocks").
struct MemberInfo {
  std::string path;  ///< "data/…", '/' between parts, no leading '/', no ".."
  MemberType type = MemberType::kFile;
  uint64_t size = 0;  ///< bytes of content; 0 unless a file
  std::string
      link_target;       ///< symlinks: as stored in the link; hard links: the other member's path
  uint32_t mode = 0644;  ///< permission bits, 0 to 07777
  uint64_t uid = 0;
  uint64_t gid = 0;
  std::string user;   ///< name of the owner; may be empty
  std::string group;  ///< name of the group; may be empty
  int64_t mtime_seconds = 0;
  int64_t mtime_nanoseconds = 0;              ///< 0 to 999,999,999
  std::map<std::string, std::string> xattrs;  ///< extended attributes, "user.x" -> bytes
};

/// A member whose content is in memory. `info.size` is set by the archive writer.
struct Member {
  MemberInfo info;
  std::string content;
};

/// Members that lie together in blocks of their own: a chunk of a table, or small members in a
/// fixed order that does not depend on the run. The reservation stands for the contents' bytes and
/// travels with them (it may be empty for small groups).
struct MemberGroup {
  std::vector<Member> members;
  Reservation reservation;
};

}  // namespace oxbackup
