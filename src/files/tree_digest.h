// The digests by which a tree in an archive and a tree on disk are compared.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "archive/manifest.h"
#include "archive/member.h"
#include "base/hash.h"

namespace oxbackup::files {

/// Adds up a tree's entries. The text of an entry that is hashed is, with a NUL byte after each
/// field:
///   its type: "f" file, "d" folder, "l" symlink, "h" hard link
///   its path below the tree's root, "." for the root itself
///   a file's size (decimal) and SHA-256 (hexadecimal), else two empty fields
///   a symlink's target, or a hard link's other name below the root, else an empty field
/// and for the full digest in addition, unless it is a hard link (which has its target's):
///   mode (octal; empty for symlinks), owner's and group's numbers, time as "seconds.nanoseconds"
/// Of several names of one file the first in the order of a walk (ComesBefore in files/tree_walk.h)
/// is the file, the others are its hard links. Extended attributes are not part of it. One thread
/// at a time; workers keep one each.
class TreeDigest {
 public:
  /// `path`: below the tree's root, "" for the root itself. `sha256`: of a file's content.
  /// info.path is not looked at; info.link_target of a hard link is taken as relative to the root.
  void Add(std::string_view path, const MemberInfo& info, std::string_view sha256);
  void Merge(const TreeDigest& other);

  uint64_t items() const { return full_.count(); }
  uint64_t bytes() const { return bytes_; }
  std::string full() const { return full_.Hex(); }
  /// Without modes, owners and times, which not every target can keep.
  std::string contents() const { return contents_.Hex(); }

  /// As the manifest has it: kind "tree", digest full(), details["contents_digest"] contents().
  ObjectEntry ToObject(const std::string& name) const;

 private:
  ContentDigest full_;
  ContentDigest contents_;
  uint64_t bytes_ = 0;
};

/// Threads that read a tree's files at once. Reading many small files is waiting, above all over a
/// network; more than these only add memory.
inline constexpr int kTreeReaders = 4;

/// Name of contents() in an object's details.
inline constexpr char kContentsDigest[] = "contents_digest";

}  // namespace oxbackup::files
