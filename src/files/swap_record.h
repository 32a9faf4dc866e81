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

/// A tree as the run knew it that swapped it.
struct RecordedTree {
  std::string name;
  std::string path;  ///< links resolved
};

struct SwapRecord {
  SwapIntent intent;
  SwapState state = SwapState::kAnnounced;
  /// All trees that are swapped together, in the order of their records; not empty.
  std::vector<RecordedTree> trees;
  /// Which of them this record is of.
  size_t own = 0;
  /// The inode of the working folder. In a copied tree it is another, and so are the entries'.
  uint64_t folder = 0;
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
