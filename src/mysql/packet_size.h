// How long a statement a server takes (max_allowed_packet), and what to say of a longer one.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// Detail of a table in the manifest: bytes of its longest INSERT, where that is more than the
/// mebibyte that rows are gathered up to.
inline constexpr char kLongestStatement[] = "longest_statement";

/// What a new session's statement may have at most, bytes.
uint64_t StatementLimit(Session& session);

/// "SET GLOBAL max_allowed_packet=…" with room for a statement of `bytes`.
std::string RoomFor(uint64_t bytes);

/// Throws Error(kUsage) that names both sizes and how to raise the limit, when a statement of
/// `bytes` is beyond it.
void RefuseTooLong(const std::string& table, uint64_t bytes, uint64_t limit);

}  // namespace oxbackup::mysql
