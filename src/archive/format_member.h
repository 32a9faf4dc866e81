// The first member of every archive of ours: a text that tells people what they have before them
// and tells us that an archive whose end is lost was ours.
#pragma once

#include <string_view>

#include "archive/member.h"

namespace oxbackup {

inline constexpr char kFormatPath[] = "data/FORMAT";

/// The member, the same in every archive of this format.
Member MakeFormatMember();
/// True when a member's path and the beginning of its content (16 bytes suffice) are those of this
/// or any other format version.
bool IsFormatMember(std::string_view path, std::string_view content);

}  // namespace oxbackup
