// Loading into a real server: every kind of document and index, from our layout and from
// mongodump's.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "mongodb/bson_stream.h"
#include "mongodb/extended_json.h"
#include "mongodb/live_compare.h"
#include "mongodb/live_names.h"
#include "mongodb/restore_target.h"
#include "mongodb/restore_testing.h"
#include "mongodb/server_testing.h"

namespace oxbackup::mongodb {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class LoadTest : public testing::Test {
 protected:
  LoadTest() : database_("load"), records_("load_records"), connect_(TestServer()) {
    options_.record_database = records_.name();
  }

  std::string Db() const { return database_.name(); }
  std::vector<std::string> Raw(const std::string& collection) {
    std::vector<std::string> documents;
    Cursor cursor(database_.session(), Db(),
                  Bson().Add("find", collection).Add("sort", Bson().Add("_id", int32_t{1})));
    while (cursor.NextOrThrow("cannot read")) documents.emplace_back(cursor.document());
    return documents;
  }
  std::vector<std::string> Compare(const TestArchive& archive) {
    const Manifest manifest = archive.manifest();
    return MakeLiveComparer(connect_, 2, run_.run)->Compare(*manifest.Find("mongodb"));
  }

  TestDatabase database_;
  TestDatabase records_;
  ConnectOptions connect_;
  RestoreOptions options_;
  TestRun run_;
};

TEST_F(LoadTest, RestoresOddDocumentsByteForByte) {
  TestArchive archive;
  archive.Add(Db(), "odd",
              {R"({"_id": 1, "": {"": {"": null}}, "a.b": 1, "n": {"$x": {"c.d": 2}}})",
               R"({"_id": 2, "t": {"$timestamp": {"t": 0, "i": 0}},
                   "in": {"t": {"$timestamp": {"t": 0, "i": 0}}}})",
               R"({"_id": "three", "d": {"$numberDecimal": "1.10"}, "x": {"$numberDouble": "-0.0"},
                   "l": {"$numberLong": "9223372036854775807"}, "min": {"$minKey": 1}})",
               R"({"_id": {"$oid": "5f0000000000000000000001"}, "u": {"$undefined": true},
                   "b": {"$binary": {"base64": "AAEC", "subType": "80"}},
                   "r": {"$regularExpression": {"pattern": "^a", "options": "i"}}})",
               R"({"_id": {"k": 1, "j": [2]}, "e": [], "o": {}, "emoji": "👩‍💻 測試"})"});
  RestoreAll(connect_, options_, archive, run_);
  EXPECT_THAT(Compare(archive), IsEmpty());
  EXPECT_THAT(Raw("odd"), testing::SizeIs(5));
}

TEST_F(LoadTest, RestoresDocumentsOfAlmostSixteenMebibytes) {
  TestArchive archive;
  const std::string text((size_t{16} << 20) - 1000, 'x');
  std::vector<std::string> documents;
  for (int32_t id = 0; id < 3; ++id) {
    documents.emplace_back(Bson().Add("_id", id).Add("text", text).bytes());
    documents.emplace_back(Bson().Add("_id", id + 100).Add("text", "small").bytes());
  }
  archive.AddRaw(Db(), "huge", documents);
  RestoreAll(connect_, options_, archive, run_);
  EXPECT_THAT(Compare(archive), IsEmpty());
}

TEST_F(LoadTest, BuildsIndexesAfterTheData) {
  TestArchive archive;
  archive.Add(Db(), "indexed", {R"({"_id": 1, "a": 1, "s": "some text"})"},
              R"({"options": {}, "indexes": [{"v": 2, "key": {"_id": 1}, "name": "_id_"},
                  {"v": 2, "key": {"a": 1, "b": -1}, "name": "a_b", "unique": true},
                  {"v": 1, "key": {"legacy": true}, "name": "legacy_1", "ns": "x.y"},
                  {"v": 2, "key": {"h": "hashed"}, "name": "h_hashed"},
                  {"v": 2, "key": {"e": 1}, "name": "ttl", "expireAfterSeconds": 3600}]})");
  RestoreAll(connect_, options_, archive, run_);
  std::vector<std::string> names;
  Cursor cursor(database_.session(), Db(), Bson().Add("listIndexes", "indexed"));
  while (cursor.NextOrThrow("cannot list")) {
    names.emplace_back(FindField(cursor.document(), "name")->AsText().value());
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("_id_", "a_b", "legacy_1", "h_hashed", "ttl"));
}

TEST_F(LoadTest, TakesAMongodumpFolderInItsOwnOrder) {
  database_.Insert("stays not", {Bson().Add("_id", int32_t{1})});
  TestArchive archive;
  archive.Add(Db(), "fs.chunks",
              {R"({"_id": 1, "data": {"$binary": {"base64": "AAEC", "subType": "00"}}})"},
              R"({"options": {}, "indexes": [], "uuid": "00", "collectionName": "fs.chunks"})");
  archive.Add(Db(), "no metadata", {R"({"_id": 1})"}, "");
  archive.AddMember("data/mongodb_dump/prelude.json", "{}");
  archive.AddMember("data/mongodb_dump/" + Db() + "/a%2Fb%20c.bson", "");
  archive.Reverse();
  RestoreAll(connect_, options_, archive, run_, false, /*random_access=*/false,
             /*with_manifest=*/false);
  EXPECT_THAT(Compare(archive),
              testing::ElementsAre(HasSubstr("a/b c is on the server but not in the archive")));
}

