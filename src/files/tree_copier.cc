#include "files/tree_copier.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <map>
#include <utility>

#include "archive/group_builder.h"
#include "base/error.h"
#include "files/file_content.h"

namespace oxbackup::files {
namespace {

// Files from here on pass through without being held in memory.
constexpr uint64_t kStreamedBytes = uint64_t{8} << 20;
// A folder that is emptied while it is read would bury what else there is to say.
constexpr int kNamedWarnings = 20;
// What a member costs beside its content.
constexpr uint64_t kMemberOverhead = 1024;

}  // namespace

// Copies the entries of one batch on one thread.
class TreeCopier::BatchCopier {
 public:
  BatchCopier(TreeCopier& tree, const RunContext& run)
      : tree_(tree), run_(run), cursor_(tree.root_.fd()), builder_(tree.writer_, run) {}

  void Copy(const WalkedEntry& entry) {
    run_.ThrowIfStopped();
    if (S_ISREG(entry.status.st_mode)) {
      CopyFile(entry);
    } else if (S_ISDIR(entry.status.st_mode)) {
      CopyFolder(entry);
    } else {
      MemberInfo info = Info(entry.path, entry.status);
      info.type = MemberType::kSymlink;
      info.link_target = entry.link_target;
      AddSmall(entry.path, {std::move(info), ""}, "");
    }
  }

  void CopyHardLink(const WalkedEntry& entry, const std::string& target) {
    MemberInfo info = Info(entry.path, entry.status);
    info.type = MemberType::kHardlink;
    info.link_target = target;
    digest_.Add(entry.path, info, "");
    info.link_target = tree_.MemberPath(target);
    builder_.Add({std::move(info), ""});
  }

  // Hands over what is left and counts it. Called once, last.
  void Finish() {
    builder_.Flush();
    run_.progress.Add(tree_.component_, small_bytes_, items_, last_path_);
    const std::lock_guard lock(tree_.mutex_);
    tree_.digest_.Merge(digest_);
  }

 private:
  MemberInfo Info(const std::string& path, const struct stat& status) {
    MemberInfo info = InfoFromStat(status, tree_.owners_);
    info.path = tree_.MemberPath(path);
    last_path_ = path;
    ++items_;
    return info;
  }

  void CopyFolder(const WalkedEntry& entry) {
    const FileDescriptor folder = tree_.root_.OpenEntry(cursor_, entry.path);
    if (!folder && !HasVanished(errno)) throw CannotOpen(entry, errno);
    struct stat status {};
    const bool there = folder && ::fstat(folder.get(), &status) == 0 && S_ISDIR(status.st_mode);
    MemberInfo info = Info(entry.path, entry.status);
    info.type = MemberType::kDirectory;
    if (there) {
      info.xattrs = ReadXattrs(folder.get(), tree_.root_.FullPath(entry.path));
    } else {
      // Never left out: entries below it may be in the archive already.
      Warn(entry, "vanished while the tree was read; the archive has it as it was first seen");
    }
    AddSmall(entry.path, {std::move(info), ""}, "");
  }

  void CopyFile(const WalkedEntry& entry) {
    const FileDescriptor file = tree_.root_.OpenEntry(cursor_, entry.path);
    struct stat status {};
    if (!file && HasVanished(errno)) return LeaveOut(entry, "vanished while the tree was read");
    if (!file || ::fstat(file.get(), &status) != 0) throw CannotOpen(entry, errno);
    if (!S_ISREG(status.st_mode)) return LeaveOut(entry, "was replaced by something else");
    // What was put in its place is not what its other names stand for.
    const bool same = status.st_dev == entry.status.st_dev && status.st_ino == entry.status.st_ino;
    if (!same) NoteMissing(entry);
    const auto size = static_cast<uint64_t>(status.st_size);
    if (size >= kStreamedBytes) {
      StreamFile(entry, file.get(), status);
    } else {
      CopyInMemory(entry, file.get(), size);
    }
  }

  void CopyInMemory(const WalkedEntry& entry, int file, uint64_t size) {
    const std::string full_path = tree_.root_.FullPath(entry.path);
    const bool single = size >= GroupBuilder::kSingleMemberBytes;
    Reservation reservation;
    if (single) {
      // Nothing may be held while waiting for memory.
      builder_.Flush();
      reservation = run_.budget.Take(size + kMemberOverhead, run_.stop);
    }
    // A file that has grown out of what was reserved for it is cut there: it was that long once.
    FileContent content =
        ReadWholeFile(file, full_path, single ? size : GroupBuilder::kSingleMemberBytes - 1);
    if (content.changed) {
      tree_.Warn(fmt::format("{} kept changing while it was read and may be half old, half new",
                             full_path));
    }
    MemberInfo info = Info(entry.path, content.status);
    info.xattrs = ReadXattrs(file, full_path);
    info.size = content.bytes.size();
    const std::string sha256 = Sha256Hex(content.bytes);
    small_bytes_ += info.size;
    if (!single) return AddSmall(entry.path, {std::move(info), std::move(content.bytes)}, sha256);
    digest_.Add(entry.path, info, sha256);
    MemberGroup group;
    group.members.push_back({std::move(info), std::move(content.bytes)});
    group.reservation = std::move(reservation);
    tree_.writer_.Add(std::move(group));
  }

