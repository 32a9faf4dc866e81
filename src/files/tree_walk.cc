#include "files/tree_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <utility>

#include "base/bounded_queue.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/task_group.h"

namespace oxbackup::files {
namespace {

Error NotAllowedToRead(const std::string& path, int error) {
  return SystemError(ErrorKind::kSource, fmt::format("cannot read {}", path), error)
      .Hint("let the user that runs this read all files of the tree (in a container: run as root)");
}

const char* SpecialKind(mode_t mode) {
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISFIFO(mode)) return "a pipe";
  return "a device";
}

std::string Join(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

std::string ReadLink(int folder, const std::string& name) {
  std::string target(4096, '\0');  // the kernel's longest path
  const ssize_t size = ::readlinkat(folder, name.c_str(), target.data(), target.size());
  if (size < 0) return "";
  target.resize(static_cast<size_t>(size));
  return target;
}

class Walker {
 public:
  Walker(const TreeRoot& root, const RunContext& run, const WalkWarning& warn,
         const std::function<void(WalkedEntry)>& visit)
      : root_(root), run_(run), warn_(warn), visit_(visit), cursor_(root.fd()) {}

  void Walk() {
    Visit(WalkedEntry{"", root_.status(), "", ""});
    if (root_.is_folder()) Enter("");
    while (!levels_.empty()) {
      run_.ThrowIfStopped();
      Level& level = levels_.back();
      if (level.next == level.entries.size()) {
        levels_.pop_back();
        continue;
      }
      WalkedEntry entry = std::move(level.entries[level.next++]);
      const std::string path = entry.path;
      const bool is_folder = S_ISDIR(entry.status.st_mode);
      Visit(std::move(entry));
      if (is_folder) Enter(path);
    }
  }

 private:
  struct Level {
    std::vector<WalkedEntry> entries;
    size_t next = 0;
  };

  void Visit(WalkedEntry entry) {
    if (S_ISREG(entry.status.st_mode) && entry.status.st_nlink > 1) {
      const auto [first, added] =
          first_names_.try_emplace(std::pair(entry.status.st_dev, entry.status.st_ino), entry.path);
      if (!added) entry.hard_link_to = first->second;
    }
    visit_(std::move(entry));
  }

  void Enter(const std::string& path) {
    const int folder = cursor_.Open(path);
    const int own = folder < 0 ? -1 : ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0) {
      if (!HasVanished(errno)) throw NotAllowedToRead(root_.FullPath(path), errno);
      warn_(fmt::format("{} vanished while the tree was read", root_.FullPath(path)));
      return;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(own), &::closedir);
    if (listing == nullptr) throw NotAllowedToRead(root_.FullPath(path), errno);
    Level level;
    errno = 0;
    while (const dirent* const found = ::readdir(listing.get())) {
      const std::string name = found->d_name;
      if (name != "." && name != "..") AddEntry(own, path, name, level.entries);
      errno = 0;
    }
    if (errno != 0) throw NotAllowedToRead(root_.FullPath(path), errno);
    std::sort(level.entries.begin(), level.entries.end(),
              [](const WalkedEntry& a, const WalkedEntry& b) { return a.path < b.path; });
    levels_.push_back(std::move(level));
  }

  void AddEntry(int folder, const std::string& path, const std::string& name,
                std::vector<WalkedEntry>& entries) {
    WalkedEntry entry;
    entry.path = Join(path, name);
    if (::fstatat(folder, name.c_str(), &entry.status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) throw NotAllowedToRead(root_.FullPath(entry.path), errno);
      warn_(fmt::format("{} vanished while the tree was read", root_.FullPath(entry.path)));
      return;
    }
    if (path.empty() && IsWorkFolder(name, entry.status)) return;
    const mode_t mode = entry.status.st_mode;
    if (S_ISLNK(mode)) entry.link_target = ReadLink(folder, name);
    if (S_ISREG(mode) || S_ISDIR(mode) || (S_ISLNK(mode) && !entry.link_target.empty())) {
      entries.push_back(std::move(entry));
    } else if (!S_ISLNK(mode)) {
      warn_(
          fmt::format("{} is {} and was left out", root_.FullPath(entry.path), SpecialKind(mode)));
    } else {
      warn_(fmt::format("{} vanished while the tree was read", root_.FullPath(entry.path)));
    }
  }

  const TreeRoot& root_;
  const RunContext& run_;
  const WalkWarning& warn_;
  const std::function<void(WalkedEntry)>& visit_;
  FolderCursor cursor_;
  std::vector<Level> levels_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
};

bool EndsBatch(const WalkedEntry& entry, size_t entries) {
  constexpr off_t kLargeFile = off_t{1} << 20;  // it has a group of its own in any case
  constexpr size_t kMaxEntries = 1024;
  constexpr uint64_t kOneIn = 128;
  return entries >= kMaxEntries || entry.status.st_size >= kLargeFile ||
         Xxh3_64(entry.path) % kOneIn == 0;
}

uint64_t MemoryOf(const EntryBatch& batch) {
  uint64_t bytes = 0;
  for (const WalkedEntry& entry : batch) {
    bytes += sizeof entry + entry.path.size() + entry.link_target.size();
  }
  return bytes;
}

}  // namespace

