// Several readers of a server that all see one moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "mysql/catalog.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// How one moment was reached.
enum class SnapshotMethod {
  kGlobalReadLock,  ///< FLUSH TABLES WITH READ LOCK while the readers began
  kTableLocks,      ///< LOCK TABLES … READ while they began
  kNoMovement,      ///< no lock: nothing was committed while they began
  kOneReader,       ///< a single transaction
  kNone,            ///< no transaction: each table as it was when it was read
};

struct SnapshotOptions {
  int readers = 4;
  bool single_transaction = true;
  /// How long writers of the site may be kept waiting for each try of a lock; whole seconds.
  std::chrono::milliseconds lock_wait{2000};
  /// Methods that are not tried; for servers where one is known to hurt, and for tests.
  std::vector<SnapshotMethod> without;
};

/// The result. Ends (locks released, connections closed) when it is destroyed.
struct Snapshot {
  SnapshotMethod method = SnapshotMethod::kNone;
  std::string consistency;  ///< a sentence for the manifest
  std::map<std::string, std::string> positions;
  TimePoint moment{};
  int64_t lock_ms = 0;                            ///< how long writers were held
  bool instance_locked = false;                   ///< DDL waits as long as `control` lives
  std::vector<Database> databases;                ///< the catalog as of the moment
  std::unique_ptr<Session> control;               ///< holds the instance lock; for schema queries
  std::vector<std::unique_ptr<Session>> readers;  ///< each in its transaction; at least one
};

/// Takes a snapshot of the named databases, which exist. Tries the methods in the order of
/// SnapshotMethod until the server allows one. `control`: a session to work with; it becomes
/// the snapshot's. Throws Error(kSource) when a connection fails, Error(kUsage) when a database
/// vanished.
Snapshot TakeSnapshot(const ConnectOptions& connect, const SnapshotOptions& options,
                      const std::vector<std::string>& databases, std::unique_ptr<Session> control,
                      const RunContext& run);

}  // namespace oxbackup::mysql
