#include "mongodb/collection_output.h"

#include <fmt/format.h>

#include "archive/path_name.h"
#include "base/error.h"

namespace oxbackup::mongodb {
std::string MemberPath(std::string_view database, std::string_view collection,
                       std::string_view suffix) {
  return fmt::format("data/mongodb_dump/{}/{}{}", EscapeName(database), EscapeName(collection),
                     suffix);
}

std::string PartName(const Element& first_id) {
  if (first_id.type == BsonType::kObjectId) return Hex(first_id.value);
  return fmt::format("h{:016x}", Xxh3_64(first_id.value));
}

std::string CollectionOutput::TakePath(const Element& first_id, bool only) {
  const std::lock_guard lock(mutex_);
  if (dropped_) {
    throw Error(ErrorKind::kSource,
                collection_.full_name() + " was dropped while it was being read")
        .Hint("run the backup again; nothing of this run is kept");
  }
  ++parts_;
  const std::string stored = collection_.stored_name();
  if (only && !several_) return MemberPath(collection_.database, stored, ".bson");
  const bool numbered = collection_.is_capped();
  const std::string plain = numbered ? fmt::format("{:08}", parts_ - 1) : PartName(first_id);
  std::string name = plain;
  for (int again = 2; !names_.insert(name).second; ++again) {
    name = fmt::format("{}-{}", plain, again);
  }
  return MemberPath(collection_.database, stored, ".bson." + name);
}

void CollectionOutput::AddDocuments(const ContentDigest& digest, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  digest_.Merge(digest);
  bytes_ += bytes;
}

void CollectionOutput::MarkDropped() {
  const std::lock_guard lock(mutex_);
  dropped_ = true;
  if (parts_ == 0) return;
  throw Error(ErrorKind::kSource, collection_.full_name() + " was dropped while it was being read")
      .Tried("following it by its UUID")
      .Hint("run the backup again; nothing of this run is kept");
}

void CollectionOutput::MarkLeftTheInstant() {
  const std::lock_guard lock(mutex_);
  left_the_instant_ = true;
}

bool CollectionOutput::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

bool CollectionOutput::left_the_instant() const {
  const std::lock_guard lock(mutex_);
  return left_the_instant_;
}

ContentDigest CollectionOutput::digest() const {
  const std::lock_guard lock(mutex_);
  return digest_;
}

ObjectEntry CollectionOutput::Entry() const {
  const std::lock_guard lock(mutex_);
  ObjectEntry entry;
  entry.database = collection_.database;
  entry.name = collection_.name;
  entry.kind = collection_.type;
  if (collection_.uuid) entry.details["uuid"] = UuidHex(*collection_.uuid);
  if (collection_.is_view()) return entry;
  entry.items = digest_.count();
  entry.raw_bytes = bytes_;
  entry.digest = digest_.Hex();
  entry.details["indexes"] = std::to_string(collection_.indexes.size());
  entry.details["parts"] = std::to_string(parts_);
  if (collection_.is_capped()) entry.details["capped"] = "true";
  return entry;
}

}  // namespace oxbackup::mongodb
