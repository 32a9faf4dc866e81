#include "files/beneath.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace oxbackup::files {
namespace {

FileDescriptor OpenPart(int folder, const std::string& name, bool make) {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  FileDescriptor part(::openat(folder, name.c_str(), kFlags));
  if (part || errno != ENOENT || !make) return part;
  if (::mkdirat(folder, name.c_str(), 0700) != 0 && errno != EEXIST) return part;
  return FileDescriptor(::openat(folder, name.c_str(), kFlags));
}

}  // namespace

std::pair<std::string_view, std::string_view> SplitLast(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {std::string_view(), path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

int FolderCursor::Open(std::string_view path) { return OpenFrom(path, false); }
int FolderCursor::OpenOrMake(std::string_view path) { return OpenFrom(path, true); }

void FolderCursor::Reset() {
  folder_.Close();
  path_.clear();
}

int FolderCursor::OpenFrom(std::string_view path, bool make) {
  if (path.empty()) return root_;
  if (folder_ && path == path_) return folder_.get();
  FileDescriptor folder;
  std::string_view left = path;
  while (!left.empty()) {
    const size_t end = std::min(left.find('/'), left.size());
    FileDescriptor next =
        OpenPart(folder ? folder.get() : root_, std::string(left.substr(0, end)), make);
    if (!next) return -1;
    folder = std::move(next);
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  folder_ = std::move(folder);
  path_ = path;
  return folder_.get();
}

}  // namespace oxbackup::files
