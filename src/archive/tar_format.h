// Tar headers, written and read by libarchive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "archive/member.h"

struct archive_entry;

namespace oxbackup {

/// Headers and contents begin at multiples of this.
inline constexpr uint64_t kTarRecord = 512;
/// Zeros that end a tar stream.
inline constexpr uint64_t kTarEndBytes = 2 * kTarRecord;
/// No header of a member, with its names and extended attributes, is longer.
inline constexpr uint64_t kMaxTarHeaderBytes = uint64_t{4} << 20;

/// Rounds up to whole tar records. REQUIRES: size <= INT64_MAX.
constexpr uint64_t PadToTarRecord(uint64_t size) {
  return (size + kTarRecord - 1) / kTarRecord * kTarRecord;
}

/// A member's header: plain ustar where that can say everything, else with a pax header before it.
/// The same info gives the same bytes, whatever the process's locale is.
/// Throws Error(kSource) for what tar cannot hold.
std::string EncodeTarHeader(const MemberInfo& info);
/// The reverse. Throws Error(kCorrupt) for anything but one whole header.
MemberInfo DecodeTarHeader(std::string_view header);

/// What libarchive read: "./" before and "/" behind the path are dropped; nothing else is checked.
/// Throws Error(kCorrupt) for members that are no file, directory or link.
MemberInfo MemberInfoOfEntry(archive_entry* entry);
/// Throws Error(kCorrupt) for paths that are empty or absolute or hold ".." or NUL.
void CheckMemberPath(std::string_view path);

/// For the time of a libarchive call the thread's character set is UTF-8, since libarchive converts
/// names by way of it and would replace what the C locale cannot say.
class Utf8Scope {
 public:
  Utf8Scope();
  ~Utf8Scope();
  Utf8Scope(const Utf8Scope&) = delete;
  Utf8Scope& operator=(const Utf8Scope&) = delete;

 private:
  void* previous_;
};

}  // namespace oxbackup