bool IsWorkFolder(std::string_view name, const struct stat& status) {
  if (name == kWorkFolder || name == kAppliedFile) return true;
  constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
  return name.starts_with(std::string(kWorkFolder) + "-") &&
         (S_ISDIR(status.st_mode) || S_ISREG(status.st_mode)) && (status.st_mode & kOthers) == 0;
}

bool HasVanished(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENXIO;
}

bool ComesBefore(std::string_view path, std::string_view other) {
  // '/' compares as the smallest byte, which makes parts be compared before lengths.
  return std::lexicographical_compare(
      path.begin(), path.end(), other.begin(), other.end(), [](char a, char b) {
        const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c); };
        return rank(a) < rank(b);
      });
}

TreeRoot::TreeRoot(const std::filesystem::path& path)
    : path_(path.string()), root_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (!root_ && (errno == ENOENT || errno == ENOTDIR)) {
    throw Error(ErrorKind::kUsage, fmt::format("{} does not exist", path_))
        .Hint("correct the path, or leave the component out (--exclude)");
  }
  if (!root_ || ::fstat(root_.get(), &status_) != 0) throw NotAllowedToRead(path_, errno);
  if (!S_ISDIR(status_.st_mode) && !S_ISREG(status_.st_mode)) {
    throw Error(ErrorKind::kSource, fmt::format("{} is neither a folder nor a file", path_))
        .Hint("correct the path, or leave the component out (--exclude)");
  }
}

std::string TreeRoot::FullPath(std::string_view path) const {
  return path.empty() ? path_ : fmt::format("{}/{}", path_, path);
}

void TreeRoot::HoldOffRestores() const {
  if (!is_folder() || ::flock(root_.get(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  throw Error(ErrorKind::kSource, fmt::format("a restore is exchanging the entries of {}", path_))
      .Hint("wait for the restore to end, then run this again");
}

FileDescriptor TreeRoot::OpenEntry(FolderCursor& cursor, std::string_view path) const {
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  if (path.empty()) return FileDescriptor(::open(path_.c_str(), kFlags));
  const auto [folder_path, name] = SplitLast(path);
  const int folder = cursor.Open(folder_path);
  if (folder < 0) return {};
  return FileDescriptor(::openat(folder, std::string(name).c_str(), kFlags | O_NOFOLLOW));
}

void WalkTree(const TreeRoot& root, const RunContext& run, const WalkWarning& warn,
              const std::function<void(WalkedEntry entry)>& visit) {
  Walker(root, run, warn, visit).Walk();
}

std::vector<WalkedEntry> WalkInBatches(
    const TreeRoot& root, int threads, const RunContext& run, const WalkWarning& warn,
    const std::function<void(const EntryBatch& batch, const RunContext& run)>& handle) {
  constexpr uint64_t kWaitingBytes = uint64_t{1} << 20;  // some 20 batches
  std::vector<WalkedEntry> hard_links;
  BoundedQueue<EntryBatch> batches(kWaitingBytes);
  TaskGroup tasks(run.stop);
  for (int i = 0; i < threads; ++i) {
    tasks.Run([&](const std::stop_token& stop) {
      const RunContext task_run = run.WithStop(stop);
      while (const std::optional<EntryBatch> batch = batches.Pop(stop)) handle(*batch, task_run);
    });
  }
  tasks.Run([&](const std::stop_token& stop) {
    EntryBatch batch;
    WalkTree(root, run.WithStop(stop), warn, [&](WalkedEntry entry) {
      if (!entry.hard_link_to.empty()) {
        hard_links.push_back(std::move(entry));
        return;
      }
      batch.push_back(std::move(entry));
      if (!EndsBatch(batch.back(), batch.size())) return;
      const uint64_t bytes = MemoryOf(batch);
      batches.Push(std::exchange(batch, {}), bytes, stop);
    });
    const uint64_t bytes = MemoryOf(batch);
    if (!batch.empty()) batches.Push(std::move(batch), bytes, stop);
    batches.Close();
  });
  tasks.Wait();
  return hard_links;
}

}  // namespace oxbackup::files
