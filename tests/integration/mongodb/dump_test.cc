#include "mongodb/dump_testing.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "archive/archive_testing.h"
#include "base/hash.h"
#include "base/run_context_testing.h"
#include "mongodb/extended_json.h"
#include "mongodb/server_testing.h"

namespace oxbackup::mongodb {
namespace {

using std::string_literals::operator""s;

class DumpTest : public testing::Test {
 protected:
  /// Dumps the database through a whole archive and reads it back.
  TestDump Run(int readers = 4, const std::vector<std::string>& databases = {}) {
    DumpOptions options;
    options.databases = databases.empty() ? std::vector{database_.name()} : databases;
    options.readers = readers;
    return RunTestDump(TestServer(), options, run_, before_copy_);
  }

  std::string Folder() const { return "data/mongodb_dump/" + database_.name() + "/"; }

  std::vector<std::string> Documents(const TestDump& dump, const std::string& collection) const {
    return DumpedDocuments(dump, Folder() + collection + ".bson");
  }
  const ObjectEntry* Find(const TestDump& dump, const std::string& name) const {
    return FindEntry(dump, database_.name(), name);
  }

  // (manual) At an instant a mongod from 7.0 on reads what was there, dropped since or not.
  bool ReadsDroppedCollections(const TestDump& dump) {
    return dump.manifest.positions.contains("at_cluster_time") &&
           database_.session().server().AtLeast(7, 0);
  }

  void InsertMany(const std::string& collection, int count, size_t bytes,
                  const std::function<std::string(int)>& id_json) {
    std::vector<Bson> batch;
    size_t size = 0;
    for (int i = 0; i < count; ++i) {
      Bson document = FromJson(R"({"_id": )" + id_json(i) + "}", "a test");
      document.Add("x", RandomText(bytes, i));
      size += bytes;
      batch.push_back(std::move(document));
      if (size > 8'000'000 || batch.size() == 1000 || i + 1 == count) {
        database_.Insert(collection, batch);
        batch.clear();
        size = 0;
      }
    }
  }

  static std::string RandomText(size_t bytes, int seed) {
    return Hex(RandomBytes((bytes + 1) / 2, static_cast<uint32_t>(seed)));
  }

  TestDatabase database_{"dump_whole"};
  TestRun run_;
  std::function<void()> before_copy_;
};

TEST_F(DumpTest, KeepsOddDocumentsByteByByte) {
  std::vector<Bson> documents;
  documents.push_back(
      FromJson(R"({"_id": {"a": 1, "b": [2]}, "": 1, "a.b": 2, "n": {"$x": 1}})", "t"));
  documents.push_back(
      FromJson(R"({"_id": {"$numberDouble": "NaN"}, "u": {"$undefined": true}})", "t"));
  documents.push_back(FromJson(R"({"_id": null, "s": {"$symbol": "old"}, "c": {"$code": "f"},
      "m": {"$minKey": 1}, "M": {"$maxKey": 1}, "d": {"$numberDecimal": "1.10"}})",
                               "t"));
  documents.push_back(FromJson(R"({"_id": "ключ-鍵-🔑", "t": {"$timestamp": {"t": 7, "i": 2}},
      "r": {"$regularExpression": {"pattern": "a|b", "options": "i"}}})",
                               "t"));
  database_.Insert("odd", documents);
  const TestDump dump = Run();
  // What a plain find gives is what has to be in the archive, in any order.
  std::vector<std::string> stored;
  Cursor cursor(database_.session(), database_.name(), Bson().Add("find", "odd"));
  while (cursor.NextOrThrow("cannot read")) stored.emplace_back(cursor.document());
  std::vector<std::string> dumped = Documents(dump, "odd");
  std::sort(stored.begin(), stored.end());
  std::sort(dumped.begin(), dumped.end());
  EXPECT_EQ(dumped, stored);
  EXPECT_EQ(dumped.size(), documents.size());
  const ObjectEntry* entry = Find(dump, "odd");
  ASSERT_NE(entry, nullptr);
  ContentDigest digest;
  for (const std::string& document : stored) digest.Add(document);
  EXPECT_EQ(entry->digest, digest.Hex());
  EXPECT_EQ(entry->items, stored.size());
}

TEST_F(DumpTest, ReadsABigCollectionByManyReadersWithEveryDocumentOnce) {
  // 90 MB of ObjectIds over months, and a few other _ids that lie outside of every range of times.
  constexpr int kCount = 1500;
  InsertMany("chunks", kCount, 60'000, [](int i) {
    return fmt::format(R"({{"$oid": "{:08x}{:016x}"}})", 0x60000000 + i * 7777, i);
  });
  InsertMany("chunks", 3, 10, [](int i) { return std::to_string(i); });
  InsertMany("chunks", 3, 10, [](int i) { return fmt::format(R"("text{}")", i); });
  const TestDump dump = Run(4);
  std::map<std::string, int> times;
  for (const std::string& document : Documents(dump, "chunks")) {
    ++times[std::string(FindField(document, "_id")->whole)];
  }
  EXPECT_EQ(times.size(), kCount + 6u);
  for (const auto& [id, count] : times) ASSERT_EQ(count, 1);
  EXPECT_EQ(Find(dump, "chunks")->items, kCount + 6u);
  EXPECT_GT(std::stoi(Find(dump, "chunks")->details.at("parts")), 10);

  EXPECT_EQ(Find(Run(1), "chunks")->digest, Find(dump, "chunks")->digest);
  EXPECT_TRUE(run_.warnings.All().empty());
}