  void StreamFile(const WalkedEntry& entry, int file, const struct stat& before) {
    builder_.Flush();  // its reservation must not be held while the stream waits for memory
    const std::string full_path = tree_.root_.FullPath(entry.path);
    MemberInfo info = Info(entry.path, before);
    info.xattrs = ReadXattrs(file, full_path);
    info.size = static_cast<uint64_t>(before.st_size);
    SteadyFileSource source(file, full_path, info.size, [&](uint64_t bytes) {
      run_.ThrowIfStopped();
      run_.progress.Add(tree_.component_, bytes, 0, entry.path);
    });
    tree_.writer_.AddStream(info, source);
    digest_.Add(entry.path, info, source.FinishSha256());
    struct stat after {};
    if (source.filled() > 0) {
      tree_.Warn(
          fmt::format("{} became shorter while it was read: its last {} bytes in the archive "
                      "are zeros",
                      full_path, source.filled()));
    } else if (::fstat(file, &after) != 0 || HasChanged(before, after)) {
      tree_.Warn(
          fmt::format("{} changed while it was read and may be half old, half new", full_path));
    }
  }

  void AddSmall(const std::string& path, Member member, const std::string& sha256) {
    digest_.Add(path, member.info, sha256);
    builder_.Add(std::move(member));
  }

  void Warn(const WalkedEntry& entry, const char* what) {
    tree_.Warn(fmt::format("{} {}", tree_.root_.FullPath(entry.path), what));
  }

  void LeaveOut(const WalkedEntry& entry, const char* why) {
    Warn(entry, why);
    NoteMissing(entry);
  }

  // The archive lacks the file that was walked: its next name has to bring the content.
  void NoteMissing(const WalkedEntry& entry) {
    if (entry.status.st_nlink < 2) return;
    const std::lock_guard lock(tree_.mutex_);
    tree_.left_out_.insert(entry.path);
  }

  Error CannotOpen(const WalkedEntry& entry, int error) const {
    return SystemError(ErrorKind::kSource,
                       fmt::format("cannot open {}", tree_.root_.FullPath(entry.path)), error)
        .Hint(
            "let the user that runs this read all files of the tree (in a container: run as "
            "root)");
  }

  TreeCopier& tree_;
  RunContext run_;
  FolderCursor cursor_;
  GroupBuilder builder_;
  TreeDigest digest_;
  uint64_t small_bytes_ = 0;
  uint64_t items_ = 0;
  std::string last_path_;
};

TreeDigest TreeCopier::Copy(int threads) {
  std::vector<WalkedEntry> links = WalkInBatches(
      root_, threads, run_, [this](const std::string& message) { Warn(message); },
      [this](const EntryBatch& batch, const RunContext& run) {
        BatchCopier copier(*this, run);
        for (const WalkedEntry& entry : batch) copier.Copy(entry);
        copier.Finish();
      });
  CopyHardLinks(links);
  if (const int more = warned_ - kNamedWarnings; more > 0) {
    run_.warnings.Add(fmt::format(
        "{}: {} more files and folders vanished or changed while {} was read; the log names them",
        component_, more, root_.FullPath("")));
  }
  return digest_;
}

// Behind all files, so that tar, too, finds what a link names.
void TreeCopier::CopyHardLinks(const std::vector<WalkedEntry>& links) {
  if (links.empty()) return;
  BatchCopier copier(*this, run_);
  // When a file's first name vanished, or became another file, before it was read, the next one
  // takes its place.
  std::map<std::string, std::string> moved;
  for (const WalkedEntry& link : links) {
    const std::string first = link.hard_link_to;
    const auto new_first = moved.find(first);
    if (new_first != moved.end()) {
      copier.CopyHardLink(link, new_first->second);
    } else if (left_out_.contains(first)) {
      copier.Copy(link);
      if (!left_out_.contains(link.path)) moved[first] = link.path;
    } else {
      copier.CopyHardLink(link, first);
    }
  }
  copier.Finish();
}

void TreeCopier::Warn(const std::string& message) {
  const std::string text = fmt::format("{}: {}", component_, message);
  if (warned_.fetch_add(1) < kNamedWarnings) {
    run_.warnings.Add(text);
  } else {
    run_.log.Info("{}", text);
  }
}

std::string TreeCopier::MemberPath(const std::string& path) const {
  return path.empty() ? member_path_ : fmt::format("{}/{}", member_path_, path);
}

}  // namespace oxbackup::files
