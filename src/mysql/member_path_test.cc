#include "mysql/member_path.h"

#include <gtest/gtest.h>

#include "archive/path_name.h"

namespace oxbackup::mysql {
namespace {

void ExpectPath(const std::string& path, MemberKind kind, std::string_view database,
                std::string_view name) {
  const std::optional<MemberPath> parsed = ParseMemberPath(path);
  ASSERT_TRUE(parsed) << path;
  EXPECT_EQ(parsed->kind, kind) << path;
  EXPECT_EQ(parsed->database, database) << path;
  EXPECT_EQ(parsed->name, name) << path;
}

TEST(MemberPath, NamesComeBackFromEveryKindOfMember) {
  const std::string database = "open.edx-schema";
  const std::string table = "a.b-schema";
  const std::string d = "data/mysql_dump/" + EscapeName(database);
  const std::string t = d + "." + EscapeName(table);
  ExpectPath(d + "-schema-create.sql", MemberKind::kDatabase, database, "");
  ExpectPath(d + "-schema-post.sql", MemberKind::kPost, database, "");
  ExpectPath(t + "-schema.sql", MemberKind::kTable, database, table);
  ExpectPath(t + "-schema-view.sql", MemberKind::kView, database, table);
  ExpectPath(t + "-schema-triggers.sql", MemberKind::kTriggers, database, table);
  ExpectPath(t + ".00000000000000000001.sql", MemberKind::kRows, database, table);
  ExpectPath(t + ".h0123456789abcdef-2.sql", MemberKind::kRows, database, table);
  ExpectPath("data/mysql_dump/accounts.sql", MemberKind::kAccounts, "", "");
}

TEST(MemberPath, OtherPathsAreNoMembers) {
  for (const char* path : {"data/mysql_dump.sql", "data/mysql_dump/x", "data/mysql_dump/x.sql",
                           "data/mysql_dump/d-schema.sql", "data/caddy/d.t.1.sql"}) {
    EXPECT_FALSE(ParseMemberPath(path)) << path;
  }
}

}  // namespace
}  // namespace oxbackup::mysql
