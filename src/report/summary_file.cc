#include "report/summary_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace oxbackup {
namespace {

// Its owner and rights are as those of any other output of a program. Never waits for the reader
// of a pipe.
FileDescriptor OpenEmptied(const std::string& path) {
  return FileDescriptor(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666));
}

}  // namespace

void PrepareSummaryFile(const std::string& path, std::string_view origin) {
  if (OpenEmptied(path)) return;
  throw SystemError(ErrorKind::kUsage,
                    fmt::format("the file that {} names, {}, cannot be written", origin, path),
                    errno)
      .Hint("its folder has to be there, and the file writable for this user");
}

void WriteSummaryFile(const std::string& path, std::string_view line) {
  const FileDescriptor file = OpenEmptied(path);
  int error = file ? 0 : errno;
  // One call: a reader sees nothing or all of it.
  if (file) error = WriteFully(file.get(), std::string(line) + "\n");
  if (error == 0) return;
  // What a full disk took of it is half an object. That a pipe cannot be cut is no news.
  if (file) static_cast<void>(::ftruncate(file.get(), 0));
  throw SystemError(ErrorKind::kInternal, fmt::format("the summary cannot be written to {}", path),
                    error);
}

}  // namespace oxbackup
