// What is written down about a swap before it begins.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/component.h"
#include "archive/member.h"

namespace oxbackup::files {

/// Its name in a working folder.
inline constexpr char kRecordName[] = "record.json";

enum class SwapState {
  kAnnounced,  ///< entries are old, new or between
  kSwapped,    ///< all entries are new
  kUndoing,    ///< entries are on the way back
  kKept,       ///< closed, with the old data kept
};

struct SwapRecord {
  SwapIntent intent;
  SwapState state = SwapState::kAnnounced;
  /// The paths of all trees that are swapped together, in the order of their records.
  std::vector<std::string> trees;
  /// What is moved in: plain names, with the numbers (inodes) by which each is recognised wherever
  /// it is.
  std::map<std::string, uint64_t> entries;
  /// Mode, owner, attributes and time of a target that stays where it is while its entries are
  /// exchanged.
  std::optional<MemberInfo> old_root;
  std::optional<MemberInfo> new_root;
};

std::string SerializeRecord(const SwapRecord& record);
/// Throws Error(kCorrupt).
SwapRecord ParseRecord(const std::string& json);

/// Reads the record in a working folder; nothing when there is none. Throws Error(kSource) or
/// Error(kCorrupt).
[[nodiscard]] std::optional<SwapRecord> ReadRecord(int work, const std::string& where);
/// Replaces it in one step and durably. Throws Error(kSource).
void WriteRecord(int work, const std::string& where, const SwapRecord& record);
/// Removes it durably. Throws Error(kSource).
void RemoveRecord(int work, const std::string& where);

}  // namespace oxbackup::files
