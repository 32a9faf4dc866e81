#include "stream/local_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.h"

namespace oxbackup {

std::unique_ptr<RangedSource> OpenLocalFileAt(int folder, const std::string& name,
                                              const std::string& folder_name) {
  const std::string path = fmt::format("{}/{}", folder_name, name);
  // Without O_NONBLOCK a FIFO of that name would hold us for ever.
  FileDescriptor file(::openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ENXIO || errno == ENAMETOOLONG) {
      return nullptr;
    }
    throw SystemError(ErrorKind::kStore, fmt::format("cannot open {}", path), errno)
        .Hint("check that this user may read the file");
  }
  struct stat status {};
  if (::fstat(file.get(), &status) == 0 && !S_ISREG(status.st_mode)) return nullptr;
  return std::make_unique<LocalFileSource>(std::move(file), path);
}

LocalFileSource::LocalFileSource(FileDescriptor file, std::string name)
    : file_(std::move(file)), name_(std::move(name)) {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) {
    throw SystemError(ErrorKind::kStore, fmt::format("cannot examine {}", name_), errno);
  }
  size_ = static_cast<uint64_t>(status.st_size);
}

void LocalFileSource::ReadAt(uint64_t offset, char* buffer, size_t size) const {
  size_t done = 0;
  while (done < size) {
    const ssize_t now =
        ::pread(file_.get(), buffer + done, size - done, static_cast<off_t>(offset + done));
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) {
      throw SystemError(ErrorKind::kStore, fmt::format("cannot read {}", name_), errno)
          .Hint("check the disk or the connection to it, and try again");
    }
    if (now == 0) {
      throw Error(ErrorKind::kCorrupt, fmt::format("{} ends early: it has {} bytes, {} were wanted",
                                                   name_, offset + done, offset + size));
    }
    done += static_cast<size_t>(now);
  }
}

}  // namespace oxbackup
