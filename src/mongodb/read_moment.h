// The instant that a dump of MongoDB stands for, and how it was reached.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/run_context.h"
#include "mongodb/catalog.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// What all readers of a dump share.
struct ReadMoment {
  /// The server reads as of this instant (readConcern snapshot); nothing where no server instant is
  /// to be had, and the collections are read one after the other as they are.
  std::optional<Timestamp> at_cluster_time;
  /// Why there is none, in words for the manifest; empty when there is one.
  std::string why_not;
};

/// Tries to fix one instant for all collections. Snapshot reads outside a transaction exist on
/// replica sets from 5.0; a server is believed only when its reply names the instant, since others
/// accept the read concern and ignore it. A collection created or renamed seconds ago refuses
/// (SnapshotUnavailable): asked again with a newer instant for a few seconds. `catalog` becomes
/// what `read_catalog` gives before each try. Throws Error(kCancelled) and what that throws.
ReadMoment FixMoment(Session& session,
                     const std::function<std::vector<CollectionInfo>()>& read_catalog,
                     std::vector<CollectionInfo>& catalog, const RunContext& run);

/// The read concern of a find at that instant; empty without one.
Bson ReadConcernAt(const std::optional<Timestamp>& at_cluster_time);

/// Where a replica set's oplog ends now; nothing on servers without one.
[[nodiscard]] std::optional<Timestamp> LastWrite(Session& session);

/// Waits half a second, but not past a stop: Error(kCancelled). For servers that need a moment.
void PauseBeforeRetry(const RunContext& run);

/// Lengthens the time for which the server can read its past, and puts it back at the end: a dump
/// may take longer than the five minutes that are usual. What a killed dump has left is put back to
/// those. Where the user may not, or the server has
/// no such parameter, nothing happens. The session must outlive it.
class HistoryWindow {
 public:
  HistoryWindow(Session& session, const RunContext& run);
  /// Puts the window back. A failure is a warning: the server then keeps more history than before.
  ~HistoryWindow();
  HistoryWindow(const HistoryWindow&) = delete;
  HistoryWindow& operator=(const HistoryWindow&) = delete;

 private:
  Session& session_;
  RunContext run_;
  std::optional<int32_t> before_;  // seconds; nothing: it was not changed
};

}  // namespace oxbackup::mongodb
