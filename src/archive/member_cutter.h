// Cuts the tar bytes of a group of members into blocks.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "archive/block_pipeline.h"
#include "archive/member.h"

namespace oxbackup {

/// A member whose content is this large begins and ends a block.
inline constexpr uint64_t kOwnBlockBytes = uint64_t{1} << 20;

/// The tar bytes of a group, in memory that stays in place: blocks point into it.
struct EncodedGroup {
  MemberGroup group;
  std::vector<std::string> headers;  ///< one a member
  std::vector<std::string> sha256;   ///< one a member; empty unless it is a file
};

/// Makes headers and digests, and sets every info.size from the content. Throws Error(kSource) for
/// what no archive may hold.
std::shared_ptr<const EncodedGroup> EncodeGroup(MemberGroup group);

/// Cuts a group into blocks, whose borders depend on its members alone.
void CutGroup(const std::shared_ptr<const EncodedGroup>& encoded,
              const std::function<void(RawBlock)>& take_block);

/// The zeros that fill a content of `size` bytes up to a whole tar record.
std::string_view TarPadding(uint64_t size);

/// Encodes a header that readers will accept.
std::string EncodeCheckedHeader(const MemberInfo& info);

}  // namespace oxbackup
