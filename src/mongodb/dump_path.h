// What the members below data/mongodb_dump/ are: ours, and those of a mongodump.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace oxbackup::mongodb {

inline constexpr char kDumpFolder[] = "data/mongodb_dump/";

/// In the manifest, where the archive has a slice of the oplog: the detail of a collection or view
/// that it changes, whose digest is of what was read before; and the position that lists, a line
/// each, what came to be during the copy, as "db.collection".
inline constexpr char kStateDetail[] = "state";
inline constexpr char kBeforeOplog[] = "before oplog";
inline constexpr char kAddedByOplog[] = "added_by_oplog";

enum class DumpMemberKind { kData, kMetadata, kOplog };

struct DumpMember {
  DumpMemberKind kind = DumpMemberKind::kData;
  std::string database;
  /// As the path says it. A name too long for a path is cut there by mongodump; the metadata's
  /// collectionName tells it whole.
  std::string collection;
  std::string part;  ///< ours: which part of a collection or oplog; empty for a whole one

  friend bool operator==(const DumpMember&, const DumpMember&) = default;
};

/// Nothing for members that are no part of a MongoDB dump, or that a restore passes over
/// (prelude.json and folders). Throws Error(kUsage) for a dump that mongodump compressed file by
/// file (.gz).
[[nodiscard]] std::optional<DumpMember> ParseDumpPath(std::string_view path);

}  // namespace oxbackup::mongodb
