#include "mongodb/collection_output.h"

#include <fmt/format.h>

#include "archive/path_name.h"
#include "base/error.h"

namespace oxbackup::mongodb {
namespace {

// A cursor's batch lies in memory beside the part that is filled from it, twice while it arrives.
constexpr uint64_t kBatchAllowance = uint64_t{8} << 20;

}  // namespace

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

PartBuilder::PartBuilder(CollectionOutput& output, ArchiveWriter& writer, GroupBuilder* small,
                         const RunContext& run)
    : output_(output), writer_(writer), small_(small), run_(run) {}

void PartBuilder::Add(std::string_view document, const Element& id) {
  if (cut_ || cutter_.CutBefore(document.size())) HandOver(false);
  if (part_documents_ == 0) {
    first_id_bytes_ = id.value;
    first_id_ = Element{id.type, {}, first_id_bytes_, {}};
    if (small_ == nullptr) {
      reservation_ = run_.budget.Take(kMaxChunkBytes + kBatchAllowance, run_.stop);
      content_.reserve(kTargetChunkBytes);
    }
  }
  ++part_documents_;
  content_ += document;
  digest_.Add(document);
  cut_ = cutter_.CutAfter(id.value.empty() ? document : id.value, document.size());
}

void PartBuilder::HandOver(bool last) {
  Member member;
  member.info.path = output_.TakePath(first_id_, last && handed_over_ == 0);
  member.content = std::exchange(content_, std::string());
  const uint64_t size = member.content.size();
  if (small_ != nullptr) {
    small_->Add(std::move(member));
  } else {
    reservation_.Resize(size);
    MemberGroup group;
    group.reservation = std::move(reservation_);
    group.members.push_back(std::move(member));
    writer_.Add(std::move(group));
  }
  run_.progress.Add("mongodb", size, part_documents_, output_.collection().full_name());
  bytes_ += size;
  part_documents_ = 0;
  ++handed_over_;
  cut_ = false;
  cutter_.Reset();
}

void PartBuilder::Finish() {
  // mongodump's layout has a file for an empty collection too.
  const bool empty_collection = handed_over_ == 0 && !output_.several();
  if (part_documents_ > 0 || empty_collection) HandOver(true);
  output_.AddDocuments(digest_, bytes_);
}

bool PartBuilder::StartOver() {
  if (handed_over_ > 0) return false;
  content_.clear();
  part_documents_ = 0;
  reservation_.Release();
  cutter_.Reset();
  cut_ = false;
  digest_ = ContentDigest();
  return true;
}

}  // namespace oxbackup::mongodb
