#include "mongodb/oplog_restore.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/run_context_testing.h"
#include "mongodb/dump_model_testing.h"
#include "mongodb/dump_path.h"
#include "mongodb/extended_json.h"
#include "mongodb/live_names.h"
#include "mongodb/oplog_cases_testing.h"
#include "mongodb/restore_testing.h"

namespace oxbackup::mongodb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::set<std::string> FieldsOf(const Bson& document, const std::set<std::string_view>& without) {
  std::set<std::string> fields;
  FieldWalker walker(document.bytes());
  while (const auto field = walker.Next()) {
    if (!without.contains(field->key)) fields.emplace(field->whole);
  }
  return fields;
}

std::set<std::string> IndexesOf(const std::vector<Bson>& indexes) {
  std::set<std::string> named;
  for (const Bson& index : indexes) {
    const auto name = FindField(index.bytes(), "name")->AsText().value();
    if (name != "_id_")
      named.insert(fmt::format("{} {}", name, FindField(index.bytes(), "key")->whole));
  }
  return named;
}

void ExpectState(const ModelMongod& model, const std::vector<RecordedCollection>& expected) {
  std::map<std::string, std::set<std::string>> names;
  for (const RecordedCollection& collection : expected) {
    const std::string ns = collection.database + "." + collection.name;
    names[collection.database].insert(collection.name);
    const auto found = model.Find(ns);
    ASSERT_TRUE(found) << ns;
    EXPECT_EQ(found->view, collection.uuid.empty()) << ns;
    EXPECT_EQ(FieldsOf(found->options, {}), FieldsOf(collection.options, {"autoIndexId"})) << ns;
    EXPECT_EQ(IndexesOf(found->indexes), IndexesOf(collection.indexes)) << ns;
    std::vector<std::string> documents = model.RawDocuments(ns);
    std::vector<std::string> wanted = collection.documents;
    // Of capped collections the order counts.
    if (!FindField(collection.options.bytes(), "capped")) {
      std::sort(documents.begin(), documents.end());
      std::sort(wanted.begin(), wanted.end());
    }
    EXPECT_TRUE(documents == wanted) << ns;
  }
  for (const auto& [database, wanted] : names) {
    const std::vector<std::string> there = model.Names(database);
    EXPECT_EQ(std::set<std::string>(there.begin(), there.end()), wanted);
  }
}

class RecordedOplogTest : public testing::TestWithParam<std::tuple<int, bool>> {};

