// Copies a MySQL or MariaDB server's databases into an archive.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "archive/component.h"
#include "base/run_context.h"
#include "mysql/connect_options.h"
#include "mysql/snapshot.h"

namespace oxbackup::mysql {

struct DumpOptions {
  std::vector<std::string> databases;  ///< empty: all but the servers' own and ours
  SnapshotOptions snapshot;
  bool accounts = true;     ///< accounts and rights too
  bool flush_logs = false;  ///< FLUSH LOGS just before the snapshot; a refusal is only logged
};

/// The component "mysql". Connects in Prepare. What `run` refers to must outlive the source.
///
/// Errors beside BackupSource's: Error(kSource) naming the table when one is dropped or altered
/// during the copy, or when the server goes away.
std::unique_ptr<BackupSource> MakeBackupSource(ConnectOptions connect, DumpOptions options,
                                               const RunContext& run);

}  // namespace oxbackup::mysql
