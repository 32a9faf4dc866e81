// What has been written of one collection: parts, their names, the digest of their documents.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "archive/archive_writer.h"
#include "archive/chunk_cutter.h"
#include "archive/group_builder.h"
#include "archive/manifest.h"
#include "base/hash.h"
#include "base/run_context.h"
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

/// Cuts the documents of one range into parts and hands them over. One thread.
class PartBuilder {
 public:
  /// `small`: takes parts of small collections to be grouped with others; nullptr: each part is a
  /// group of its own and its memory is reserved before it is filled. All must outlive the builder.
  PartBuilder(CollectionOutput& output, ArchiveWriter& writer, GroupBuilder* small,
              const RunContext& run);

  void Add(std::string_view document, const Element& id);
  /// Hands over what is left and adds the range to the collection's results. Called once, last.
  void Finish();
  /// Forgets what was added. False when some of it is handed over already.
  [[nodiscard]] bool StartOver();

 private:
  void HandOver(bool last);

  CollectionOutput& output_;
  ArchiveWriter& writer_;
  GroupBuilder* const small_;
  RunContext run_;
  ChunkCutter cutter_;
  std::string content_;
  std::string first_id_bytes_;
  Element first_id_;  // into first_id_bytes_
  Reservation reservation_;
  bool cut_ = false;  // the part ends here, if anything follows
  uint64_t part_documents_ = 0;
  uint64_t handed_over_ = 0;
  uint64_t bytes_ = 0;
  ContentDigest digest_;
};

}  // namespace oxbackup::mongodb