TEST_P(RecordedOplogTest, RestoresTheTrueStateByteForByte) {
  const auto [number, random_access] = GetParam();
  ModelServer server;
  TestArchive archive;
  for (const RecordedCollection& collection : ReadRecordedState(number, "copy")) {
    if (collection.uuid.empty()) {
      archive.AddView(collection.database, collection.name, ToJson(collection.options.bytes()));
    } else {
      archive.AddRaw(collection.database, collection.name, collection.documents,
                     collection.MetadataJson());
    }
  }
  archive.AddMember(std::string(kDumpFolder) + "oplog.bson", RecordedOplog(number));
  TestRun run;
  RestoreAll(server.connect, {}, archive, run, false, random_access);
  ExpectState(server.model, ReadRecordedState(number, "final"));
  EXPECT_THAT(server.model.Names("openedx_backup"),
              testing::Not(testing::Contains("oplog__restore")));
  EXPECT_THAT(run.warnings.All(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Cases, RecordedOplogTest,
                         testing::Combine(testing::Range(1, kRecordedOplogCases + 1),
                                          testing::Bool()));

class OplogRestoreTest : public testing::Test {
 protected:
  OplogRestoreTest() {
    server_.model.Insert("db.live", R"({"_id": "live"})");
    Add("a", {R"({"_id": 1, "v": 1})", R"({"_id": 2, "v": 2})"}, kA);
  }

  static constexpr char kA[] = "00000000000000000000000000000001";
  static constexpr char kB[] = "00000000000000000000000000000002";

  void Add(const std::string& name, const std::vector<std::string>& documents,
           const std::string& uuid, const std::string& options = "{}") {
    archive_.Add("db", name, documents,
                 fmt::format(R"({{"options": {}, "indexes": [], "uuid": "{}",
                                 "collectionName": "{}", "type": "collection"}})",
                             options, uuid, name));
  }
  static std::string Ui(const std::string& uuid) {
    return fmt::format(R"({{"$uuid": "{}-{}-{}-{}-{}"}})", uuid.substr(0, 8), uuid.substr(8, 4),
                       uuid.substr(12, 4), uuid.substr(16, 4), uuid.substr(20));
  }
  /// Adds an entry about a collection.
  void Entry(const std::string& op, const std::string& ns, const std::string& uuid,
             const std::string& what, const std::string& more = "") {
    const std::string ui = uuid.empty() ? "" : fmt::format(R"("ui": {}, )", Ui(uuid));
    const std::string json = fmt::format(
        R"({{"op": "{}", "ns": "{}", {}"o": {}{}, "ts": {{"$timestamp": {{"t": 7, "i": {}}}}}}})",
        op, ns, ui, what, more.empty() ? "" : ", " + more, ++entries_);
    oplog_ += FromJson(json, "a test's entry").bytes();
  }
  void Restore(const RestoreOptions& options = {}) {
    archive_.AddMember(std::string(kDumpFolder) + "oplog.bson", oplog_);
    RestoreAll(server_.connect, options, archive_, run_);
  }
  std::string RestoreError(const RestoreOptions& options = {}) {
    try {
      Restore(options);
    } catch (const Error& error) {
      std::string text = error.what();
      for (const std::string& context : error.contexts()) text += "; " + context;
      EXPECT_THAT(server_.model.Names("db"), ElementsAre("live")) << "nothing may be left";
      return text;
    }
    return {};
  }
  std::vector<std::string> Documents(const std::string& name) {
    return server_.model.Documents("db." + name);
  }
  static std::string Canonical(const std::string& json) {
    return ToJson(FromJson(json, "json").bytes());
  }

  ModelServer server_;
  TestArchive archive_;
  TestRun run_;
  std::string oplog_;
  int entries_ = 0;
};

TEST_F(OplogRestoreTest, AppliesChangesInTheirOrder) {
  Entry("u", "db.a", kA, R"({"$v": 1, "$set": {"v": 10}})", R"("o2": {"_id": 1})");
  Entry("d", "db.a", kA, R"({"_id": 2})");
  Entry("i", "db.a", kA, R"({"_id": 2, "again": true})");
  Entry("i", "db.a", kA, R"({"_id": 3})");
  Entry("d", "db.a", kA, R"({"_id": 3})");
  Entry("u", "db.a", kA, R"({"$v": 1, "$set": {"v": 5}})", R"("o2": {"_id": "gone"})");
  Restore();
  EXPECT_THAT(Documents("a"), ElementsAre(Canonical(R"({"_id": 1, "v": 10})"),
                                          Canonical(R"({"_id": 2, "again": true})")));
}

TEST_F(OplogRestoreTest, BuildsUniqueIndexesAfterTheReplay) {
  archive_ = TestArchive();
  archive_.Add("db", "a", {R"({"_id": 1, "v": 1})", R"({"_id": 2, "v": 1})"},
               fmt::format(R"({{"options": {{}}, "uuid": "{}", "indexes": [
                   {{"v": 2, "key": {{"v": 1}}, "name": "v_1", "unique": true}}]}})",
                           kA));
  Entry("u", "db.a", kA, R"({"$v": 1, "$set": {"v": 7}})", R"("o2": {"_id": 1})");
  Restore();
  const std::vector<ScriptedCommand> commands = server_.server.Commands();
  const auto at = [&](const std::string& name, const std::string& target) {
    return std::find_if(commands.begin(), commands.end(), [&](const ScriptedCommand& command) {
      return command.name == name && command.target() == target;
    });
  };
  EXPECT_LT(at("delete", "a__restore"), at("createIndexes", "a__restore"));
  EXPECT_NE(at("createIndexes", "a__restore"), commands.end());
}

