#include "mysql/hand_script.h"

#include <gtest/gtest.h>

#include <string>

namespace oxbackup::mysql {
namespace {

// The lines that are no comments, without the settings at the top.
std::string Commands(const std::string& script) {
  std::string commands;
  for (size_t at = 0; at < script.size();) {
    const size_t end = script.find('\n', at);
    const std::string line = script.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with("--") && !line.starts_with("SET ")) commands += line + "\n";
  }
  return commands;
}

TEST(HandScriptTest, EveryMemberComesAfterWhatItNeeds) {
  ScriptDatabase one{"o`ne",
                     "data/mysql_dump/o%60ne-schema-create.sql",
                     {"data/mysql_dump/o%60ne.t-schema.sql"},
                     {"data/mysql_dump/o%60ne.t.1.sql", "data/mysql_dump/o%60ne.t.2.sql"},
                     {"data/mysql_dump/o%60ne.t-schema-triggers.sql"},
                     "data/mysql_dump/o%60ne-schema-post.sql"};
  ScriptDatabase two{"two", "data/mysql_dump/two-schema-create.sql", {}, {}, {}, ""};
  EXPECT_EQ(Commands(HandScript({one, two}, {{"two", "data/mysql_dump/two.v-schema-view.sql"}},
                                "data/mysql_dump/accounts.sql")),
            "source mysql_dump/o%60ne-schema-create.sql\n"
            "USE `o``ne`;\n"
            "source mysql_dump/o%60ne.t-schema.sql\n"
            "source mysql_dump/o%60ne.t.1.sql\n"
            "source mysql_dump/o%60ne.t.2.sql\n"
            "source mysql_dump/two-schema-create.sql\n"
            "USE `two`;\n"
            "USE `o``ne`;\n"
            "source mysql_dump/o%60ne.t-schema-triggers.sql\n"
            "source mysql_dump/o%60ne-schema-post.sql\n"
            "USE `two`;\n"
            "source mysql_dump/two.v-schema-view.sql\n");
}

TEST(HandScriptTest, AccountsAreNamedButNotLoaded) {
  const std::string script = HandScript({}, {}, "data/mysql_dump/accounts.sql");
  EXPECT_NE(script.find("mysql_dump/accounts.sql"), std::string::npos);
  EXPECT_EQ(Commands(script), "");
}

TEST(HandScriptTest, ItSaysHowToBeUsedWithAndWithoutSource) {
  const std::string script = HandScript({}, {}, "");
  EXPECT_NE(script.find("mysql --commands"), std::string::npos);
  EXPECT_NE(script.find("while IFS= read -r line"), std::string::npos);
}

}  // namespace
}  // namespace oxbackup::mysql
