// Walking a tree in a fixed order, with several threads that do something about its entries.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "base/run_context.h"
#include "files/beneath.h"

namespace oxbackup::files {

/// The name of a restore's working folder directly below a tree's root.
inline constexpr char kWorkFolder[] = ".openedx-backup";

/// The name of the file directly below a tree's root, or, with "-NAME" behind it, beside a file of
/// that name, in which a restore says what it has brought.
inline constexpr char kAppliedFile[] = ".openedx-backup-applied";

/// Whether an entry directly below a tree's root belongs to a restore and is no part of the tree:
/// kWorkFolder, kAppliedFile, or the like of what lies beside (a file or folder
/// ".openedx-backup-NAME" that nobody but its owner may look into).
bool IsWorkFolder(std::string_view name, const struct stat& status);

/// The order of a walk: a folder before what is in it, neighbours by the bytes of their names.
bool ComesBefore(std::string_view path, std::string_view other);

/// The folder or file that a tree begins with.
class TreeRoot {
 public:
  /// Follows a link at `path` itself. Throws Error(kUsage) when there is nothing, Error(kSource)
  /// when it cannot be opened or is neither folder nor file.
  explicit TreeRoot(const std::filesystem::path& path);

  bool is_folder() const { return S_ISDIR(status_.st_mode); }
  int fd() const { return root_.get(); }
  const struct stat& status() const { return status_; }
  /// For messages: where an entry is.
  std::string FullPath(std::string_view path) const;
  /// Opens the entry at `path` ("" is the root) for reading, without following a link.
  /// Not open, with errno set, when that fails.
  FileDescriptor OpenEntry(FolderCursor& cursor, std::string_view path) const;
  /// Makes restores wait with exchanging the folder's entries for as long as this object lives:
  /// whoever reads it meanwhile would get old and new ones side by side. Needs no right to write.
  /// Without an effect on a file, which is read as a whole, and where the file system has no locks.
  /// Throws Error(kSource) when a restore is at it.
  void HoldOffRestores() const;

 private:
  std::string path_;
  FileDescriptor root_;
  struct stat status_ {};
};

struct WalkedEntry {
  std::string path;  ///< below the root; "" is the root itself
  struct stat status {};
  std::string link_target;  ///< of a symlink
  /// A further name of a file that came before: that one's path. Else empty.
  std::string hard_link_to;
};

/// Whether an errno of opening an entry that was listed means that it is gone by now, or has made
/// room for something else: a link, a file in the place of a folder, a socket.
bool HasVanished(int error);

/// Takes sentences about what could not be part of the walk.
using WalkWarning = std::function<void(const std::string& message)>;

/// Calls `visit` for every file, folder and symlink in the order of ComesBefore, on this thread.
/// Sockets, pipes and devices, and what vanishes meanwhile, are told to `warn` and left out. Throws
/// Error(kSource) for a folder that cannot be read, Error(kCancelled) when run.stop is requested.
void WalkTree(const TreeRoot& root, const RunContext& run, const WalkWarning& warn,
              const std::function<void(WalkedEntry entry)>& visit);

/// Neighbours that one thread handles. Where a batch ends depends on the entries' own paths and
/// sizes alone, so that an unchanged tree makes the same batches, and a changed one mostly the
/// same.
using EntryBatch = std::vector<WalkedEntry>;

/// Walks the tree and hands batches to `threads` threads. Hard links (entries with hard_link_to)
/// are not in the batches: they are returned when all batches are done. The first error ends it.
std::vector<WalkedEntry> WalkInBatches(
    const TreeRoot& root, int threads, const RunContext& run, const WalkWarning& warn,
    const std::function<void(const EntryBatch& batch, const RunContext& run)>& handle);

}  // namespace oxbackup::files