TEST_F(OplogRestoreTest, TellsARenamedCollectionFromItsSuccessor) {
  Entry("c", "db.$cmd", kA, R"({"renameCollection": "db.a", "to": "db.b", "stayTemp": false})");
  Entry("c", "db.$cmd", kB, R"({"create": "a", "idIndex": {"name": "_id_"}})");
  Entry("i", "db.a", kB, R"({"_id": "of the successor"})");
  Entry("i", "db.b", kA, R"({"_id": "of the renamed"})");
  Restore();
  EXPECT_THAT(server_.model.Names("db"), ElementsAre("a", "b"));
  EXPECT_THAT(Documents("a"), ElementsAre(Canonical(R"({"_id": "of the successor"})")));
  EXPECT_THAT(Documents("b"), testing::SizeIs(3));
}

TEST_F(OplogRestoreTest, FollowsNamesWhereThereAreNoUuids) {
  archive_ = TestArchive();
  archive_.Add("db", "a", {R"({"_id": 1})"}, R"({"options": {}, "indexes": []})");
  Entry("i", "db.a", "", R"({"_id": 2})");
  Entry("c", "db.$cmd", "", R"({"renameCollection": "db.a", "to": "db.b"})");
  Entry("c", "db.$cmd", "", R"({"create": "a"})");
  Entry("i", "db.a", "", R"({"_id": 3})");
  Restore();
  EXPECT_THAT(Documents("a"), ElementsAre(Canonical(R"({"_id": 3})")));
  EXPECT_THAT(Documents("b"), ElementsAre(Canonical(R"({"_id": 1})"), Canonical(R"({"_id": 2})")));
}

TEST_F(OplogRestoreTest, AppliesTransactionsWhereTheyAreCommitted) {
  const std::string of_one = R"("lsid": {"id": 1}, "txnNumber": 1)";
  const std::string of_two = R"("lsid": {"id": 2}, "txnNumber": 1)";
  const auto insert = [](const std::string& id) {
    return fmt::format(R"({{"op": "i", "ns": "db.a", "ui": {}, "o": {{"_id": "{}"}}}})", Ui(kA),
                       id);
  };
  Entry("c", "admin.$cmd", "",
        fmt::format(R"({{"applyOps": [{}], "partialTxn": true}})", insert("one")), of_one);
  Entry("c", "admin.$cmd", "",
        fmt::format(R"({{"applyOps": [{}], "prepare": true}})", insert("two")), of_two);
  Entry("c", "admin.$cmd", "", fmt::format(R"({{"applyOps": [{}]}})", insert("end of one")),
        of_one + R"(, "prevOpTime": {"ts": {"$timestamp": {"t": 7, "i": 1}}, "t": 1})");
  Entry("c", "admin.$cmd", "", R"({"abortTransaction": 1})", of_two);
  Restore();
  EXPECT_THAT(Documents("a"), testing::SizeIs(4));
}

TEST_F(OplogRestoreTest, RefusesATransactionWhoseBeginningIsMissing) {
  Entry("c", "admin.$cmd", "", R"({"applyOps": []})",
        R"("lsid": {"id": 1}, "txnNumber": 1,
           "prevOpTime": {"ts": {"$timestamp": {"t": 6, "i": 1}}, "t": 1})");
  EXPECT_THAT(RestoreError(), HasSubstr("beginning"));
}

TEST_F(OplogRestoreTest, RefusesWhatItDoesNotKnowNamingTheEntry) {
  Entry("c", "db.$cmd", kA, R"({"emptycapped": "a"})");
  EXPECT_THAT(RestoreError(), HasSubstr("emptycapped in db.$cmd at 7:1"));
}

TEST_F(OplogRestoreTest, RefusesAnUnknownUpdateNamingTheCollection) {
  Entry("u", "db.a", kA, R"({"$v": 1, "$inc": {"v": 10}})", R"("o2": {"_id": 1})");
  EXPECT_THAT(RestoreError(), HasSubstr("replaying the oplog on db.a"));
}

TEST_F(OplogRestoreTest, RefusesACollectionThatTheArchiveLacks) {
  Entry("i", "db.never_copied", kB, R"({"_id": 1})");
  EXPECT_THAT(RestoreError(), HasSubstr("db.never_copied"));
}

