// Copies one tree into an archive.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <string>

#include "archive/archive_writer.h"
#include "base/run_context.h"
#include "files/entry_facts.h"
#include "files/tree_digest.h"
#include "files/tree_walk.h"

namespace oxbackup::files {

/// One use: Copy is called once.
class TreeCopier {
 public:
  /// `member_path`: of the tree's root in the archive. All must outlive the copier.
  TreeCopier(const std::string& component, std::string member_path, const TreeRoot& root,
             ArchiveWriter& writer, const RunContext& run)
      : component_(component),
        member_path_(std::move(member_path)),
        root_(root),
        writer_(writer),
        run_(run) {}

  /// Copies everything with `threads` threads and returns the digest of what is in the archive.
  /// Errors and warnings are those of MakeTreeSource.
  TreeDigest Copy(int threads);

 private:
  class BatchCopier;

  void CopyHardLinks(const std::vector<WalkedEntry>& links);
  void Warn(const std::string& message);
  std::string MemberPath(const std::string& path) const;

  const std::string& component_;
  const std::string member_path_;
  const TreeRoot& root_;
  ArchiveWriter& writer_;
  const RunContext& run_;
  OwnerNames owners_;
  std::atomic<int> warned_ = 0;

  std::mutex mutex_;
  TreeDigest digest_;  // guarded by mutex_
  // Names that were walked as a file of several names and did not bring its content.
  std::set<std::string> left_out_;  // guarded by mutex_
};

}  // namespace oxbackup::files
