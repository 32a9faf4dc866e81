// Are as many documents in the archive as the server has?
#pragma once

#include <cstdint>
#include <optional>

#include "mongodb/collection_output.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// A guard against documents lost or doubled between ranges (a server that understands bounds
/// differently than was found out). Counting exactly is possible at the dump's own instant or while
/// writers are held alone; a collection that is written to meanwhile is compared with some slack.
class CountCheck {
 public:
  /// `frozen`: nothing can be written, so that the counts now are those of the copy.
  CountCheck(Session& session, std::optional<Timestamp> at_cluster_time, bool frozen)
      : session_(session), at_cluster_time_(at_cluster_time), frozen_(frozen) {}

  /// Throws Error(kSource) naming the collection and both numbers when they cannot both be right.
  /// Capped collections and time series, whose counts move by themselves, are not judged, nor is
  /// what was dropped or renamed after it was read.
  void Check(const CollectionOutput& output) const;

 private:
  std::optional<uint64_t> Estimate(const CollectionInfo& collection) const;
  bool IsGone(const CollectionInfo& collection, uint64_t counted) const;
  std::optional<uint64_t> Count(const CollectionInfo& collection,
                                const std::optional<Timestamp>& at) const;

  Session& session_;
  const std::optional<Timestamp> at_cluster_time_;
  const bool frozen_;
};

}  // namespace oxbackup::mongodb
