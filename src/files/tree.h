// File trees (Caddy's data, media folders, Tutor's settings) as components of a site.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "archive/component.h"
#include "base/run_context.h"

namespace oxbackup::files {

/// One folder, or one file, of the site. A link at `path` itself is followed; links inside are
/// data.
struct Tree {
  std::string name;            ///< a plain file name; empty for the component's only tree
  std::filesystem::path path;  ///< where it is, or will be
};

struct TreeRestoreOptions {
  int threads = 2;  ///< that read members and write files, at least 1
  /// A seam for tests: called before each step of a swap that changes the disk. What it throws ends
  /// the call as a kill would: nothing is tidied up.
  std::function<void(const std::string& step)> before_step;
};

/// Copies the trees to `member_prefix` ("data/caddy"), those with a name to
/// "<member_prefix>/<name>". Files that cannot be read end the copy with Error(kSource): a backup
/// that silently lacks files is worse than none. Sockets, pipes and devices are left out with a
/// warning; so is a file that vanishes. A file that changes while it is read is read again; one
/// that never holds still is kept as it was read, always as long as its header says, and named in a
/// warning. Mount points inside are followed. Prepare throws Error(kUsage) when a tree's path does
/// not exist.
std::unique_ptr<BackupSource> MakeTreeSource(std::string component, std::string member_prefix,
                                             std::vector<Tree> trees, const RunContext& run);

/// Restores them. The new tree is written into ".openedx-backup" inside a folder that exists, which
/// nobody else can look into and no backup has; then entry by entry is exchanged by renaming, so
/// that the folder itself, which containers may have mounted, stays. A file, or a folder that is
/// not there yet, is written into ".openedx-backup-<name>" in the folder above and exchanged
/// itself. A record in that folder lets the next run finish or undo an interrupted swap. A tree
/// that the archive lacks stays as it is, with a warning. Whatever an archive's members say,
/// nothing outside of that folder is touched before the swap: such members are Error(kCorrupt).
std::unique_ptr<RestoreTarget> MakeTreeTarget(std::string component, std::string member_prefix,
                                              std::vector<Tree> trees, TreeRestoreOptions options,
                                              const RunContext& run);

/// Compares the trees as they are with a manifest.
std::unique_ptr<LiveComparer> MakeTreeComparer(std::string component, std::vector<Tree> trees,
                                               const RunContext& run);

}  // namespace oxbackup::files