// By the server's word on their size a collection is read in ranges; FerretDB's follows its
// statistics a while behind.
TEST_F(DumpTest, TheSameDataGiveTheSameMembers) {
  InsertMany("chunks", 1500, 60'000, [](int i) {
    return fmt::format(R"({{"$oid": "{:08x}{:016x}"}})", 0x60000000 + i * 7777, i);
  });
  TestDump dump = Run(4);
  TestDump again = Run(4);
  for (int turn = 0; turn < 10 && dump.members.size() != again.members.size(); ++turn) {
    dump = std::exchange(again, Run(4));
  }
  ASSERT_EQ(dump.members.size(), again.members.size());
  for (const auto& [path, member] : dump.members) {
    ASSERT_TRUE(again.members.contains(path)) << path;
    EXPECT_TRUE(again.members.at(path).content == member.content) << path;
  }
}

TEST_F(DumpTest, TakesTheLargestDocuments) {
  for (int i = 0; i < 3; ++i) {
    Bson document;
    document.Add("_id", int32_t{i}).Add("x", std::string(16'000'000, 'x'));
    database_.Insert("large", {document});
  }
  const TestDump dump = Run();
  EXPECT_EQ(Documents(dump, "large").size(), 3u);
  EXPECT_EQ(Find(dump, "large")->items, 3u);
}

TEST_F(DumpTest, DescribesCollectionsForMongorestore) {
  database_.Insert("fs.files", {Bson().Add("_id", int32_t{1}).Add("n", "x")});
  database_.session().Run(database_.name(),
                          FromJson(R"({"createIndexes": "fs.files",
                   "indexes": [{"key": {"n": 1}, "name": "n_1", "unique": true}]})",
                                   "t"),
                          "cannot create an index");
  database_.session().Run(database_.name(), Bson().Add("create", "empty"), "cannot create");
  const TestDump dump = Run();
  const auto metadata =
      nlohmann::json::parse(dump.members.at(Folder() + "fs%2Efiles.metadata.json").content);
  EXPECT_EQ(metadata["collectionName"], "fs.files");
  EXPECT_EQ(metadata["type"], "collection");
  EXPECT_EQ(metadata["indexes"].size(), 2u);
  EXPECT_EQ(metadata["uuid"].get<std::string>().size(), 32u);
  EXPECT_TRUE(dump.members.contains(Folder() + "fs%2Efiles.bson"));
  EXPECT_EQ(dump.members.at(Folder() + "empty.bson").content, "");
  EXPECT_EQ(Find(dump, "empty")->items, 0u);
  EXPECT_EQ(dump.manifest.name, "mongodb");
  EXPECT_FALSE(dump.manifest.server_flavour.empty());
  EXPECT_FALSE(dump.manifest.consistency.empty());
}

TEST_F(DumpTest, LeavesOutASmallCollectionThatIsDroppedMeanwhileAndWarns) {
  database_.Insert("stays", {Bson().Add("_id", int32_t{1})});
  database_.Insert("goes", {Bson().Add("_id", int32_t{1})});
  before_copy_ = [&] {
    database_.session().Run(database_.name(), Bson().Add("drop", "goes"), "cannot drop");
  };
  const TestDump dump = Run();
  EXPECT_NE(Find(dump, "stays"), nullptr);
  if (ReadsDroppedCollections(dump)) {
    EXPECT_EQ(Documents(dump, "goes").size(), 1u);
    EXPECT_TRUE(run_.warnings.All().empty());
    return;
  }
  EXPECT_EQ(Find(dump, "goes"), nullptr);
  EXPECT_FALSE(dump.members.contains(Folder() + "goes.bson"));
  ASSERT_EQ(run_.warnings.All().size(), 1u);
  EXPECT_NE(run_.warnings.All()[0].find("goes"), std::string::npos);
}

TEST_F(DumpTest, CopiesTheSuccessorOfACollectionThatWasReplaced) {
  database_.Insert("c", {Bson().Add("_id", int32_t{1})});
  before_copy_ = [&] {
    database_.session().Run(database_.name(), Bson().Add("drop", "c"), "cannot drop");
    database_.Insert("c", {Bson().Add("_id", int32_t{2}), Bson().Add("_id", int32_t{3})});
  };
  const TestDump dump = Run();
  const size_t expected = ReadsDroppedCollections(dump) ? 1 : 2;
  EXPECT_EQ(Documents(dump, "c").size(), expected);
  EXPECT_EQ(Find(dump, "c")->items, expected);
}

TEST_F(DumpTest, NamesADatabaseThatDoesNotExist) {
  try {
    Run(1, {"dump_nonesuch"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("dump_nonesuch"), std::string::npos);
  }
}

TEST_F(DumpTest, StopsOnRequest) {
  database_.Insert("c", {Bson().Add("_id", int32_t{1})});
  before_copy_ = [&] { run_.stop.request_stop(); };
  try {
    Run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
}

}  // namespace
}  // namespace oxbackup::mongodb
