#include "files/tree_reading.h"

#include <fmt/format.h>

#include <cerrno>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "files/entry_facts.h"
#include "files/file_content.h"

namespace oxbackup::files {
namespace {

class BatchReader {
 public:
  BatchReader(const TreeRoot& root, OwnerNames& owners, const RunContext& run)
      : root_(root), owners_(owners), run_(run), cursor_(root.fd()) {}

  void Add(const WalkedEntry& entry) {
    run_.ThrowIfStopped();
    MemberInfo info = InfoFromStat(entry.status, owners_);
    std::string sha256;
    if (S_ISDIR(entry.status.st_mode)) {
      info.type = MemberType::kDirectory;
    } else if (S_ISLNK(entry.status.st_mode)) {
      info.type = MemberType::kSymlink;
      info.link_target = entry.link_target;
    } else {
      info.size = static_cast<uint64_t>(entry.status.st_size);
      sha256 = HashFile(entry.path, info.size);
    }
    digest_.Add(entry.path, info, sha256);
  }

  const TreeDigest& digest() const { return digest_; }

 private:
  std::string HashFile(const std::string& path, uint64_t size) {
    const FileDescriptor file = root_.OpenEntry(cursor_, path);
    if (!file) {
      throw SystemError(ErrorKind::kSource, fmt::format("cannot open {}", root_.FullPath(path)),
                        errno);
    }
    SteadyFileSource source(file.get(), root_.FullPath(path), size, nullptr);
    buffer_.resize(size_t{256} << 10);
    while (source.Read(buffer_.data(), buffer_.size()) > 0) run_.ThrowIfStopped();
    return source.FinishSha256();
  }

  const TreeRoot& root_;
  OwnerNames& owners_;
  const RunContext& run_;
  FolderCursor cursor_;
  TreeDigest digest_;
  std::vector<char> buffer_;
};

}  // namespace

TreeDigest ReadTreeDigest(const TreeRoot& root, const std::string& component, int threads,
                          const RunContext& run) {
  OwnerNames owners;
  std::mutex mutex;
  TreeDigest digest;  // guarded by mutex
  const std::vector<WalkedEntry> links = WalkInBatches(
      root, threads, run, [](const std::string&) {},
      [&](const EntryBatch& batch, const RunContext& task_run) {
        BatchReader reader(root, owners, task_run);
        for (const WalkedEntry& entry : batch) reader.Add(entry);
        task_run.progress.Add(component, reader.digest().bytes(), reader.digest().items(),
                              batch.back().path);
        const std::lock_guard lock(mutex);
        digest.Merge(reader.digest());
      });
  for (const WalkedEntry& link : links) {
    MemberInfo info;
    info.type = MemberType::kHardlink;
    info.link_target = link.hard_link_to;
    digest.Add(link.path, info, "");
  }
  return digest;
}

}  // namespace oxbackup::files
