// Which member of an archive holds what of a MySQL server (docs/format.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace oxbackup::mysql {

inline constexpr std::string_view kMemberFolder = "data/mysql_dump/";
/// In our archives a short script for the stock client; in mysqldump-made ones the whole dump.
inline constexpr std::string_view kScriptPath = "data/mysql_dump.sql";
inline constexpr std::string_view kAccountsPath = "data/mysql_dump/accounts.sql";

enum class MemberKind {
  kDatabase,  ///< <db>-schema-create.sql
  kTable,     ///< <db>.<table>-schema.sql
  kRows,      ///< <db>.<table>.<chunk>.sql
  kView,      ///< <db>.<view>-schema-view.sql
  kTriggers,  ///< <db>.<table>-schema-triggers.sql
  kPost,      ///< <db>-schema-post.sql: routines and events
  kAccounts,
};

struct MemberPath {
  MemberKind kind;
  std::string database;  ///< empty for kAccounts
  std::string name;      ///< table or view; empty where there is none
};

/// The path of a member. `chunk`: of kRows alone, the name that RowChunks gave it.
std::string FormatMemberPath(const MemberPath& path, std::string_view chunk = "");

/// Nothing for a path that is not below kMemberFolder or not of these forms.
/// Throws Error(kCorrupt) for a malformed escape.
[[nodiscard]] std::optional<MemberPath> ParseMemberPath(std::string_view path);

}  // namespace oxbackup::mysql
