#include "mysql/shadow_site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace oxbackup::mysql {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

void ExpectCorrupt(ShadowSite& site, const MemberPath& path, const std::string& sql,
                   const std::string& message) {
  try {
    site.AddMember(path, sql);
    ADD_FAILURE() << "taken: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

TEST(ShadowSiteTest, ADatabaseThatIsCreatedAgainKeepsItsTables) {
  ShadowSite site({});
  site.AddDatabase("site", "CREATE DATABASE `site` CHARACTER SET latin1");
  site.AddTable("site", "t", "CREATE TABLE `t` (`a` int)");
  const ShadowTable* const table = site.FindTable("site", "t");
  site.AddDatabase("site", "CREATE DATABASE `site`");
  EXPECT_EQ(site.FindTable("site", "t"), table);
  EXPECT_THAT(site.FindDatabase("site")->options, HasSubstr("latin1"));
}

TEST(ShadowSiteTest, ATableThatIsDefinedTwiceIsRefused) {
  ShadowSite site({});
  site.AddDatabase("site", "CREATE DATABASE `site`");
  const MemberPath path{MemberKind::kTable, "site", "t"};
  site.AddMember(path, "CREATE TABLE `t` (`a` int);");
  const ShadowTable* const table = site.FindTable("site", "t");
  ExpectCorrupt(site, path, "CREATE TABLE `t` (`b` int);", "the table site.t twice");
  EXPECT_EQ(site.FindTable("site", "t"), table);
}

TEST(ShadowSiteTest, NothingIsTakenOfADatabaseThatTheArchiveDoesNotCreate) {
  ShadowSite site({});
  ExpectCorrupt(site, {MemberKind::kTable, "x", "t"}, "CREATE TABLE `t` (`a` int);",
                "the table x.t but not the database");
  ExpectCorrupt(site, {MemberKind::kView, "x", "v"}, "CREATE VIEW `v` AS SELECT 1;",
                "the view x.v but not the database");
  ExpectCorrupt(site, {MemberKind::kTriggers, "x", "t"}, "", "the triggers of x.t");
  ExpectCorrupt(site, {MemberKind::kPost, "x", ""}, "", "the routines and events of x");
  EXPECT_THAT(site.objects, IsEmpty());
}

}  // namespace
}  // namespace oxbackup::mysql
