#include "mysql/packet_size.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace oxbackup::mysql {
namespace {

// No server can be set to more.
constexpr uint64_t kGreatestLimit = uint64_t{1} << 30;
// The byte that says what kind of command a packet is.
constexpr uint64_t kCommandBytes = 1;

}  // namespace

uint64_t StatementLimit(Session& session) {
  const uint64_t limit = ToNumber(session.QueryValue("SELECT @@GLOBAL.max_allowed_packet"));
  return limit - std::min(limit, kCommandBytes);
}

std::string RoomFor(uint64_t bytes) {
  constexpr uint64_t kMebibyte = uint64_t{1} << 20;
  const uint64_t whole = (bytes + kCommandBytes + kMebibyte - 1) / kMebibyte * kMebibyte;
  return fmt::format("SET GLOBAL max_allowed_packet={}", whole);
}

void RefuseTooLong(const std::string& table, uint64_t bytes, uint64_t limit) {
  if (bytes <= limit) return;
  Error error(ErrorKind::kUsage,
              fmt::format("the table {} has a row that takes an INSERT of {}, and the server's "
                          "max_allowed_packet is {}",
                          table, FormatBytes(bytes), FormatBytes(limit + kCommandBytes)));
  if (bytes >= kGreatestLimit) {
    throw error.Hint("no server takes a statement of more than 1 GiB: the row cannot be restored");
  }
  throw error.Hint(RoomFor(bytes) +
                   " (and in the server's configuration, since a restart forgets it), then restore "
                   "again");
}

}  // namespace oxbackup::mysql
