#include "files/tree_extractor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/hash.h"
#include "files/entry_facts.h"
#include "files/tree_walk.h"

namespace oxbackup::files {
namespace {

Error Damaged(std::string_view path, const std::string& why) {
  return Error(ErrorKind::kCorrupt, fmt::format("the archive's member {} {}", path, why))
      .Hint("do not trust this archive, use another one");
}

Error CannotWrite(std::string_view path, int error) {
  return SystemError(ErrorKind::kSource, fmt::format("cannot write {} beside the live files", path),
                     error)
      .Hint(error == ENOSPC || error == EDQUOT ? "free some space there"
                                               : "check that this user may write there");
}

void CheckPath(std::string_view path) {
  std::string_view left = path;
  while (!left.empty()) {
    const size_t end = std::min(left.find('/'), left.size());
    const std::string_view part = left.substr(0, end);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos) {
      throw Damaged(path, "has a path that leads elsewhere");
    }
    if (end + 1 == left.size()) throw Damaged(path, "has a path without a name");
    left.remove_prefix(std::min(end + 1, left.size()));
  }
}

bool MeansLinkInTheWay(int error) { return error == ELOOP || error == ENOTDIR; }

}  // namespace

void TreeExtractor::Add(std::string_view path, MemberInfo info, ByteSource& content,
                        FolderCursor& cursor) {
  CheckPath(path);
  if (path.substr(0, path.find('/')) == kWorkFolder)
    throw Damaged(path, "has a name that only a restore may use");
  // What another tool has copied of an earlier restore: it would tell of other data here.
  if (path == kAppliedFile) return;
  {
    const std::lock_guard lock(mutex_);
    any_ = true;
    if (path.empty()) root_info_ = info;
  }
  switch (info.type) {
    case MemberType::kFile:
      return WriteFile(path, info, content, cursor);
    case MemberType::kDirectory:
      return MakeFolder(path, std::move(info), cursor);
    case MemberType::kSymlink:
      return MakeSymlink(path, info, cursor);
    case MemberType::kHardlink: {
      CheckPath(info.link_target);
      const std::lock_guard lock(mutex_);
      const bool added = hard_links_.insert_or_assign(std::string(path), info.link_target).second;
      if (!added && !options_.foreign) throw Damaged(path, "is there twice");
    }
  }
}

bool TreeExtractor::empty() const {
  const std::lock_guard lock(mutex_);
  return !any_;
}

std::string TreeExtractor::Target(std::string_view path) const {
  if (options_.base.empty()) return std::string(path);
  return path.empty() ? options_.base : fmt::format("{}/{}", options_.base, path);
}

int TreeExtractor::OpenParent(std::string_view path, FolderCursor& cursor) const {
  const std::string target = Target(path);
  const int parent = cursor.OpenOrMake(SplitLast(target).first);
  if (parent >= 0) return parent;
  if (MeansLinkInTheWay(errno)) throw Damaged(path, "lies behind a link or a file");
  throw CannotWrite(path, errno);
}

// A foreign archive's later entry takes the place of the earlier one; a folder never gives way.
void TreeExtractor::MakeRoom(int folder, const std::string& name, std::string_view path) const {
  if (options_.foreign && ::unlinkat(folder, name.c_str(), 0) == 0) return;
  throw Damaged(path, "is there twice");
}

void TreeExtractor::WriteFile(std::string_view path, MemberInfo& info, ByteSource& content,
                              FolderCursor& cursor) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const int parent = OpenParent(path, cursor);
  const std::string target = Target(path);
  const std::string name(SplitLast(target).second);
  if (name.empty()) throw Damaged(path, "is a file where a folder has to be");
  FileDescriptor file(::openat(parent, name.c_str(), kFlags, 0600));
  if (!file && errno == EEXIST) {
    MakeRoom(parent, name, path);
    file = FileDescriptor(::openat(parent, name.c_str(), kFlags, 0600));
  }
  if (!file) throw CannotWrite(path, errno);
  Sha256 hash;
  std::vector<char> buffer(size_t{256} << 10);
  uint64_t size = 0;
  while (const size_t now = content.Read(buffer.data(), buffer.size())) {
    const std::string_view bytes(buffer.data(), now);
    hash.Update(bytes);
    if (const int error = WriteFully(file.get(), bytes)) throw CannotWrite(path, error);
    size += now;
  }
  if (size != info.size) throw Damaged(path, "has another size than its header says");
  NoteRefused(ApplyInfo(file.get(), info), path);
  if (const int error = file.CloseChecked()) throw CannotWrite(path, error);
  Count(path, std::move(info), hash.FinishHex());
}

void TreeExtractor::MakeFolder(std::string_view path, MemberInfo info, FolderCursor& cursor) {
  if (cursor.OpenOrMake(Target(path)) < 0) {
    if (MeansLinkInTheWay(errno)) throw Damaged(path, "is a folder and also something else");
    throw CannotWrite(path, errno);
  }
  Count(path, info, "");
  const std::lock_guard lock(mutex_);
  const bool added = folders_.insert_or_assign(std::string(path), std::move(info)).second;
  if (!added && !options_.foreign) throw Damaged(path, "is there twice");
}

void TreeExtractor::MakeSymlink(std::string_view path, const MemberInfo& info,
                                FolderCursor& cursor) {
  if (path.empty()) throw Damaged(path, "is a link where the tree's root has to be");
  const int parent = OpenParent(path, cursor);
  const std::string target = Target(path);
  const std::string name(SplitLast(target).second);
  if (::symlinkat(info.link_target.c_str(), parent, name.c_str()) != 0) {
    if (errno != EEXIST) throw CannotWrite(path, errno);
    MakeRoom(parent, name, path);
    if (::symlinkat(info.link_target.c_str(), parent, name.c_str()) != 0) {
      throw CannotWrite(path, errno);
    }
  }
  NoteRefused(ApplyLinkInfo(parent, name, info), path);
  Count(path, info, "");
}

