#include "base/file_descriptor.h"

#include <unistd.h>

#include <cerrno>

namespace oxbackup {

void FileDescriptor::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

int FileDescriptor::CloseChecked() {
  // The descriptor is gone on Linux whatever close returns; interrupted, it has told nothing yet.
  if (::close(Release()) == 0 || errno == EINTR) return 0;
  return errno;
}

int WriteFully(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    // Nothing written without an error: what a full device does on some network file systems.
    if (written == 0) return ENOSPC;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

int SyncFile(int fd) {
  while (::fsync(fd) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

int SyncFolder(int fd) {
  const int error = SyncFile(fd);
  return error == EINVAL || error == ENOTSUP || error == ENOSYS ? 0 : error;
}

}  // namespace oxbackup
