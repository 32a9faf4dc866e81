#include "mongodb/part_builder.h"

#include <utility>

namespace oxbackup::mongodb {
namespace {

// A cursor's batch lies in memory beside the part that is filled from it, twice while it arrives.
constexpr uint64_t kBatchAllowance = uint64_t{8} << 20;

}  // namespace

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
