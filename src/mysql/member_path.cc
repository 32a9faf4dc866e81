#include "mysql/member_path.h"

#include "archive/path_name.h"

namespace oxbackup::mysql {
namespace {

bool TakeSuffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

MemberPath WithDatabase(MemberKind kind, std::string_view database) {
  return {kind, UnescapeName(database), ""};
}

std::optional<MemberPath> WithTable(MemberKind kind, std::string_view names) {
  const size_t dot = names.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  return MemberPath{kind, UnescapeName(names.substr(0, dot)), UnescapeName(names.substr(dot + 1))};
}

}  // namespace

std::string FormatMemberPath(const MemberPath& path, std::string_view chunk) {
  if (path.kind == MemberKind::kAccounts) return std::string(kAccountsPath);
  std::string text = std::string(kMemberFolder) + EscapeName(path.database);
  if (!path.name.empty()) text += '.' + EscapeName(path.name);
  switch (path.kind) {
    case MemberKind::kDatabase:
      return text + "-schema-create.sql";
    case MemberKind::kTable:
      return text + "-schema.sql";
    case MemberKind::kRows:
      return text + '.' + std::string(chunk) + ".sql";
    case MemberKind::kView:
      return text + "-schema-view.sql";
    case MemberKind::kTriggers:
      return text + "-schema-triggers.sql";
    case MemberKind::kPost:
    case MemberKind::kAccounts:
      break;
  }
  return text + "-schema-post.sql";
}

std::optional<MemberPath> ParseMemberPath(std::string_view path) {
  if (path == kAccountsPath) return MemberPath{MemberKind::kAccounts, "", ""};
  if (!path.starts_with(kMemberFolder)) return std::nullopt;
  std::string_view rest = path.substr(kMemberFolder.size());
  if (TakeSuffix(rest, "-schema-create.sql")) return WithDatabase(MemberKind::kDatabase, rest);
  if (TakeSuffix(rest, "-schema-post.sql")) return WithDatabase(MemberKind::kPost, rest);
  if (TakeSuffix(rest, "-schema-triggers.sql")) return WithTable(MemberKind::kTriggers, rest);
  if (TakeSuffix(rest, "-schema-view.sql")) return WithTable(MemberKind::kView, rest);
  if (TakeSuffix(rest, "-schema.sql")) return WithTable(MemberKind::kTable, rest);
  if (!TakeSuffix(rest, ".sql")) return std::nullopt;
  const size_t chunk = rest.rfind('.');
  if (chunk == std::string_view::npos) return std::nullopt;
  return WithTable(MemberKind::kRows, rest.substr(0, chunk));
}

}  // namespace oxbackup::mysql
