// In which order collections are read, and in how many ranges.
#pragma once

#include <string_view>
#include <vector>

#include "mongodb/catalog.h"
#include "mongodb/id_range.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Collections from this size on are read in several ranges at once, bytes.
inline constexpr uint64_t kSplitBytes = uint64_t{64} << 20;

/// Where no one instant is to be had, a collection that refers to another one is read before it:
/// what it refers to was written first and is never changed, so it is there when it is read later.
/// 0 is read first. By the collection's name, whatever its database's: Open edX's modulestore
/// (active_versions, then structures, then definitions), GridFS (files, then chunks), its forum
/// (subscriptions, then contents, then users).
int ReadStage(std::string_view collection);

/// True for collections of Open edX whose documents are written once and never changed: the
/// modulestore's structures and definitions, GridFS chunks.
bool IsInsertOnly(std::string_view collection);

/// Ranges that together hold every document of the collection once. Asks the server for the first
/// and last _id and whether it honours index bounds (FerretDB takes min and max and ignores them).
/// A `small` collection is never split nor asked about.
std::vector<IdRange> PlanRanges(Session& session, const CollectionInfo& collection, bool small,
                                int readers);

/// Whether two reads show that the server honours min and max on this collection. False also when
/// it has fewer than two documents.
bool HonoursBounds(Session& session, const CollectionInfo& collection);

}  // namespace oxbackup::mongodb