TEST_F(OplogRestoreTest, PassesOverACollectionThatWasDroppedLater) {
  Entry("i", "db.short", kB, R"({"_id": 1})");
  Entry("c", "db.$cmd", kB, R"({"drop": "short"})");
  Restore();
  EXPECT_THAT(server_.model.Names("db"), ElementsAre("a"));
}

TEST_F(OplogRestoreTest, PassesOverWhatIsNotRestored) {
  RestoreOptions options;
  options.ns_exclude = {"db.b"};
  Add("b", {R"({"_id": 1})"}, kB);
  Entry("i", "db.b", kB, R"({"_id": 2})");
  Entry("i", "config.system.indexBuilds", "", R"({"_id": 2})");
  Entry("n", "", "", R"({"msg": "periodic noop"})");
  Restore(options);
  EXPECT_THAT(server_.model.Names("db"), ElementsAre("a"));
}

TEST_F(OplogRestoreTest, KeepsZeroTimestamps) {
  Entry("i", "db.a", kA, R"({"_id": 9, "t": {"$timestamp": {"t": 0, "i": 0}}})");
  Restore();
  EXPECT_THAT(Documents("a"),
              testing::Contains(Canonical(R"({"_id": 9, "t": {"$timestamp": {"t": 0, "i": 0}}})")));
}

TEST_F(OplogRestoreTest, KeepsTheOrderOfCappedCollections) {
  Add("log", {R"({"_id": 3})", R"({"_id": 4})"}, kB, R"({"capped": true, "size": 100000})");
  for (const char* const id : {"2", "3", "4", "5", "6"}) {
    Entry("i", "db.log", kB, fmt::format(R"({{"_id": {}}})", id));
  }
  Entry("u", "db.log", kB, R"({"_id": 3, "v": 1})", R"("o2": {"_id": 3})");
  Restore();
  std::vector<std::string> documents;
  for (const std::string& raw : server_.model.RawDocuments("db.log")) {
    documents.push_back(ToJson(raw));
  }
  // 2 had made room before the copy was read.
  EXPECT_THAT(documents, ElementsAre(Canonical(R"({"_id": 3, "v": 1})"), Canonical(R"({"_id": 4})"),
                                     Canonical(R"({"_id": 5})"), Canonical(R"({"_id": 6})")));
}

TEST_F(OplogRestoreTest, KeepsZeroTimestampsInCappedCollections) {
  Add("log", {R"({"_id": 3})"}, kB, R"({"capped": true, "size": 100000})");
  Entry("u", "db.log", kB, R"({"_id": 3, "t": {"$timestamp": {"t": 0, "i": 0}}})",
        R"("o2": {"_id": 3})");
  Restore();
  EXPECT_THAT(Documents("log"),
              ElementsAre(Canonical(R"({"_id": 3, "t": {"$timestamp": {"t": 0, "i": 0}}})")));
}

TEST_F(OplogRestoreTest, ReplaysPartsInTheOrderOfTheirNames) {
  Entry("i", "db.a", kA, R"({"_id": 3})");
  const std::string first = std::exchange(oplog_, "");
  Entry("d", "db.a", kA, R"({"_id": 3})");
  // An entry may even begin in one part and end in the next.
  const std::string whole = first + oplog_;
  archive_.AddMember(std::string(kDumpFolder) + "oplog.bson.00000001", whole.substr(30));
  archive_.AddMember(std::string(kDumpFolder) + "oplog.bson.00000000", whole.substr(0, 30));
  RestoreAll(server_.connect, {}, archive_, run_);
  EXPECT_THAT(Documents("a"), testing::SizeIs(2));
}

TEST_F(OplogRestoreTest, ReplaysManyWindowsOfChanges) {
  const std::string text(20'000, 'x');
  for (int round = 0; round < 60; ++round) {
    for (int id = 0; id < 20; ++id) {
      Entry("i", "db.a", kA,
            fmt::format(R"({{"_id": "d{}", "round": {}, "x": "{}"}})", id, round, text));
    }
  }
  Restore();
  EXPECT_THAT(Documents("a"), testing::SizeIs(22));
  EXPECT_THAT(Documents("a"),
              testing::Contains(HasSubstr(R"("round" : { "$numberInt" : "59" })")).Times(20));
}

}  // namespace
}  // namespace oxbackup::mongodb
