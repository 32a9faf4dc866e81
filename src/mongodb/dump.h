// MongoDB into an archive: raw BSON, in mongodump's layout.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "archive/component.h"
#include "base/run_context.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

struct DumpOptions {
  std::vector<std::string> databases;  ///< empty: all but admin, config and local
  int readers = 4;                     ///< connections that read at once, at least 1
  bool users = true;                   ///< with users and roles, where they can be read
  /// On a server without snapshot reads and oplog: one moment for all collections by a lock of
  /// seconds, under which everything but the older documents of insert-only collections is read.
  bool write_lock = false;
  std::string record_database = "openedx_backup";  ///< of our restores' swaps: never copied
};

/// Connects in Prepare(). One instant for all collections by snapshot reads where the server has
/// them (replica sets from 5.0); on other replica sets the moment at which the copy ends, by a
/// slice of the oplog that a restore replays; elsewhere, by choice, writers are held (write_lock)
/// until ReleaseMoment or the source's end; else collections are read one after the other, what
/// refers to others first, and the manifest says so. Errors: kSource; kUsage for a listed database
/// that does not exist; kSource when a big collection is dropped while it is read, or the oplog
/// holds less than the copy's time.
std::unique_ptr<BackupSource> MakeBackupSource(ConnectOptions connect, DumpOptions options,
                                               const RunContext& run);

}  // namespace oxbackup::mongodb
