#include "archive/member_cutter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "archive/tar_format.h"
#include "base/error.h"
#include "base/hash.h"

namespace oxbackup {
namespace {

// Fills one block after the other.
class BlockFiller {
 public:
  BlockFiller(std::shared_ptr<const void> owner, const std::function<void(RawBlock)>& take_block)
      : owner_(std::move(owner)), take_block_(take_block) {}

  void Append(std::string_view bytes) {
    while (!bytes.empty()) {
      if (block_.size == kBlockRawBytes) EndBlock();
      const std::string_view now =
          bytes.substr(0, static_cast<size_t>(kBlockRawBytes - block_.size));
      block_.pieces.push_back(now);
      block_.size += now.size();
      bytes.remove_prefix(now.size());
    }
  }

  void EndBlock() {
    if (block_.size == 0) return;
    block_.owner = owner_;
    take_block_(std::exchange(block_, RawBlock{}));
  }

  uint64_t size() const { return block_.size; }

 private:
  std::shared_ptr<const void> owner_;
  const std::function<void(RawBlock)>& take_block_;
  RawBlock block_;
};

}  // namespace

std::string_view TarPadding(uint64_t size) {
  static constexpr std::array<char, kTarRecord> kZeros{};
  return {kZeros.data(), static_cast<size_t>(PadToTarRecord(size) - size)};
}

std::string EncodeCheckedHeader(const MemberInfo& info) {
  CheckMemberPath(info.path);
  std::string header = EncodeTarHeader(info);
  if (header.size() > kMaxTarHeaderBytes) {
    throw Error(ErrorKind::kSource,
                fmt::format("the extended attributes of {} are too large", info.path));
  }
  return header;
}

std::shared_ptr<const EncodedGroup> EncodeGroup(MemberGroup group) {
  auto encoded = std::make_shared<EncodedGroup>();
  encoded->group = std::move(group);
  for (Member& member : encoded->group.members) {
    member.info.size = member.content.size();
    encoded->headers.push_back(EncodeCheckedHeader(member.info));
    encoded->sha256.push_back(member.info.type == MemberType::kFile ? Sha256Hex(member.content)
                                                                    : std::string());
  }
  return encoded;
}

void CutGroup(const std::shared_ptr<const EncodedGroup>& encoded,
              const std::function<void(RawBlock)>& take_block) {
  BlockFiller filler(encoded, take_block);
  for (size_t i = 0; i < encoded->group.members.size(); ++i) {
    const std::string& content = encoded->group.members[i].content;
    const uint64_t bytes = encoded->headers[i].size() + PadToTarRecord(content.size());
    const bool own = content.size() >= kOwnBlockBytes;
    if (own || filler.size() + bytes > kBlockRawBytes) filler.EndBlock();
    filler.Append(encoded->headers[i]);
    filler.Append(content);
    filler.Append(TarPadding(content.size()));
    if (own) filler.EndBlock();
  }
  filler.EndBlock();
}

}  // namespace oxbackup
