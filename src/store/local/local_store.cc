#include "store/local/local_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "store/local/partial_file.h"
#include "store/local/publish.h"
#include "store/object_name.h"
#include "stream/local_file.h"

namespace oxbackup {
namespace {

FileDescriptor OpenFolder(const std::filesystem::path& path) {
  FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) return folder;
  const int error = errno;
  if (error == ENOENT) {
    throw Error(ErrorKind::kStore, fmt::format("the folder {} does not exist", path.string()))
        .Hint(fmt::format("create it (mkdir -p '{}') or name another folder", path.string()));
  }
  if (error == ENOTDIR) {
    throw Error(ErrorKind::kStore, fmt::format("{} is not a folder", path.string()))
        .Hint("name the folder that holds the archives");
  }
  throw SystemError(ErrorKind::kStore, fmt::format("cannot open the folder {}", path.string()),
                    error)
      .Hint("give this user the right to read it, or name another folder");
}

bool MeansAbsent(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG;
}

std::optional<ObjectInfo> StatAt(int folder, const std::string& name, const std::string& location) {
  struct stat status {};
  if (!IsPlainObjectName(name)) return std::nullopt;
  // Links are followed: operators keep old archives on other disks that way.
  if (::fstatat(folder, name.c_str(), &status, 0) != 0) {
    const int error = errno;
    if (MeansAbsent(error)) return std::nullopt;
    // Left out, an older archive would count as the newest, or a pinned one as not pinned.
    throw SystemError(ErrorKind::kStore, fmt::format("cannot examine {}/{}", location, name), error)
        .Hint(error == EACCES ? "give this user the right to read what this is a link to"
                              : "check the disk or the connection to it, and try again");
  }
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  const auto since_epoch = std::chrono::seconds(status.st_mtim.tv_sec) +
                           std::chrono::nanoseconds(status.st_mtim.tv_nsec);
  ObjectInfo info;
  info.name = name;
  info.size = static_cast<uint64_t>(status.st_size);
  info.modified = TimePoint(std::chrono::duration_cast<TimePoint::duration>(since_epoch));
  return info;
}

class LocalObjectWriter final : public ObjectWriter {
 public:
  LocalObjectWriter(FileDescriptor folder, std::string folder_name, std::vector<std::string> names)
      : folder_(std::move(folder)),
        folder_name_(std::move(folder_name)),
        names_(std::move(names)),
        partial_(folder_.get(), folder_name_, names_.front()) {}

  void Write(std::string_view bytes) override {
    if (const int error = WriteFully(partial_.fd(), bytes)) Fail("write to", error);
    written_ += bytes.size();
  }

  void Finish() override {
    if (const int error = SyncFile(partial_.fd())) Fail("sync", error);
    for (const std::string& name : names_) {
      if (!PublishNoReplace(folder_.get(), partial_.name(), name)) continue;
      partial_.Published();
      name_ = name;
      SyncPublished();
      return;
    }
    throw Error(ErrorKind::kStore, fmt::format("{} already has archives of these names: {}",
                                               folder_name_, fmt::join(names_, ", ")))
        .Hint("name another archive (--name), or remove one of these first");
  }

  ObjectId id() const override { return name_; }

 private:
  void SyncPublished() {
    const int error = SyncFolder(folder_.get());
    if (error == 0) return;
    // Not known to survive a power cut: then it must not look finished either.
    ::unlinkat(folder_.get(), name_.c_str(), 0);
    Fail("sync the folder", error);
  }

  [[noreturn]] void Fail(const char* what, int error) const {
    const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    throw SystemError(ErrorKind::kStore,
                      fmt::format("cannot {} {} after {} bytes", what, folder_name_, written_),
                      error)
        .Hint(full ? "free space there (older archives) or choose another folder; the "
                     "unfinished archive is removed"
                   : "check the disk or the connection to it; the unfinished archive is removed");
  }

  FileDescriptor folder_;
  const std::string folder_name_;
  const std::vector<std::string> names_;
  // Declared after the folder, which it needs to remove itself.
  PartialFile partial_;
  std::string name_;
  uint64_t written_ = 0;
};

}  // namespace

std::unique_ptr<ObjectWriter> LocalStore::Create(const std::vector<std::string>& names) {
  CheckObjectNames(names);
  FileDescriptor folder = OpenFolder(folder_);
  RemoveDeadPartialFiles(folder.get());
  return std::make_unique<LocalObjectWriter>(std::move(folder), Location(), names);
}

std::unique_ptr<RangedSource> LocalStore::Open(const ObjectId& id) {
  const FileDescriptor folder = OpenFolder(folder_);
  if (!IsPlainObjectName(id.name) || !id.version.empty()) return nullptr;
  return OpenLocalFileAt(folder.get(), id.name, Location());
}

std::vector<ObjectInfo> LocalStore::List() {
  FileDescriptor folder = OpenFolder(folder_);
  const int fd = folder.get();
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(fd), &::closedir);
  if (entries == nullptr) {
    throw SystemError(ErrorKind::kStore, fmt::format("cannot list {}", Location()), errno);
  }
  folder.Release();
  std::vector<ObjectInfo> objects;
  errno = 0;
  while (const dirent* const entry = ::readdir(entries.get())) {
    if (std::optional<ObjectInfo> info = StatAt(fd, entry->d_name, Location())) {
      objects.push_back(std::move(*info));
    }
    errno = 0;
  }
  // A list that silently ends early could make somebody prune or restore the wrong archive.
  if (errno != 0) {
    throw SystemError(ErrorKind::kStore, fmt::format("cannot list {}", Location()), errno);
  }
  std::sort(objects.begin(), objects.end(),
            [](const ObjectInfo& a, const ObjectInfo& b) { return a.name < b.name; });
  return objects;
}

std::optional<ObjectInfo> LocalStore::Stat(const ObjectId& id) {
  const FileDescriptor folder = OpenFolder(folder_);
  if (!id.version.empty()) return std::nullopt;
  return StatAt(folder.get(), id.name, Location());
}

bool LocalStore::Remove(const ObjectId& id) {
  const std::string& name = id.name;
  const FileDescriptor folder = OpenFolder(folder_);
  if (!id.version.empty() || !StatAt(folder.get(), name, Location())) return false;
  if (::unlinkat(folder.get(), name.c_str(), 0) != 0) {
    if (errno == ENOENT) return false;
    throw SystemError(ErrorKind::kStore, fmt::format("cannot remove {}/{}", Location(), name),
                      errno)
        .Hint("give this user the right to write to the folder");
  }
  if (const int error = SyncFolder(folder.get())) {
    throw SystemError(ErrorKind::kStore, fmt::format("cannot sync {}", Location()), error);
  }
  return true;
}

}  // namespace oxbackup
