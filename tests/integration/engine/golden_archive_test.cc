// Archives of every format version with databases in them restore into the servers of today, for
// ever. What has to come back stands beside them: it was written down when they were made, from the
// site that they are copies of, so neither the reader nor the writer of today has a say in it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "mongodb/extended_json.h"
#include "mongodb/server_testing.h"
#include "site_testing.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string Fixture(const std::string& name) {
  return std::string(OPENEDX_BACKUP_FIXTURES) + "/format-1/" + name;
}

class GoldenSite : public SiteTest {
 protected:
  void SetUp() override {
    for (const std::string& folder : {archives(), caddy(), media()}) fs::create_directory(folder);
    DropDatabases();
  }
  void TearDown() override { DropDatabases(); }

  void DropDatabases() const {
    Sql("DROP DATABASE IF EXISTS golden; DROP USER IF EXISTS 'golden reader'@'%';");
    mongodb::Session session(mongodb::TestServer(), std::stop_token());
    for (const char* const name : {"golden", "golden_oplog"}) {
      session.Run(name, mongodb::Bson().Add("dropDatabase", int32_t{1}), "cannot drop");
    }
  }

  std::string GoldenFingerprint() const {
    return Generator("fingerprint", {"--mysql-database", "golden", "--mongodb-database", "golden"});
  }
};

class GoldenArchive : public GoldenSite, public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Format1, GoldenArchive, ::testing::Values("tar.xz", "tar.zst", "tar"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '.');
                           return name;
                         });

TEST_P(GoldenArchive, RestoresAsOnTheDayItWasMade) {
  const std::string archive = Fixture(std::string("site.") + GetParam());
  ASSERT_TRUE(Ended(Engine({"verify", "--from", archive}), 0));
  ASSERT_TRUE(Ended(Restore({"--from", archive}), 0));
  EXPECT_EQ(GoldenFingerprint(), ReadTestFile(Fixture("site.fingerprint")));
  EXPECT_THAT(Sql("SHOW GRANTS FOR 'golden reader'@'%';"),
              HasSubstr("GRANT SELECT ON `golden`.* TO `golden reader`@`%`"));
}

// A line a document: its collection and its canonical extended JSON, in the order of those.
std::string DocumentsOf(const std::string& database, const std::vector<std::string>& collections) {
  mongodb::Session session(mongodb::TestServer(), std::stop_token());
  std::string lines;
  for (const std::string& name : collections) {
    std::vector<std::string> documents;
    mongodb::Cursor cursor(session, database, mongodb::Bson().Add("find", name));
    while (cursor.NextOrThrow("cannot read")) {
      documents.push_back(mongodb::ToJson(cursor.document()));
    }
    std::ranges::sort(documents);
    for (const std::string& document : documents) lines += fmt::format("{} {}\n", name, document);
  }
  return lines;
}

// A copy of a replica set whose collections were read while it was written to: only with the oplog
// in the archive is it one moment.
TEST_F(GoldenSite, AnArchiveWithAnOplogRestoresToItsMoment) {
  const std::string archive = Fixture("oplog.tar.xz");
  ASSERT_TRUE(Ended(Engine({"verify", "--from", archive}), 0));
  ASSERT_TRUE(Ended(Restore({"--from", archive, "--only", "mongodb"}), 0));
  EXPECT_EQ(DocumentsOf("golden_oplog", {"active_versions", "contents", "structures", "users"}),
            ReadTestFile(Fixture("oplog.documents")));
}

}  // namespace
}  // namespace oxbackup
