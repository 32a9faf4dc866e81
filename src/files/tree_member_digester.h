// Digests of a component's trees computed from an archive's members alone.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "archive/manifest.h"
#include "archive/member.h"
#include "files/tree_digest.h"
#include "stream/byte_stream.h"

namespace oxbackup::files {

/// Adds up the members below a component's prefix, tree by tree.
class TreeMemberDigester {
 public:
  /// `expected`: the component's manifest, which names its trees; must outlive the digester.
  TreeMemberDigester(const std::string& member_prefix, const ComponentManifest& expected);

  /// Reads a member of one of the trees to its end; passes over any other. Thread-safe.
  void Feed(const MemberInfo& info, ByteSource& content);
  /// Throws Error(kCorrupt) naming the first tree that differs from the manifest. To be called
  /// after all members were fed. Returns how many trees were compared.
  uint64_t Compare() const;

 private:
  const ComponentManifest& expected_;
  std::map<std::string, std::string> member_paths_;  ///< tree's name -> its path in the archive

  mutable std::mutex mutex_;
  std::map<std::string, TreeDigest> digests_;  // guarded by mutex_
};

}  // namespace oxbackup::files
