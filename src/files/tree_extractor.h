// Writes a tree's members into a folder, and nowhere else.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/member.h"
#include "base/clock.h"
#include "files/beneath.h"
#include "files/tree_digest.h"
#include "stream/byte_stream.h"

namespace oxbackup::files {

/// Puts members below a folder that nobody else writes to. Links are made and never followed, and a
/// member whose path, or whose hard link's target, leads out of the tree or through a link is
/// Error(kCorrupt). Folders get their mode and time, and hard links are made, in Finish.
/// Add is thread-safe (each call with a cursor of its own); Finish is called once, after all of it.
class TreeExtractor {
 public:
  struct Options {
    std::string base;  ///< where the tree's root goes, below `folder`; "" for `folder` itself
    /// Foreign archives may hold an entry twice (the later one counts) and lack folders; in an
    /// archive of ours both are damage.
    bool foreign = false;
    /// The root stays as it is where a foreign archive does not mention it: it is somebody's own.
    bool keep_root = false;
    /// For folders that the archive does not mention.
    TimePoint now{};
  };

  /// `folder` must stay open.
  TreeExtractor(int folder, Options options) : folder_(folder), options_(std::move(options)) {}

  /// `path`: below the tree's root, "" for the root itself; a hard link's target in `info`
  /// likewise. Throws Error(kSource) when the file cannot be written.
  void Add(std::string_view path, MemberInfo info, ByteSource& content, FolderCursor& cursor);
  /// Completes the tree and returns the digest of what was put there.
  TreeDigest Finish();

  /// True when nothing was added.
  bool empty() const;
  /// What could not be set as the archive has it ("owner", "time", …), with the first file it
  /// struck.
  const std::map<std::string, std::string>& refused() const { return refused_; }
  /// The root folder as the archive has it.
  const MemberInfo& root_info() const { return root_info_; }

 private:
  struct Entry {
    MemberInfo info;
    std::string sha256;
  };

  std::string Target(std::string_view path) const;
  void WriteFile(std::string_view path, MemberInfo& info, ByteSource& content,
                 FolderCursor& cursor);
  void MakeFolder(std::string_view path, MemberInfo info, FolderCursor& cursor);
  void MakeSymlink(std::string_view path, const MemberInfo& info, FolderCursor& cursor);
  void MakeHardLink(const std::string& path, const std::string& target);
  int OpenParent(std::string_view path, FolderCursor& cursor) const;
  void MakeRoom(int folder, const std::string& name, std::string_view path) const;
  void Count(std::string_view path, MemberInfo info, std::string sha256);
  void NoteRefused(const std::vector<std::string>& what, std::string_view path);
  void CompleteFolders();
  void AddUnmentionedFolders();
  std::map<std::string, std::string> LinkedFiles() const;
  TreeDigest ForeignDigest(const std::map<std::string, std::string>& linked);

  const int folder_;
  const Options options_;

  mutable std::mutex mutex_;
  bool any_ = false;                               // guarded by mutex_
  MemberInfo root_info_;                           // guarded by mutex_
  TreeDigest digest_;                              // guarded by mutex_; archives of ours
  std::map<std::string, Entry> foreign_entries_;   // guarded by mutex_; foreign archives
  std::map<std::string, MemberInfo> folders_;      // guarded by mutex_
  std::map<std::string, std::string> hard_links_;  // guarded by mutex_
  std::map<std::string, std::string> refused_;     // guarded by mutex_
};

}  // namespace oxbackup::files
