#include "archive/group_builder.h"

#include <utility>

#include "base/hash.h"

namespace oxbackup {
namespace {

constexpr uint64_t kMaxGroupBytes = uint64_t{8} << 20;
// What a member costs beside its content: its tar header and padding.
constexpr uint64_t kMemberOverhead = 1024;

// Groups of 128 kB on average: large enough to compress, small enough to be shared.
bool PathEndsGroup(const std::string& path, uint64_t bytes) {
  constexpr uint64_t kTargetGroupBytes = uint64_t{128} << 10;
  const uint64_t chance = UINT64_MAX / kTargetGroupBytes;
  return bytes >= kTargetGroupBytes || Xxh3_64(path) < chance * bytes;
}

}  // namespace

void GroupBuilder::Reserve() {
  if (reserved_) return;
  group_.reservation = run_.budget.Take(kMaxGroupBytes + working_bytes_, run_.stop);
  reserved_ = true;
}

void GroupBuilder::Add(Member member) {
  const uint64_t size = member.content.size() + kMemberOverhead;
  const bool single = member.content.size() >= kSingleMemberBytes;
  if (!group_.members.empty() && (single || bytes_ + size > kMaxGroupBytes)) Flush();
  // A group reserves its greatest size at once: waiting for more while holding some could deadlock.
  Reserve();
  const bool ends = single || PathEndsGroup(member.info.path, size);
  group_.members.push_back(std::move(member));
  bytes_ += size;
  if (ends) Flush();
}

void GroupBuilder::Flush() {
  if (!group_.members.empty()) {
    group_.reservation.Resize(bytes_);
    writer_.Add(std::exchange(group_, MemberGroup{}));
  }
  group_.reservation.Release();
  bytes_ = 0;
  reserved_ = false;
}

}  // namespace oxbackup
