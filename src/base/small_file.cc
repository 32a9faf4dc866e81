#include "base/small_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/file_descriptor.h"

namespace oxbackup {

FileText ReadSmallFile(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {.error = errno};
  constexpr size_t kLimit = size_t{1} << 20;
  FileText result;
  std::array<char, 16 << 10> piece;
  while (result.text.size() <= kLimit) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got == 0) return result;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {.error = errno};
    result.text.append(piece.data(), static_cast<size_t>(got));
  }
  return {.error = EFBIG};
}

std::string HintForFile(int error) {
  // Docker makes a folder of a file that it is to mount and does not find.
  if (error == EISDIR) return "it is a folder: check that the file was there when it was mounted";
  if (error == EFBIG) return "it is larger than a megabyte: check the path";
  return "check the path, and that this user may read it";
}

}  // namespace oxbackup
