#include "store/local/partial_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace oxbackup {
namespace {

// A file name has at most 255 bytes; what is put around the object's name needs 47 of them at most.
constexpr size_t kLongestPartOfName = 200;

std::string PartialName(const std::string& object_name) {
  std::random_device random;
  const uint64_t digits = (uint64_t{random()} << 32) | random();
  return fmt::format(".{}.{}-{:016x}.partial", object_name.substr(0, kLongestPartOfName),
                     ::getpid(), digits);
}

// Takes the last part off `name`: all behind the last `separator`. Empty when there is none.
std::string_view CutLastPart(std::string_view& name, char separator) {
  const size_t at = name.rfind(separator);
  if (at == std::string_view::npos) return {};
  const std::string_view part = name.substr(at + 1);
  name = name.substr(0, at);
  return part;
}

bool HasOnly(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

bool IsPartialName(std::string_view name) {
  if (!name.starts_with('.') || CutLastPart(name, '.') != "partial") return false;
  const std::string_view random = CutLastPart(name, '-');
  const std::string_view pid = CutLastPart(name, '.');
  return name.size() > 1 && random.size() == 16 && HasOnly(random, "0123456789abcdef") &&
         HasOnly(pid, "0123456789");
}

bool StillThere(int folder, const std::string& name, int fd) {
  struct stat open_file {};
  struct stat named_file {};
  return ::fstat(fd, &open_file) == 0 &&
         ::fstatat(folder, name.c_str(), &named_file, AT_SYMLINK_NOFOLLOW) == 0 &&
         open_file.st_dev == named_file.st_dev && open_file.st_ino == named_file.st_ino;
}

std::vector<std::string> PartialNames(int folder) {
  std::vector<std::string> names;
  // fdopendir takes the descriptor over and moves its offset, hence one of its own.
  const int own = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(own), &::closedir);
  if (entries == nullptr) {
    ::close(own);
    return names;
  }
  while (const dirent* const entry = ::readdir(entries.get())) {
    if (IsPartialName(entry->d_name)) names.emplace_back(entry->d_name);
  }
  return names;
}

}  // namespace

PartialFile::PartialFile(int folder, const std::string& folder_name, const std::string& object_name)
    : folder_(folder) {
  // Between creation and lock, another process's clean-up can take the file for a dead one.
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    name_ = PartialName(object_name);
    if (TryCreate(folder_name)) return;
  }
  throw Error(ErrorKind::kStore, fmt::format("cannot create a file in {}", folder_name))
      .Cause(fmt::format("{} files in a row were removed by somebody else", kTries));
}

PartialFile::~PartialFile() {
  if (!name_.empty()) ::unlinkat(folder_, name_.c_str(), 0);
}

bool PartialFile::TryCreate(const std::string& folder_name) {
  file_ = FileDescriptor(
      ::openat(folder_, name_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file_) {
    if (errno == EEXIST) return false;
    const int error = errno;
    throw SystemError(ErrorKind::kStore, fmt::format("cannot write into {}", folder_name), error)
        .Hint(error == ENOSPC || error == EDQUOT
                  ? "free some space there, or choose another folder"
                  : "give this user the right to write there, or choose another folder");
  }
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    // Without locks on this file system nobody's clean-up removes anything either.
    return errno != EWOULDBLOCK;
  }
  return StillThere(folder_, name_, file_.get());
}

void RemoveDeadPartialFiles(int folder) {
  for (const std::string& name : PartialNames(folder)) {
    const FileDescriptor file(
        ::openat(folder, name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (StillThere(folder, name, file.get())) ::unlinkat(folder, name.c_str(), 0);
  }
}

}  // namespace oxbackup
