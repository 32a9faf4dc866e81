// What has been written of one collection: parts, their names, the digest of their documents.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "archive/manifest.h"
#include "base/hash.h"
#include "mongodb/catalog.h"

namespace oxbackup::mongodb {

/// "data/mongodb_dump/<db>/<collection>" with `suffix`, names escaped.
std::string MemberPath(std::string_view database, std::string_view collection,
                       std::string_view suffix);

/// The name of a part by its first document's _id: an ObjectId's 24 hexadecimal digits, else "h"
/// and 16 digits of a hash of the value. So names do not shift when another part grows.
std::string PartName(const Element& first_id);

/// One collection's results, shared by the readers of its ranges. Thread-safe.
class CollectionOutput {
 public:
  /// `several`: more than one reader writes parts of it, so that every part gets a name.
  CollectionOutput(CollectionInfo collection, bool several)
      : collection_(std::move(collection)), several_(several) {}

  const CollectionInfo& collection() const { return collection_; }
  bool several() const { return several_; }

  /// A path for the next part. `only`: it is the first and the last one of its range.
  /// Throws Error(kSource) when the collection was found dropped meanwhile.
  std::string TakePath(const Element& first_id, bool only);
  void AddDocuments(const ContentDigest& digest, uint64_t bytes);
  /// The collection is gone. Throws Error(kSource) when parts of it are written already: they
  /// cannot be taken back, and half a collection must not be restored.
  void MarkDropped();
  void MarkLeftTheInstant();

  bool dropped() const;
  bool left_the_instant() const;
  ContentDigest digest() const;
  /// For the manifest.
  ObjectEntry Entry() const;

 private:
  const CollectionInfo collection_;
  const bool several_;
  mutable std::mutex mutex_;
  std::set<std::string> names_;  // guarded by mutex_, as all below
  uint64_t parts_ = 0;
  uint64_t bytes_ = 0;
  ContentDigest digest_;
  bool dropped_ = false;
  bool left_the_instant_ = false;
};

}  // namespace oxbackup::mongodb
