#include "mongodb/dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/run_context_testing.h"
#include "mongodb/dump_model_testing.h"
#include "mongodb/dump_path.h"
#include "mongodb/dump_testing.h"
#include "mongodb/extended_json.h"

namespace oxbackup::mongodb {
namespace {

struct Dump : TestDump {
  std::vector<std::string> warnings;
};

Dump RunDump(const ConnectOptions& connect) {
  TestRun run;
  Dump dump;
  static_cast<TestDump&>(dump) = RunTestDump(connect, {}, run);
  dump.warnings = run.warnings.All();
  return dump;
}

ModelOptions ReplicaSet() {
  ModelOptions options;
  options.version = "5.0.0";
  options.replica_set = true;
  return options;
}

// Lets the model's replies name the instant that was asked for, as a replica set of 5.0 does.
void NameInstants(ModelServer& server) {
  server.server.Handle("find", [&server](const ScriptedCommand& command) -> std::optional<Bson> {
    const auto level = FindPath(command.body, {"readConcern", "level"});
    if (!level || level->AsText() != "snapshot") return std::nullopt;
    const auto at = FindPath(command.body, {"readConcern", "atClusterTime"});
    const Bson reply = server.model.Run(command);
    const auto cursor = FindField(reply.bytes(), "cursor");
    if (!cursor) return reply;
    Bson named(*cursor->AsDocument());
    named.Add("atClusterTime", at ? *at->AsTimestamp() : Timestamp{1'700'000'000, 5});
    return Bson().Add("cursor", named).Add("ok", 1.0);
  });
}

// One collection of about 5 MB: several parts, read in one range.
void FillBig(ModelServer& server, const std::string& ns) {
  for (int i = 0; i < 50; ++i) {
    server.model.InsertRaw(
        ns, std::string(Bson().Add("_id", int32_t{i}).Add("x", std::string(100'000, 'x')).bytes()));
  }
}

void ExpectWhole(const Dump& dump, const std::string& prefix, size_t count) {
  std::set<int64_t> ids;
  const std::vector<std::string> documents = DumpedDocuments(dump, prefix);
  for (const std::string& document : documents) ids.insert(*FindField(document, "_id")->AsInt());
  EXPECT_EQ(documents.size(), count);
  EXPECT_EQ(ids.size(), count);
}

TEST(MongoDump, ReadsEverythingAtTheInstantOfAReplicaSet) {
  ModelServer server(ReplicaSet());
  NameInstants(server);
  FillBig(server, "db.big");
  server.model.Insert("db.small", R"({"_id": 1})");
  server.model.Create("db.log", R"({"capped": true, "size": 100000})");
  server.model.Insert("db.log", R"({"_id": 1})");
  const Dump dump = RunDump(server.connect);
  EXPECT_EQ(dump.manifest.positions.at("at_cluster_time"), "1700000000:5");
  EXPECT_EQ(FormatRfc3339(dump.manifest.moment), "2023-11-14T22:13:20.000Z");
  EXPECT_NE(dump.manifest.consistency.find("one instant"), std::string::npos);
  EXPECT_TRUE(dump.warnings.empty());
  ExpectWhole(dump, "data/mongodb_dump/db/big.bson", 50);
  for (const ScriptedCommand& find : server.server.Commands("find")) {
    if (!FindField(find.body, "batchSize")) continue;  // probes and plans
    const bool capped = FindField(find.body, "hint") == std::nullopt;
    EXPECT_EQ(FindPath(find.body, {"readConcern", "atClusterTime"}).has_value(), !capped)
        << ToJson(find.body);
  }
}

TEST(MongoDump, SaysWhichCollectionsWereReadLaterThanTheInstant) {
  ModelServer server(ReplicaSet());
  NameInstants(server);
  FillBig(server, "db.big");
  server.model.Insert("db.small", R"({"_id": 1})");
  server.server.Fail({.command = "getMore", .skip = 0, .times = 1}, kSnapshotTooOld);
  const Dump dump = RunDump(server.connect);
  ExpectWhole(dump, "data/mongodb_dump/db/big.bson", 50);
  ASSERT_EQ(dump.warnings.size(), 1u);
  EXPECT_NE(dump.warnings[0].find("db.big"), std::string::npos);
  EXPECT_NE(dump.manifest.consistency.find("read later: db.big"), std::string::npos);
}

// A copy that outlives the server's past, which the role backup may not lengthen.
TEST(MongoDump, MakesItOneMomentByTheOplogWhenTheInstantIsGone) {
  ModelOptions options = ReplicaSet();
  options.oplog = true;
  ModelServer server(options);
  NameInstants(server);
  const auto write = [&](std::string_view body) {
    const Bson command = FromJson(body, "a write");
    server.model.Run({"db", "insert", std::string(command.bytes()), 0});
  };
  write(R"({"insert": "small", "documents": [{"_id": 1}]})");
  FillBig(server, "db.big");
  server.server.Fail({.command = "setParameter", .times = 0}, kUnauthorized);
  server.server.Fail({.command = "getMore", .skip = 0, .times = 1}, kSnapshotTooOld);
  TestRun run;
  Dump dump;
  static_cast<TestDump&>(dump) = RunTestDump(server.connect, {}, run, [&] {
    write(R"({"insert": "small", "documents": [{"_id": "written during the copy"}]})");
  });
  EXPECT_THAT(run.warnings.All(), testing::IsEmpty());
  ExpectWhole(dump, "data/mongodb_dump/db/big.bson", 50);
  EXPECT_TRUE(dump.members.contains("data/mongodb_dump/oplog.bson"));
  EXPECT_EQ(dump.manifest.positions.at("oplog_entries"), "1");
  EXPECT_FALSE(dump.manifest.positions.contains("at_cluster_time"));
  EXPECT_NE(dump.manifest.consistency.find("oplog replayed"), std::string::npos);
}

TEST(MongoDump, SaysHonestlyThatAStandaloneHasNoOneInstant) {
  ModelServer server;
  server.model.Insert("db.modulestore.definitions", R"({"_id": 1})");
  server.model.Insert("db.modulestore.structures", R"({"_id": 1})");
  server.model.Insert("db.modulestore.active_versions", R"({"_id": 1})");
  const Dump dump = RunDump(server.connect);
  EXPECT_NE(dump.manifest.consistency.find("one after the other"), std::string::npos);
  EXPECT_FALSE(dump.manifest.positions.contains("at_cluster_time"));
  std::vector<std::string> order;
  for (const ScriptedCommand& find : server.server.Commands("find")) {
    // By UUID, so the model tells which one it was by its document's place in the catalog.
    const auto uuid = FindField(find.body, "find")->AsUuid();
    if (!uuid || !FindField(find.body, "batchSize")) continue;
    for (const char* name : {"active_versions", "structures", "definitions"}) {
      const auto collection = server.model.Find(std::string("db.modulestore.") + name);
      if (collection->uuid == *uuid) order.push_back(name);
    }
  }
  EXPECT_EQ(order, (std::vector<std::string>{"active_versions", "structures", "definitions"}));
}

TEST(MongoDump, SurvivesAKilledCursorInTheMiddleOfABigCollection) {
  ModelServer server;
  FillBig(server, "db.big");
  server.server.Fail({.command = "getMore", .skip = 0, .times = 1}, kQueryPlanKilled);
  const Dump dump = RunDump(server.connect);
  ExpectWhole(dump, "data/mongodb_dump/db/big.bson", 50);
  EXPECT_EQ(FindEntry(dump, "db", "big")->items, 50u);
  EXPECT_TRUE(dump.warnings.empty());
}

TEST(MongoDump, EndsWhenABigCollectionIsDroppedAfterPartsOfItWereWritten) {
  ModelServer server;
  FillBig(server, "db.big");
  int batches = 0;
  server.server.Handle("getMore", [&](const ScriptedCommand&) -> std::optional<Bson> {
    if (++batches < 6) return std::nullopt;
    return ErrorReply(kNamespaceNotFound, "NamespaceNotFound", "collection dropped");
  });
  for (int i = 50; i < 400; ++i) {
    server.model.InsertRaw(
        "db.big",
        std::string(Bson().Add("_id", int32_t{i}).Add("x", std::string(100'000, 'x')).bytes()));
  }
  try {
    RunDump(server.connect);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSource);
    EXPECT_NE(std::string(error.what()).find("db.big was dropped"), std::string::npos);
    EXPECT_NE(error.hint().find("again"), std::string::npos);
  }
}

TEST(MongoDump, EndsWhenTheServerCountsManyMoreDocumentsThanWereRead) {
  ModelServer server;
  server.model.Insert("db.c", R"({"_id": 1})");
  server.server.Handle("count", [](const ScriptedCommand&) -> std::optional<Bson> {
    return Bson().Add("n", int32_t{5000}).Add("ok", 1.0);
  });
  server.server.Handle("collStats", [](const ScriptedCommand&) -> std::optional<Bson> {
    return Bson().Add("count", int32_t{5000}).Add("size", int32_t{5000}).Add("ok", 1.0);
  });
  server.server.Handle("aggregate", [](const ScriptedCommand&) -> std::optional<Bson> {
    Bson cursor;
    cursor.AddArray("firstBatch", Bson().Add("0", Bson().Add("n", int32_t{5000})));
    cursor.Add("id", int64_t{0}).Add("ns", "db.c");
    return Bson().Add("cursor", cursor).Add("ok", 1.0);
  });
  EXPECT_THROW(RunDump(server.connect), Error);
}

// One that goes meanwhile says nothing of the right to read by UUID.
TEST(MongoDump, ReadsByUuidAlsoWhenACollectionWasDropped) {
  for (const bool all : {false, true}) {
    ModelServer server;
    server.model.Insert("db.a", R"({"_id": 1})");
    server.model.Insert("db.b", R"({"_id": 1})");
    TestRun run;
    const TestDump dump = RunTestDump(server.connect, {}, run, [&] {
      Session other(server.connect, {});
      other.Run("db", Bson().Add("drop", "a"), "drop");
      if (all) other.Run("db", Bson().Add("drop", "b"), "drop");
      server.server.ForgetCommands();
    });
    EXPECT_EQ(dump.manifest.objects.size(), all ? 0u : 1u);
    for (const ScriptedCommand& find : server.server.Commands("find")) {
      if (find.db != "db" || !FindField(find.body, "batchSize")) continue;
      EXPECT_TRUE(FindField(find.body, "find")->AsUuid()) << ToJson(find.body);
    }
  }
}

// By its name it counts as nothing at the instant, on 5.0 and 6.0.
TEST(MongoDump, TakesACollectionThatIsDroppedOrRenamedAfterItWasRead) {
  for (const char* const command : {"drop", "renameCollection", "neither"}) {
    ModelServer server(ReplicaSet());
    NameInstants(server);
    FillBig(server, "db.big");
    server.server.Handle("aggregate", [&](const ScriptedCommand& count) -> std::optional<Bson> {
      if (command == std::string("drop")) {
        const Bson drop = Bson().Add("drop", "big");
        server.model.Run({"db", "drop", std::string(drop.bytes())});
      } else if (command == std::string("renameCollection")) {
        const Bson rename = Bson().Add("renameCollection", "db.big").Add("to", "db.other");
        server.model.Run({"admin", "renameCollection", std::string(rename.bytes())});
        server.model.Insert("db.big", R"({"_id": "of the successor"})");
      }
      EXPECT_TRUE(FindPath(count.body, {"readConcern", "atClusterTime"}));
      return OkReply(R"({"cursor": {"firstBatch": [], "id": {"$numberLong": "0"},
                                    "ns": "db.big"}})");
    });
    if (command == std::string("neither")) {
      EXPECT_THROW(RunDump(server.connect), Error);
      continue;
    }
    const Dump dump = RunDump(server.connect);
    ExpectWhole(dump, "data/mongodb_dump/db/big.bson", 50);
    EXPECT_THAT(dump.warnings, testing::IsEmpty());
  }
}

TEST(MongoDump, HasUsersAndRolesAsTheServerStoresThem) {
  ModelServer server;
  server.model.Insert("db.c", R"({"_id": 1})");
  server.model.Insert("admin.system.users", R"({"_id": "admin.root", "credentials": {"x": 1}})");
  server.model.Insert("admin.system.roles", R"({"_id": "admin.r"})");
  server.model.Insert("admin.system.version", R"({"_id": "authSchema", "currentVersion": 5})");
  const Dump dump = RunDump(server.connect);
  EXPECT_EQ(FindEntry(dump, "admin", "system.users")->kind, "users");
  EXPECT_EQ(FindEntry(dump, "admin", "system.users")->items, 1u);
  EXPECT_EQ(FindEntry(dump, "admin", "system.roles")->kind, "roles");
  EXPECT_TRUE(dump.members.contains("data/mongodb_dump/admin/system%2Eusers.bson"));
  EXPECT_TRUE(dump.members.contains("data/mongodb_dump/admin/system%2Eusers.metadata.json"));
  EXPECT_THAT(DumpedDocuments(dump, "data/mongodb_dump/admin/system%2Eversion.bson"),
              testing::ElementsAre(testing::HasSubstr("authSchema")));
}

TEST(MongoDump, HasNoVersionOfUsersThatItDoesNotHave) {
  ModelServer server;
  server.model.Insert("db.c", R"({"_id": 1})");
  server.model.Insert("admin.system.version", R"({"_id": "authSchema", "currentVersion": 5})");
  EXPECT_EQ(RunDump(server.connect).manifest.objects.size(), 1u);
}

TEST(MongoDump, WarnsOfUsersThatItCannotRead) {
  ModelServer server;
  server.model.Insert("db.c", R"({"_id": 1})");
  server.server.Handle("usersInfo", [](const ScriptedCommand&) -> std::optional<Bson> {
    Bson users;
    users.Add("0", Bson().Add("user", "openedx")).Add("1", Bson().Add("user", "forum"));
    return Bson().AddArray("users", users).Add("ok", 1.0);
  });
  const auto of_users = [](const ScriptedCommand& command) {
    return command.target().starts_with("system.");
  };
  server.server.Fail({.command = "find", .skip = 0, .times = 0, .when = of_users}, kUnauthorized);
  const Dump dump = RunDump(server.connect);
  ASSERT_EQ(dump.warnings.size(), 1u);
  EXPECT_NE(dump.warnings[0].find("2 user(s)"), std::string::npos);
}

TEST(MongoDump, LeavesOutWhatRestoresLeftAndSaysSo) {
  ModelServer server;
  server.model.Insert("db.c", R"({"_id": 1})");
  server.model.Insert("db.c__old", R"({"_id": 1})");
  server.model.Insert("openedx_backup.other", R"({"_id": 1})");
  const Dump dump = RunDump(server.connect);
  ASSERT_EQ(dump.manifest.objects.size(), 1u);
  EXPECT_EQ(dump.manifest.objects[0].name, "c");
  ASSERT_EQ(dump.warnings.size(), 1u);
  EXPECT_NE(dump.warnings[0].find("db.c__old"), std::string::npos);
}

TEST(DumpPath, ABucketsFileBelongsToItsTimeSeries) {
  const auto member = ParseDumpPath("data/mongodb_dump/db/system%2Ebuckets%2Eweather.bson");
  ASSERT_TRUE(member);
  EXPECT_EQ(member->collection, "weather");
}

TEST(MongoDump, WarnsOfAServerWithoutDatabases) {
  ModelServer server(ReplicaSet());
  NameInstants(server);
  EXPECT_THAT(RunDump(server.connect).warnings,
              ::testing::Contains(::testing::HasSubstr("holds no databases to back up")));
  server.model.Insert("db.one", R"({"_id": 1})");
  EXPECT_THAT(RunDump(server.connect).warnings, ::testing::IsEmpty());
}

TEST(MongoDump, RefusesAtOnceADatabaseThatItMayNotRead) {
  ModelServer server;
  server.model.Insert("db.c", R"({"_id": 1})");
  const auto of_the_data = [](const ScriptedCommand& command) { return command.target() == "c"; };
  server.server.Fail({.command = "find", .skip = 0, .times = 1, .when = of_the_data},
                     kUnauthorized);
  TestRun run;
  const auto source = MakeBackupSource(server.connect, {}, run.run);
  EXPECT_THROW(source->Prepare(), Error);
}

}  // namespace
}  // namespace oxbackup::mongodb
