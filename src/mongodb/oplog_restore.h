// Brings what a restore loaded to the one moment at which the archive's oplog ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "mongodb/load.h"
#include "mongodb/oplog_store.h"
#include "mongodb/restore_options.h"
#include "mongodb/session_pool.h"

namespace oxbackup::mongodb {

struct OplogOutcome {
  uint64_t entries = 0;
  uint64_t documents = 0;  ///< brought up to date
  Timestamp last;          ///< of the last entry

  /// "replayed 1,204 entries to 1795379997:31, 803 documents brought up to date".
  std::string Text() const;
};

/// Replays `oplog` onto the temporary collections and changes the list of `collections` as its
/// commands say. Memory stays bounded, whatever the oplog's size. Throws Error(kCorrupt) naming an
/// entry that cannot be replayed exactly, Error(kSource), Error(kCancelled).
OplogOutcome ReplayOplogOnto(std::vector<std::unique_ptr<RestoredCollection>>& collections,
                             OplogStore& oplog, SessionPool& pool, const RestoreOptions& options,
                             const NamespaceFilter& filter, const RunContext& run);

}  // namespace oxbackup::mongodb