TEST_F(LoadTest, TellsHowTheLiveDataDiffer) {
  TestArchive archive;
  archive.Add(Db(), "same", {R"({"_id": 1})"});
  archive.Add(Db(), "other", {R"({"_id": 1, "v": 1})"});
  archive.Add(Db(), "gone", {R"({"_id": 1})"});
  database_.Insert("same", {Bson().Add("_id", int32_t{1})});
  database_.Insert("other", {Bson().Add("_id", int32_t{1}).Add("v", int32_t{2})});
  database_.Insert("newer", {Bson().Add("_id", int32_t{1})});
  EXPECT_THAT(Compare(archive),
              testing::UnorderedElementsAre(HasSubstr("gone is in the archive but not"),
                                            HasSubstr("other has 1 document, digest"),
                                            HasSubstr("newer is on the server but not")));
}

TEST_F(LoadTest, LeavesLiveDataAloneAndTidiesUpWhenADocumentIsRefused) {
  database_.Insert("c", {Bson().Add("_id", "live")});
  TestArchive archive;
  archive.Add(Db(), "c", {R"({"_id": 1})", R"({"_id": 1})"});
  try {
    RestoreAll(connect_, options_, archive, run_);
    FAIL() << "two documents with one _id";
  } catch (const Error& error) {
    EXPECT_THAT(error.cause(), HasSubstr("_id 1"));
  }
  EXPECT_THAT(Raw("c"), testing::SizeIs(1));
  EXPECT_THAT(ListLive(database_.session(), Db()), testing::SizeIs(1));
}

TEST_F(LoadTest, LoadsManyDocumentsOnSeveralConnections) {
  TestArchive archive;
  for (const char* const collection : {"a", "b", "c"}) {
    std::vector<std::string> documents;
    for (int32_t id = 0; id < 20'000; ++id) {
      documents.emplace_back(Bson().Add("_id", id).Add("text", std::string(200, 'x')).bytes());
    }
    archive.AddRaw(Db(), collection, documents);
  }
  RestoreAll(connect_, options_, archive, run_);
  EXPECT_THAT(Compare(archive), IsEmpty());
}

std::string ReadFileOf(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Runs mongodump as an operator would, the password in a file of its own.
void Mongodump(const ConnectOptions& connect, const std::string& database,
               const std::filesystem::path& folder) {
  std::string quoted;
  for (const char c : connect.password) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  const std::filesystem::path config = folder / "config.yaml";
  std::ofstream(config) << "password: '" << quoted << "'\n";
  const std::vector<std::string> words = {RequiredVariable("TESTBED_BIN") + "/mongodump",
                                          "--quiet",
                                          "--config",
                                          config,
                                          "--host",
                                          connect.host,
                                          "--port",
                                          std::to_string(connect.port),
                                          "--username",
                                          connect.user,
                                          "--authenticationDatabase",
                                          connect.auth_database,
                                          "--db",
                                          database,
                                          "--out",
                                          folder / "dump"};
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  ASSERT_EQ(posix_spawn(&child, arguments[0], nullptr, nullptr, arguments.data(), environ), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0) << "mongodump failed";
}

TEST_F(LoadTest, RestoresAFolderOfTheRealMongodump) {
  database_.Insert("fs.files", {Bson().Add("_id", int32_t{1}).Add("filename", "a/b ü")});
  database_.Insert("100% of it", {Bson().Add("_id", int32_t{1}).Add("v", "dumped")});
  database_.session().Run(
      Db(),
      Bson()
          .Add("createIndexes", "fs.files")
          .AddArray(
              "indexes",
              Bson().Add(
                  "0",
                  Bson().Add("key", Bson().Add("filename", int32_t{1})).Add("name", "filename_1"))),
      "cannot index");
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("oxb_load_test_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  Mongodump(connect_, Db(), folder);
  TestArchive archive;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "dump")) {
    if (!entry.is_regular_file()) continue;
    archive.AddMember(
        "data/mongodb_dump/" + std::filesystem::relative(entry.path(), folder / "dump").string(),
        ReadFileOf(entry.path()));
  }
  std::filesystem::remove_all(folder);
  const std::vector<std::string> files = Raw("fs.files");
  const std::vector<std::string> odd = Raw("100% of it");
  database_.session().Run(Db(), Bson().Add("dropDatabase", int32_t{1}), "cannot drop");
  database_.Insert("later", {Bson().Add("_id", int32_t{1})});
  RestoreAll(connect_, options_, archive, run_, false, /*random_access=*/false,
             /*with_manifest=*/false);
  EXPECT_EQ(Raw("fs.files"), files);
  EXPECT_EQ(Raw("100% of it"), odd);
  EXPECT_THAT(Raw("later"), IsEmpty());
  size_t indexes = 0;
  Cursor cursor(database_.session(), Db(), Bson().Add("listIndexes", "fs.files"));
  while (cursor.NextOrThrow("cannot list")) ++indexes;
  EXPECT_EQ(indexes, 2u);
}

}  // namespace
}  // namespace oxbackup::mongodb
