// What there is to copy: databases, collections, views, indexes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// A collection, view or time series as its server describes it.
struct CollectionInfo {
  std::string database;
  std::string name;  ///< as users see it
  std::string type;  ///< "collection", "view" or "timeseries"
  Bson options;
  std::optional<Uuid> uuid;   ///< of what is read; servers other than MongoDB may have none
  std::vector<Bson> indexes;  ///< with the one on _id
  uint64_t documents = 0;     ///< the server's own estimate
  uint64_t bytes = 0;         ///< uncompressed, the server's own estimate
  bool has_estimates = false;

  bool is_view() const { return type == "view"; }
  bool is_capped() const;
  /// Whether its documents can be read in the order of an index on _id.
  bool has_id_index() const;
  /// The collection that holds the documents: a time series keeps them in buckets.
  std::string stored_name() const;
  /// "db.name", for messages.
  std::string full_name() const { return database + "." + name; }
};

/// Whether the server fills it itself: buckets come with their time series; views and the profile
/// are its bookkeeping.
[[nodiscard]] bool IsServersOwn(std::string_view collection);

/// The databases to copy, sorted. `wanted` empty: all but admin, config and local. Throws
/// Error(kUsage) naming a wanted one that does not exist.
std::vector<std::string> ReadDatabases(Session& session, const std::vector<std::string>& wanted);

/// Lists the collections of the databases with their options, indexes and sizes, sorted by database
/// and name. What the server keeps for itself (system.views, system.profile, …) is left out;
/// system.js is in. A collection that disappears meanwhile is left out.
std::vector<CollectionInfo> ReadCatalog(Session& session,
                                        const std::vector<std::string>& databases);

/// Looks a collection up again by its present name; nothing when there is none.
[[nodiscard]] std::optional<CollectionInfo> FindCollection(Session& session,
                                                           const std::string& database,
                                                           const std::string& name);

/// The collection's metadata.json in mongodump's layout: options, indexes, uuid, collectionName and
/// type, as canonical extended JSON.
std::string MetadataJson(const CollectionInfo& collection);

}  // namespace oxbackup::mongodb
