#include "mongodb/write_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/run_context_testing.h"
#include "mongodb/dump_model_testing.h"
#include "mongodb/dump_testing.h"
#include "mongodb/extended_json.h"
#include "mongodb/id_range.h"
#include "mongodb/recorded_replies_testing.h"

namespace oxbackup::mongodb {
namespace {

using ::testing::HasSubstr;

constexpr char kStructures[] = "openedx.modulestore.structures";
constexpr char kVersions[] = "openedx.modulestore.active_versions";

uint64_t Now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(since).count());
}

std::string Structure(uint64_t seconds) {
  const IdValue id = ObjectIdAt(seconds);
  return std::string(
      Bson().AddValue("_id", id.type, id.bytes).Add("x", std::string(100'000, 'x')).bytes());
}

std::string Version(std::string_view course, std::string_view structure) {
  return std::string(Bson().Add("_id", course).Add("structure", structure).bytes());
}

/// A standalone server with a course, whose site writes while it is copied: once right before the
/// lock takes hold, and again as soon as it is released.
class WriteLockTest : public testing::Test {
 protected:
  WriteLockTest() {
    for (uint64_t i = 0; i < 50; ++i)
      server_.model.InsertRaw(kStructures, Structure(1'700'000'000 + i * 1000));
    // Not every document of such a collection has an ObjectId.
    server_.model.Insert(kStructures, R"({"_id": "by hand"})");
    server_.model.Insert(kStructures, R"({"_id": {"$date": {"$numberLong": "5"}}})");
    server_.model.InsertRaw(kVersions, Version("first", "old"));
    server_.server.Handle("fsync", [this](const ScriptedCommand&) {
      server_.model.InsertRaw(kStructures, Structure(Now()));
      server_.model.Insert(kStructures, R"({"_id": "by hand too"})");
      server_.model.Create("openedx.new");
      server_.model.Insert("openedx.new", R"({"_id": 1})");
      server_.model.InsertRaw(kVersions, Version("second", "new"));
      locked_ = true;
      return OkReply(R"({"info": "now locked against writes", "lockCount": {"$numberLong": "1"}})");
    });
    server_.server.Handle("fsyncUnlock", [this](const ScriptedCommand&) {
      if (!locked_) return ErrorReply(0, "", "fsyncUnlock called when not locked");
      locked_ = false;
      server_.model.InsertRaw(kVersions, Version("third", "too late"));
      return OkReply(R"({"info": "fsyncUnlock completed", "lockCount": {"$numberLong": "0"}})");
    });
    server_.server.Handle("currentOp", [this](const ScriptedCommand&) {
      return OkReply(locked_ ? R"({"inprog": [], "fsyncLock": true})" : R"({"inprog": []})");
    });
    options_.write_lock = true;
  }

  size_t Unlocks() const { return server_.server.Commands("fsyncUnlock").size(); }
  std::unique_ptr<BackupSource> Source() {
    return MakeBackupSource(server_.connect, options_, run_.run);
  }
  std::string RefusalOfSnapshot() {
    const auto source = Source();
    source->Prepare();
    try {
      source->TakeSnapshot();
    } catch (const Error& error) {
      EXPECT_EQ(server_.server.Commands("fsync").size(), 0u);
      return std::string(ErrorKindName(error.kind())) + ": " + error.what() + ": " + error.cause();
    }
    return "no refusal";
  }

  bool locked_ = false;  // declared before the server, whose handlers use it
  ModelServer server_;
  DumpOptions options_;
  TestRun run_;
};

TEST_F(WriteLockTest, TheCopyIsTheSiteAtTheLock) {
  const TestDump dump = RunTestDump(server_.connect, options_, run_);
  const auto versions =
      DumpedDocuments(dump, "data/mongodb_dump/openedx/modulestore%2Eactive_versions.bson");
  EXPECT_THAT(versions,
              testing::UnorderedElementsAre(Version("first", "old"), Version("second", "new")));
  auto structures =
      DumpedDocuments(dump, "data/mongodb_dump/openedx/modulestore%2Estructures.bson");
  auto stored = server_.model.RawDocuments(kStructures);
  std::ranges::sort(structures);
  std::ranges::sort(stored);
  EXPECT_EQ(structures, stored);
  EXPECT_EQ(FindEntry(dump, "openedx", "modulestore.structures")->items, 54u);
  EXPECT_EQ(DumpedDocuments(dump, "data/mongodb_dump/openedx/new.bson").size(), 1u);
  EXPECT_TRUE(dump.members.contains("data/mongodb_dump/openedx/new.metadata.json"));
  EXPECT_THAT(dump.manifest.consistency, HasSubstr("one moment"));
  EXPECT_THAT(dump.manifest.consistency, HasSubstr("fsyncLock"));
  EXPECT_EQ(Unlocks(), 1u);
  EXPECT_THAT(run_.warnings.All(), testing::IsEmpty());
}

TEST_F(WriteLockTest, OnlyTheTailOfInsertOnlyCollectionsIsReadUnderTheLock) {
  RunTestDump(server_.connect, options_, run_);
  uint64_t early = 0;
  for (const ScriptedCommand& command : server_.server.Commands()) {
    if (command.name == "fsync") break;
    const auto to = FindPath(command.body, {"max", "_id"});
    if (!to || !FindField(command.body, "batchSize")) continue;
    EXPECT_EQ(to->type, BsonType::kObjectId);
    ++early;
  }
  EXPECT_GT(early, 0u);
}

TEST_F(WriteLockTest, WritersWaitUntilTheOtherDatabasesHaveTheirMoment) {
  const auto source = Source();
  source->Prepare();
  source->TakeSnapshot();
  EXPECT_TRUE(source->moment_is_end_of_copy());
  EXPECT_FALSE(locked_);
  StringSink sink;
  ArchiveWriterOptions archive;
  archive.compression = ParseCompression("none");
  ArchiveWriter writer(sink, archive, run_.run);
  source->Copy(writer);
  EXPECT_TRUE(locked_);
  source->ReleaseMoment();
  EXPECT_FALSE(locked_);
  EXPECT_EQ(Unlocks(), 1u);
}

TEST_F(WriteLockTest, AnErrorUnderTheLockLetsWritersGoOn) {
  server_.server.Fail({.command = "find",
                       .skip = 0,
                       .times = 0,
                       .when = [this](const ScriptedCommand&) { return locked_; }},
                      kUnauthorized);
  EXPECT_THROW(RunTestDump(server_.connect, options_, run_), Error);
  EXPECT_FALSE(locked_);
}

TEST_F(WriteLockTest, AStopUnderTheLockLetsWritersGoOn) {
  server_.server.Handle("count", [this](const ScriptedCommand&) -> std::optional<Bson> {
    if (locked_) run_.stop.request_stop();
    return std::nullopt;
  });
  EXPECT_THROW(RunTestDump(server_.connect, options_, run_), Error);
  EXPECT_FALSE(locked_);
  EXPECT_EQ(Unlocks(), 1u);
}

TEST_F(WriteLockTest, ALostConnectionIsReplacedToUnlock) {
  server_.server.Drop({.command = "fsyncUnlock", .skip = 0, .times = 1}, false);
  RunTestDump(server_.connect, options_, run_);
  EXPECT_FALSE(locked_);
  EXPECT_THAT(run_.warnings.All(), testing::IsEmpty());
}

TEST_F(WriteLockTest, ALockWhoseReplyWasLostIsReleased) {
  server_.server.Drop({.command = "fsync", .skip = 0, .times = 1}, true);
  EXPECT_THROW(RunTestDump(server_.connect, options_, run_), Error);
  EXPECT_FALSE(locked_);
  EXPECT_THAT(run_.warnings.All(), testing::IsEmpty());
}

TEST_F(WriteLockTest, AnInsertOnlyCollectionThatLostDocumentsEndsTheRun) {
  server_.server.Handle("fsync", [this](const ScriptedCommand& command) -> std::optional<Bson> {
    server_.model.Run({"openedx", "delete",
                       std::string(FromJson(R"({"delete": "modulestore.structures", "deletes": [
                           {"q": {"_id": {"$oid": "6553f1000000000000000000"}}, "limit": 1}]})",
                                            "a test")
                                       .bytes()),
                       command.connection});
    return std::nullopt;
  });
  try {
    RunTestDump(server_.connect, options_, run_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("modulestore.structures"));
  }
  EXPECT_FALSE(locked_);
}

TEST_F(WriteLockTest, AServerThatIsLockedAlreadyIsNamed) {
  locked_ = true;
  EXPECT_THAT(RefusalOfSnapshot(), HasSubstr("source: MongoDB is locked against writes"));
}

TEST_F(WriteLockTest, AnAccountWithoutTheRightIsNamed) {
  server_.server.Handle("connectionStatus", [](const ScriptedCommand&) {
    return OkReply(R"({"authInfo": {"authenticatedUsers": [{"user": "bk", "db": "admin"}],
        "authenticatedUserRoles": [{"role": "backup", "db": "admin"}],
        "authenticatedUserPrivileges": [{"resource": {"cluster": true}, "actions": ["listDatabases"]}]}})");
  });
  EXPECT_THAT(RefusalOfSnapshot(), HasSubstr("usage: "));
  EXPECT_THAT(RefusalOfSnapshot(), HasSubstr("hostManager"));
}

