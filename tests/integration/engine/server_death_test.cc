// A database server is killed while it is copied from and while it is loaded.
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "mongodb/server_testing.h"
#include "site_testing.h"

namespace oxbackup {
namespace {

class ServerDeath : public SiteTest {
 protected:
  void SetUp() override {
    SiteTest::SetUp();
    Generator("destroy");
    Generator("fill", {"--mysql-size", "40M", "--mongodb-size", "20M", "--media-size", "1M"});
  }
  void TearDown() override {
    for (const std::string& server : {std::string("mysql"), Mongodb()}) Testbed("start", server);
    SiteTest::TearDown();
  }

  static std::string Mongodb() { return mongodb::MongodbServer(); }

  // `testbed kill` is kill -9; `start` waits until the server answers.
  static void Testbed(const std::string& command, const std::string& server) {
    const ProcessResult result =
        RunProcess({OPENEDX_BACKUP_FIXTURES "/../../testbed/testbed", command, server});
    EXPECT_EQ(result.status, 0) << result.error;
  }

  // Runs the engine on one component and kills its server as soon as `is_time`, while the engine is
  // stopped: a fast server would be done before it is killed.
  template <class IsTime>
  ProcessResult KilledMeanwhile(std::vector<std::string> arguments, const std::string& server,
                                const IsTime& is_time) {
    arguments.insert(arguments.end(), {"--only", server == "mysql" ? server : "mongodb"});
    const std::unique_ptr<Process> engine = StartEngine(arguments);
    while (engine->Runs() && !is_time()) {
    }
    engine->Signal(SIGSTOP);
    Testbed("kill", server);
    engine->Signal(SIGCONT);
    return engine->Wait();
  }

  void ExpectNoArchiveAfterDeathOf(const std::string& server) {
    const ProcessResult result = KilledMeanwhile({"backup", "--compression", "xz:9"}, server,
                                                 [&] { return !ArchiveFolder().empty(); });
    EXPECT_TRUE(Ended(result, 1));
    EXPECT_NE(result.error.find("error:"), std::string::npos) << result.error;
    EXPECT_EQ(ArchiveFolder(), std::vector<std::string>{});
    Testbed("start", server);
    ASSERT_TRUE(Ended(Backup(), 0));
  }
};

TEST_F(ServerDeath, OfMysqlDuringTheDumpLeavesNoArchive) { ExpectNoArchiveAfterDeathOf("mysql"); }

TEST_F(ServerDeath, OfMongodbDuringTheDumpLeavesNoArchive) {
  ExpectNoArchiveAfterDeathOf(Mongodb());
}

TEST_F(ServerDeath, OfMysqlDuringTheLoadLeavesTheLiveSite) {
  const std::string archived = Fingerprint();
  ASSERT_TRUE(Ended(Backup(), 0));
  Generator("change", {"--percent", "20"});
  const std::string live = Fingerprint();
  ASSERT_NE(live, archived);
  const ProcessResult result = KilledMeanwhile({"restore", "--yes"}, "mysql", [&] {
    return !Sql("SELECT TABLE_SCHEMA FROM information_schema.TABLES WHERE TABLE_SCHEMA="
                "'openedx__restore' GROUP BY TABLE_SCHEMA HAVING COUNT(*) > 5")
                .empty();
  });
  EXPECT_TRUE(Ended(result, 1));
  Testbed("start", "mysql");
  EXPECT_EQ(LiveFingerprint(), live);
  ASSERT_TRUE(Ended(Restore(), 0));
  EXPECT_EQ(Fingerprint(), archived);
}

TEST_F(ServerDeath, OfMongodbDuringTheLoadLeavesTheLiveSite) {
  ASSERT_TRUE(Ended(Backup(), 0));
  const std::string live = Fingerprint();
  const std::string uri = mongodb::MongodbVariable("URI");
  const ProcessResult result = KilledMeanwhile({"restore", "--yes"}, Mongodb(), [&] {
    return RunProcess({Tool("mongo-command"), uri, "openedx",
                       R"({"listCollections": 1, "nameOnly": true})"})
               .out.find("__restore") != std::string::npos;
  });
  EXPECT_TRUE(Ended(result, 1));
  Testbed("start", Mongodb());
  EXPECT_EQ(LiveFingerprint(), live);
  ASSERT_TRUE(Ended(Restore(), 0));
  EXPECT_EQ(Fingerprint(), live);
}

}  // namespace
}  // namespace oxbackup
