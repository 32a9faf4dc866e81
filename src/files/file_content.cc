#include "files/file_content.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace oxbackup::files {
namespace {

constexpr int kTries = 4;

Error CannotRead(const std::string& path, int error) {
  return SystemError(ErrorKind::kSource, fmt::format("cannot read {}", path), error)
      .Hint("check the disk and the file's rights; a backup without this file would not be whole");
}

size_t ReadSome(int fd, const std::string& path, char* buffer, size_t size) {
  while (true) {
    const ssize_t now = ::read(fd, buffer, size);
    if (now >= 0) return static_cast<size_t>(now);
    if (errno != EINTR) throw CannotRead(path, errno);
  }
}

struct stat Status(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw CannotRead(path, errno);
  return status;
}

}  // namespace

bool HasChanged(const struct stat& before, const struct stat& after) {
  const auto differ = [](const timespec& a, const timespec& b) {
    return a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec;
  };
  return before.st_size != after.st_size || differ(before.st_mtim, after.st_mtim);
}

FileContent ReadWholeFile(int fd, const std::string& path, uint64_t limit) {
  FileContent content;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    content.status = Status(fd, path);
    content.bytes.resize(
        static_cast<size_t>(std::min(limit, static_cast<uint64_t>(content.status.st_size))));
    if (::lseek(fd, 0, SEEK_SET) != 0) throw CannotRead(path, errno);
    size_t done = 0;
    while (done < content.bytes.size()) {
      const size_t now =
          ReadSome(fd, path, content.bytes.data() + done, content.bytes.size() - done);
      if (now == 0) break;
      done += now;
    }
    content.changed = done != static_cast<uint64_t>(content.status.st_size) ||
                      HasChanged(content.status, Status(fd, path));
    content.bytes.resize(done);
    if (!content.changed) break;
  }
  return content;
}

SteadyFileSource::SteadyFileSource(int fd, std::string path, uint64_t size,
                                   std::function<void(uint64_t)> on_read)
    : fd_(fd), path_(std::move(path)), left_(size), on_read_(std::move(on_read)) {}

size_t SteadyFileSource::Read(char* buffer, size_t size) {
  size_t now = static_cast<size_t>(std::min<uint64_t>(size, left_));
  if (now == 0) return 0;
  const size_t read = filled_ > 0 ? 0 : ReadSome(fd_, path_, buffer, now);
  if (read == 0) {
    std::memset(buffer, 0, now);
    filled_ += now;
  } else {
    now = read;
  }
  left_ -= now;
  hash_.Update(std::string_view(buffer, now));
  if (on_read_) on_read_(now);
  return now;
}

}  // namespace oxbackup::files