TEST(WriteLock, RefusesFerretDb) {
  ModelOptions options;
  options.ferretdb = true;
  ModelServer server(options);
  server.model.Insert("db.c", R"({"_id": 1})");
  Session session(server.connect, {});
  EXPECT_THROW(CheckWriteLock(session), Error);
}

// As the recorded mongod answers: locked, asked, unlocked, and not allowed to.
TEST(WriteLock, UnderstandsARealServersReplies) {
  ScriptedServer server;
  AnswerFromRecording(server, "standalone");
  ConnectOptions connect;
  connect.uri = server.uri();
  Session session(connect, {});
  TestRun run;
  {
    WriteLock lock(session, connect, run.run);
    EXPECT_THROW(RefuseLockedServer(session), Error);
    lock.Release();
  }
  EXPECT_EQ(server.Commands("fsyncUnlock").size(), 1u);
  EXPECT_THAT(run.warnings.All(), testing::IsEmpty());

  ScriptedServer with_accounts;
  AnswerFromRecording(with_accounts, "standalone_auth", "bk");
  connect.uri = with_accounts.uri();
  Session other(connect, {});
  EXPECT_NO_THROW(RefuseLockedServer(other));
  EXPECT_THROW(WriteLock(other, connect, run.run), Error);
  EXPECT_EQ(with_accounts.Commands("fsyncUnlock").size(), 0u);
}

}  // namespace
}  // namespace oxbackup::mongodb
