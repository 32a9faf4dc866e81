// The oplog of a replica set over the time of a copy: what makes collections that were read one
// after the other into a copy of one moment.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "archive/archive_writer.h"
#include "base/clock.h"
#include "base/run_context.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Where a slice of the oplog has to begin for a copy that begins now.
struct OplogStart {
  Timestamp begin;  ///< where the oldest open transaction began, else `known`
  /// What a majority has: every copy that begins now holds it. What is newer may still have gaps.
  Timestamp known;
};

/// Nothing, with the reason in `why_not`, where there is no oplog of MongoDB's kind to be read.
[[nodiscard]] std::optional<OplogStart> FindOplogStart(Session& session, std::string& why_not);

/// Which collections the entries of a slice were about.
struct OplogTouched {
  std::set<std::string> names;          ///< "db.collection", collections and views
  std::set<std::string> uuids;          ///< 32 hexadecimal digits
  std::set<std::string> added;          ///< names that came to be, by creation or by a rename
  std::set<std::string> cannot_replay;  ///< commands that a restore refuses, "db.collection: what"

  bool Has(const std::string& ns, const std::string& uuid) const {
    return names.contains(ns) || (!uuid.empty() && uuids.contains(uuid));
  }
};

/// The entry as the archive gets it: operations of other databases are taken out of transactions.
/// Nothing when it is about none of `databases`, or changes nothing. Notes what it touches.
[[nodiscard]] std::optional<std::string> KeptOplogEntry(std::string_view entry,
                                                        const std::set<std::string>& databases,
                                                        OplogTouched& touched);

/// What CopyOplog wrote.
struct OplogSlice {
  OplogStart start;
  Timestamp end;
  TimePoint moment{};    ///< the server's wall time of the last entry
  uint64_t entries = 0;  ///< in the archive
  OplogTouched touched;
};

/// Copies the entries that are newer than `start.known`, and what open transactions had before, to
/// the oplog's present end into data/mongodb_dump/oplog.bson (oplog.bson.<8 digits> where they are
/// more than one part). Call it when all collections have been read. Throws Error(kSource) when the
/// oplog no longer reaches back to the start.
OplogSlice CopyOplog(Session& session, const OplogStart& start,
                     const std::vector<std::string>& databases, ArchiveWriter& writer,
                     const RunContext& run);

}  // namespace oxbackup::mongodb
