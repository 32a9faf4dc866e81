// Are as many documents in the archive as the server has?
#pragma once

#include <cstdint>
#include <optional>

#include "base/run_context.h"
#include "mongodb/collection_output.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// A guard against documents lost or doubled between ranges (a server that understands bounds
/// differently than was found out). Counting exactly is possible at the dump's own instant alone; a
/// collection that is written to meanwhile is compared with some slack.
class CountCheck {
 public:
  CountCheck(Session& session, std::optional<Timestamp> at_cluster_time, const RunContext& run)
      : session_(session), at_cluster_time_(at_cluster_time), run_(run) {}

  /// Throws Error(kSource) naming the collection and both numbers when they cannot both be right.
  /// Capped collections and time series, whose counts move by themselves, are not judged.
  void Check(const CollectionOutput& output) const;

 private:
  std::optional<uint64_t> Estimate(const CollectionInfo& collection) const;
  std::optional<uint64_t> Count(const CollectionInfo& collection,
                                const std::optional<Timestamp>& at) const;

  Session& session_;
  const std::optional<Timestamp> at_cluster_time_;
  RunContext run_;
};

}  // namespace oxbackup::mongodb
