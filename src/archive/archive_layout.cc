#include "archive/archive_layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/tar_format.h"
#include "base/error.h"
#include "stream/block_codec.h"

namespace oxbackup {
namespace {

// Far above every real archive, and sums of a few of these cannot overflow.
constexpr uint64_t kMaxTotal = uint64_t{1} << 60;
// No codec makes a full block larger than this.
constexpr uint64_t kMaxBlockStoredBytes = kMaxBlockRawBytes + (kMaxBlockRawBytes >> 6);

Error Inconsistent(const std::string& what) {
  return Error(ErrorKind::kCorrupt, "the archive's manifest contradicts itself: " + what);
}

std::vector<uint64_t> Begins(const std::vector<BlockEntry>& blocks, uint64_t first,
                             uint64_t BlockEntry::*size) {
  std::vector<uint64_t> begins{first};
  for (const BlockEntry& block : blocks) begins.push_back(begins.back() + block.*size);
  return begins;
}

}  // namespace

ArchiveLayout::ArchiveLayout(const Manifest& manifest, uint64_t header_size)
    : manifest_(manifest),
      raw_begins_(Begins(manifest.blocks, 0, &BlockEntry::raw_size)),
      stored_begins_(Begins(manifest.blocks, header_size, &BlockEntry::stored_size)) {}

uint64_t ArchiveLayout::header_begin(size_t member) const {
  if (member == 0) return 0;
  const MemberEntry& before = manifest_.members[member - 1];
  return before.offset + PadToTarRecord(before.size);
}

size_t ArchiveLayout::BlockAt(uint64_t raw_offset) const {
  const auto after = std::upper_bound(raw_begins_.begin(), raw_begins_.end(), raw_offset);
  return static_cast<size_t>(after - raw_begins_.begin()) - 1;
}

std::vector<ArchiveLayout::Unit> ArchiveLayout::Units() const {
  std::vector<Unit> units;
  for (size_t member = 0; member < manifest_.members.size(); ++member) {
    if (header_begin(member) == raw_begin(static_cast<size_t>(manifest_.members[member].block))) {
      units.push_back({member, member});
    }
    units.back().last = member + 1;
  }
  return units;
}

void CheckLayout(const Manifest& manifest) {
  uint64_t stored = 0;
  uint64_t raw = 0;
  for (const BlockEntry& block : manifest.blocks) {
    if (block.raw_size == 0 || block.raw_size > kMaxBlockRawBytes || block.stored_size == 0 ||
        block.stored_size > kMaxBlockStoredBytes) {
      throw Inconsistent("a block has an impossible size");
    }
    stored += block.stored_size;
    raw += block.raw_size;
    if (stored > kMaxTotal || raw > kMaxTotal) throw Inconsistent("its blocks are too many");
  }
  const ArchiveLayout layout(manifest, 0);
  uint64_t end = 0;
  for (const MemberEntry& member : manifest.members) {
    CheckMemberPath(member.path);
    const bool fits = member.size <= raw && member.offset <= raw - member.size &&
                      member.offset % kTarRecord == 0 && member.offset >= end + kTarRecord &&
                      member.offset - end <= kMaxTarHeaderBytes;
    if (!fits || member.block != layout.BlockAt(end)) {
      throw Inconsistent(fmt::format("{} does not lie where it is said to", member.path));
    }
    end = member.offset + PadToTarRecord(member.size);
  }
  if (end != raw) throw Inconsistent("its blocks do not end where its members do");
}

}  // namespace oxbackup