void TreeExtractor::Count(std::string_view path, MemberInfo info, std::string sha256) {
  const std::lock_guard lock(mutex_);
  if (options_.foreign) {
    hard_links_.erase(std::string(path));
    foreign_entries_[std::string(path)] = {std::move(info), std::move(sha256)};
  } else {
    digest_.Add(path, info, sha256);
  }
}

void TreeExtractor::NoteRefused(const std::vector<std::string>& what, std::string_view path) {
  if (what.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const std::string& fact : what) refused_.try_emplace(fact, path);
}

TreeDigest TreeExtractor::Finish() {
  const std::map<std::string, std::string> linked = LinkedFiles();
  for (const auto& [path, target] : hard_links_) MakeHardLink(path, target);
  if (options_.foreign) AddUnmentionedFolders();
  CompleteFolders();
  return options_.foreign ? ForeignDigest(linked) : digest_;
}

// By the link's path what it comes to in the end: a link may lead to another one. Each is followed
// once, however long the chains are.
std::map<std::string, std::string> TreeExtractor::LinkedFiles() const {
  std::map<std::string, std::string> files;
  for (const auto& [path, target] : hard_links_) {
    std::set<std::string> way;
    std::string file = path;
    for (auto link = hard_links_.find(file); link != hard_links_.end() && !files.contains(file);
         link = hard_links_.find(file)) {
      if (!way.insert(file).second) throw Damaged(path, "is a hard link that leads to itself");
      file = link->second;
    }
    if (const auto known = files.find(file); known != files.end()) file = known->second;
    for (const std::string& name : way) files[name] = file;
  }
  return files;
}

void TreeExtractor::MakeHardLink(const std::string& path, const std::string& target) {
  FolderCursor from(folder_);
  FolderCursor to(folder_);
  const std::string target_path = Target(target);
  const std::string link_path = Target(path);
  const int target_folder = from.Open(SplitLast(target_path).first);
  const std::string target_name(SplitLast(target_path).second);
  struct stat status {};
  if (target_folder < 0 ||
      ::fstatat(target_folder, target_name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISREG(status.st_mode)) {
    throw Damaged(path, fmt::format("is a hard link to {}, which is no file of the tree", target));
  }
  const int parent = OpenParent(path, to);
  const std::string name(SplitLast(link_path).second);
  int made = ::linkat(target_folder, target_name.c_str(), parent, name.c_str(), 0);
  if (made != 0 && errno == EEXIST) {
    MakeRoom(parent, name, path);
    made = ::linkat(target_folder, target_name.c_str(), parent, name.c_str(), 0);
  }
  if (made != 0) throw CannotWrite(path, errno);
  MemberInfo info;
  info.type = MemberType::kHardlink;
  info.link_target = target;
  if (options_.foreign) {
    foreign_entries_[path] = {std::move(info), ""};
  } else {
    digest_.Add(path, info, "");
  }
}

void TreeExtractor::AddUnmentionedFolders() {
  MemberInfo plain;
  plain.type = MemberType::kDirectory;
  plain.mode = 0755;
  plain.uid = ::geteuid();
  plain.gid = ::getegid();
  plain.mtime_seconds = std::chrono::system_clock::to_time_t(options_.now);
  std::vector<std::string> paths;
  for (const auto& [path, entry] : foreign_entries_) paths.push_back(path);
  for (std::string& path : paths) {
    while (!path.empty()) {
      path = std::string(SplitLast(path).first);
      if (path.empty() && options_.keep_root) continue;
      if (!folders_.try_emplace(path, plain).second) continue;
      foreign_entries_[path] = {plain, ""};
      if (path.empty()) root_info_ = plain;
    }
  }
}

// Deepest first: a folder without the right to write could not be filled any more, and every entry
// made in a folder changes its time.
void TreeExtractor::CompleteFolders() {
  FolderCursor cursor(folder_);
  for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder) {
    const auto& [path, info] = *folder;
    const int reached = cursor.Open(Target(path));
    const FileDescriptor opened(
        reached < 0 ? -1 : ::openat(reached, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened) throw CannotWrite(path, errno);
    NoteRefused(ApplyInfo(opened.get(), info), path);
  }
}

TreeDigest TreeExtractor::ForeignDigest(const std::map<std::string, std::string>& linked) {
  // Which of several names is the file and which are the links is up to whoever wrote the archive;
  // the digest has rules of its own for that.
  std::map<std::string, std::vector<std::string>> links;
  for (const auto& [path, file] : linked) links[file].push_back(path);
  for (auto& [file, names] : links) {
    const auto first = std::min_element(names.begin(), names.end(), ComesBefore);
    if (ComesBefore(file, *first)) continue;
    const std::string new_file = *first;
    std::swap(foreign_entries_[file], foreign_entries_[new_file]);
    foreign_entries_[file].info.link_target = new_file;
    for (const std::string& name : names) {
      if (name != new_file) foreign_entries_[name].info.link_target = new_file;
    }
  }
  for (const auto& [file, names] : links) {
    for (const std::string& name : names) {
      MemberInfo& info = foreign_entries_[name].info;
      if (info.type == MemberType::kHardlink &&
          foreign_entries_[file].info.type == MemberType::kFile) {
        info.link_target = file;
      }
    }
  }
  TreeDigest digest;
  for (const auto& [path, entry] : foreign_entries_) digest.Add(path, entry.info, entry.sha256);
  return digest;
}

}  // namespace oxbackup::files
