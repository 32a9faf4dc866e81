#include "report/metrics_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/pause.h"
#include "base/text.h"
#include "report/exposition.h"

namespace oxbackup {
namespace {

using std::chrono::milliseconds;

// More than all metrics of many sites take.
constexpr size_t kMostBytes = size_t{4} << 20;

struct Place {
  std::string folder;
  std::string name;
};

Place PlaceOf(const std::string& path) {
  const std::filesystem::path parts(path);
  const std::string folder = parts.parent_path().string();
  return {.folder = folder.empty() ? "." : folder, .name = parts.filename().string()};
}

[[noreturn]] void Fail(const std::string& path, std::string_view what, int error) {
  throw SystemError(ErrorKind::kInternal, fmt::format("the metrics file {} {}", path, what), error);
}

// The folder, locked against other runs of ours until it is closed. A lock that does not come, or
// that the file system does not have, is not waited for: each file is whole all the same.
FileDescriptor LockFolder(const std::string& path, const std::stop_token& stop) {
  FileDescriptor folder(::open(PlaceOf(path).folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) Fail(path, "cannot be written: its folder cannot be opened", errno);
  constexpr int kTries = 50;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    if (::flock(folder.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) break;
    if (stop.stop_requested()) break;
    Pause(stop, milliseconds(100));
  }
  return folder;
}

std::string ReadOld(int folder, const Place& place, const std::string& path) {
  const FileDescriptor file(
      ::openat(folder, place.name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file && errno == ENOENT) return {};
  if (!file) Fail(path, "cannot be read", errno);
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t bytes = ::read(file.get(), buffer, sizeof buffer);
    if (bytes < 0) Fail(path, "cannot be read", errno);
    if (bytes == 0) return text;
    text.append(buffer, static_cast<size_t>(bytes));
    if (text.size() > kMostBytes) Fail(path, "is no file of metrics", EFBIG);
  }
}

void Replace(int folder, const Place& place, const std::string& path, std::string_view text) {
  // The collector passes over a name that does not end in .prom.
  const std::string temporary = "." + place.name + ".new";
  ::unlinkat(folder, temporary.c_str(), 0);
  const FileDescriptor file(::openat(folder, temporary.c_str(),
                                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) Fail(path, "cannot be written", errno);
  int error = WriteFully(file.get(), text);
  // Whatever the umask: the collector runs as another user.
  if (error == 0 && ::fchmod(file.get(), 0644) != 0) error = errno;
  if (error == 0) error = SyncFile(file.get());
  if (error == 0 && ::renameat(folder, temporary.c_str(), folder, place.name.c_str()) != 0) {
    error = errno;
  }
  if (error == 0) return;
  ::unlinkat(folder, temporary.c_str(), 0);
  Fail(path, "cannot be written", error);
}

}  // namespace

void CheckMetricsFile(const std::string& path, std::string_view origin) {
  const Place place = PlaceOf(path);
  if (!place.name.ends_with(".prom") || place.name.starts_with(".")) {
    throw Error(ErrorKind::kUsage,
                fmt::format("the file that {} names, {}, has to end in .prom", origin, path))
        .Hint(fmt::format("node_exporter reads no other: {}/openedx_backup.prom", place.folder));
  }
  struct stat there {};
  const bool taken = ::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode);
  if (!taken && ::access(place.folder.c_str(), R_OK | W_OK | X_OK) == 0) return;
  throw SystemError(ErrorKind::kUsage,
                    fmt::format("the file that {} names, {}, cannot be written", origin, path),
                    taken ? EISDIR : errno)
      .Hint("its folder has to be there, and writable for this user");
}

void UpdateMetricsFile(const std::string& path, const std::vector<MetricSample>& samples,
                       const MetricLabels& labels, const std::stop_token& stop, Log& log) {
  const Place place = PlaceOf(path);
  const FileDescriptor folder = LockFolder(path, stop);
  size_t lost = 0;
  const std::string text =
      MergeExposition(ReadOld(folder.get(), place, path), samples, labels, lost);
  Replace(folder.get(), place, path, text);
  if (lost > 0) {
    log.Write(LogLevel::kWarning, fmt::format("{} had {} that were no metrics: they were left out",
                                              path, FormatCounted(lost, "line", "lines")));
  }
}

}  // namespace oxbackup
