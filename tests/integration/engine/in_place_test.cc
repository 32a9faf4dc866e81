// Restores in place of a whole site: what is live goes first, and what comes is equal.
#include <nlohmann/json.hpp>
#include <stop_token>

#include "base/temporary_folder_testing.h"
#include "mongodb/server_testing.h"
#include "site_testing.h"

namespace oxbackup {
namespace {

using mongodb::Bson;

class InPlaceRestore : public SiteTest {
 protected:
  static void InsertInto(const std::string& database, const std::string& collection) {
    mongodb::Session session(mongodb::TestServer(), std::stop_token());
    const Bson document = Bson().Add("_id", "newer");
    static_cast<void>(session.Run(
        database, Bson().Add("insert", collection).AddArray("documents", Bson().Add("0", document)),
        "inserting into " + collection));
  }
  static void DropDatabase(const std::string& name) {
    mongodb::Session session(mongodb::TestServer(), std::stop_token());
    static_cast<void>(
        session.Run(name, Bson().Add("dropDatabase", int32_t{1}), "dropping " + name));
  }

  // Newer rows, tables, views, triggers, documents, collections and files.
  void ChangeSite() const {
    Sql("UPDATE openedx.auth_user SET first_name = 'Changed';"
        "CREATE TABLE openedx.newer (id INT PRIMARY KEY); INSERT INTO openedx.newer VALUES (1);"
        "CREATE VIEW openedx.newer_view AS SELECT id FROM openedx.newer;"
        "CREATE TRIGGER openedx.newer_trigger BEFORE INSERT ON openedx.newer FOR EACH ROW "
        "SET @a = 1;");
    InsertInto("openedx", "newer");
    InsertInto("cs_comments_service", "contents");
    WriteTestFile(caddy() + "/newer/file.txt", "newer");
  }
};

TEST_F(InPlaceRestore, OverAChangedSiteIsEqualToTheArchive) {
  const std::string before = Fingerprint();
  ASSERT_TRUE(Ended(Backup(), 0));
  ChangeSite();
  WriteTestFile(media() + "/newer.txt", "newer");
  ASSERT_NE(Fingerprint(), before);
  const ProcessResult restored = Restore({"--in-place", "--json"});
  ASSERT_TRUE(Ended(restored, 0));
  EXPECT_EQ(nlohmann::json::parse(restored.out).at("in_place"), true);
  EXPECT_EQ(Fingerprint(), before);
}

// Databases that the archive does not hold are nobody's business.
TEST_F(InPlaceRestore, TouchesNothingBesideWhatTheArchiveHolds) {
  ASSERT_TRUE(Ended(Backup(), 0));
  Sql("CREATE DATABASE oxb_other; CREATE TABLE oxb_other.kept (id INT PRIMARY KEY);");
  InsertInto("oxb_other", "kept");
  WriteTestFile(caddy() + "/newer.txt", "newer");
  const std::string before = Fingerprint();
  Sql("UPDATE openedx.auth_user SET first_name = 'Changed';");
  EXPECT_TRUE(Ended(Restore({"--in-place", "--exclude", "caddy"}), 0));
  EXPECT_EQ(Fingerprint(), before);
  Sql("DROP DATABASE oxb_other;");
  DropDatabase("oxb_other");
}

// A restore of some collections leaves the others where they are.
TEST_F(InPlaceRestore, RemovesNoCollectionThatTheOptionsLeaveOut) {
  ASSERT_TRUE(Ended(Backup(), 0));
  InsertInto("openedx", "newer");
  const std::string before = Fingerprint();
  InsertInto("cs_comments_service", "contents");
  ASSERT_NE(Fingerprint(), before);
  ASSERT_TRUE(Ended(Restore({"--in-place", "--only", "mongodb", "--mongorestore-options",
                             "--nsInclude=cs_comments_service.*"}),
                    0));
  EXPECT_EQ(Fingerprint(), before);
}

TEST_F(InPlaceRestore, OfAnArchiveWithoutAManifestIsEqual) {
  const std::string before = Fingerprint();
  ASSERT_TRUE(Ended(Backup(), 0));
  const std::string unpacked = (folder() / "unpacked").string();
  ASSERT_TRUE(Ended(Engine({"extract", "--to", unpacked}), 0));
  const std::string foreign = archives() + "/foreign.tar";
  ASSERT_EQ(RunProcess({"tar", "--format=posix", "-C", unpacked, "-cf", foreign, "data"}).status,
            0);
  ChangeSite();
  const ProcessResult restored =
      Restore({"--in-place", "--name", "foreign.tar", "--exclude", "media"});
  ASSERT_TRUE(restored.status == 0 || restored.status == 3) << restored.error;
  EXPECT_EQ(Fingerprint(), before);
}

TEST_F(InPlaceRestore, OfACutScriptRemovesNothing) {
  ASSERT_TRUE(Ended(Backup(), 0));
  ChangeSite();
  const std::string before = Fingerprint();
  WriteTestFile(folder() / "cut" / "data" / "mysql_dump.sql",
                "CREATE DATABASE `openedx`;\nUSE `openedx`;\nCREATE TABLE `t` (`id` int);\n"
                "INSERT INTO `t` VALUES ('cut");
  const std::string foreign = archives() + "/foreign.tar";
  ASSERT_EQ(RunProcess({"tar", "-C", (folder() / "cut").string(), "-cf", foreign, "data"}).status,
            0);
  const ProcessResult failed =
      Restore({"--in-place", "--name", "foreign.tar", "--only", "mysql", "--json"});
  EXPECT_EQ(nlohmann::json::parse(failed.out).at("aftermath"), "Nothing live was changed.");
  EXPECT_EQ(Fingerprint(), before);
}

}  // namespace
}  // namespace oxbackup
