// Backup: every component's data into one archive in a store.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "archive/archive_writer.h"
#include "archive/manifest.h"
#include "engine/site.h"
#include "store/store.h"

namespace oxbackup {

struct BackupOptions {
  ArchiveWriterOptions archive;
  std::optional<std::string> name;  ///< instead of backup.DATE
  /// Read every stored byte back and compare it, unless the store proves by itself that it holds
  /// them.
  bool read_back = true;
};

struct BackupReport {
  std::string name;     ///< of the archive in the store
  std::string version;  ///< of it, in a store that keeps versions
  Manifest manifest;
  ArchiveTotals totals;
  std::chrono::milliseconds duration{};
  bool read_back = false;
  std::chrono::milliseconds read_back_time{};  ///< part of `duration`
  std::string proof;  ///< of the store that it holds what was written (ObjectWriter::Proof)
  /// A sentence for each restore whose old data are still there; they are not in the archive.
  std::vector<std::string> kept_old;
};

/// Copies all sources into a new archive. It appears under its name only when it is complete; after
/// any error nothing is left. `targets`: of the same site, to finish a swap that an earlier restore
/// left open, since a half-swapped site must not be backed up. Throws Error.
BackupReport Backup(Store& store, BackupSources& sources, RestoreTargets& targets,
                    const BackupOptions& options, const RunContext& run);

}  // namespace oxbackup
