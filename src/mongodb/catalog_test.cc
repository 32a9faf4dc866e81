#include "mongodb/catalog.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "mongodb/collection_output.h"
#include "mongodb/dump_model_testing.h"
#include "mongodb/extended_json.h"

namespace oxbackup::mongodb {
namespace {

TEST(Databases, AreAllButTheServersOwn) {
  ModelServer server;
  server.model.Insert("openedx.c", R"({"_id": 1})");
  server.model.Insert("cs_comments_service.c", R"({"_id": 1})");
  server.model.Insert("config.c", R"({"_id": 1})");
  Session session(server.connect, {});
  EXPECT_EQ(ReadDatabases(session, {}),
            (std::vector<std::string>{"cs_comments_service", "openedx"}));
  EXPECT_EQ(ReadDatabases(session, {"openedx", "openedx"}), (std::vector<std::string>{"openedx"}));
}

TEST(Databases, AWantedOneThatIsNotThereIsNamed) {
  ModelServer server;
  server.model.Insert("openedx.c", R"({"_id": 1})");
  Session session(server.connect, {});
  try {
    (void)ReadDatabases(session, {"openedx", "opendx"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("opendx"), std::string::npos);
    EXPECT_NE(error.cause().find("openedx"), std::string::npos);
  }
}

TEST(Catalog, ListsCollectionsAndViewsByNameWithoutTheServersOwn) {
  ModelServer server;
  server.model.Insert("db.b", R"({"_id": 1})");
  server.model.Insert("db.a", R"({"_id": 1})");
  server.model.Create("db.v", R"({"viewOn": "a", "pipeline": []})");
  server.model.Insert("db.system.js", R"({"_id": "f"})");
  server.model.Insert("db.system.profile", R"({"_id": 1})");
  Session session(server.connect, {});
  std::vector<std::string> names;
  for (const CollectionInfo& info : ReadCatalog(session, {"db"})) {
    names.push_back(info.name + ":" + info.type);
    EXPECT_EQ(info.uuid.has_value(), !info.is_view());
    EXPECT_EQ(info.has_id_index(), !info.is_view());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"a:collection", "b:collection", "system.js:collection",
                                             "v:view"}));
}

TEST(Catalog, RefusesOptionsThatExtendedJsonMakesOthersOf) {
  CollectionInfo info;
  info.database = "db";
  info.name = "c";
  info.type = "collection";
  info.options.Add("validator", Bson().Add("$oid", std::string(24, 'a')));
  EXPECT_THROW(static_cast<void>(MetadataJson(info)), Error);
}

TEST(Catalog, EndsWhenTheIndexesMayNotBeListed) {
  ModelServer server;
  server.model.Insert("db.a", R"({"_id": 1})");
  server.server.Fail({.command = "listIndexes", .skip = 0, .times = 1}, kUnauthorized);
  Session session(server.connect, {});
  EXPECT_THROW((void)ReadCatalog(session, {"db"}), Error);
}

TEST(Catalog, ATimeSeriesIsReadFromItsBuckets) {
  CollectionInfo info;
  info.name = "weather";
  info.type = "timeseries";
  EXPECT_EQ(info.stored_name(), "system.buckets.weather");
}

TEST(Metadata, HasMongodumpsLayout) {
  CollectionInfo info;
  info.database = "db";
  info.name = "c.d";
  info.type = "collection";
  info.options = FromJson(R"({"capped": true, "size": {"$numberInt": "4096"}})", "a test");
  info.uuid = Uuid{0xab, 1};
  info.indexes.push_back(
      FromJson(R"({"v": {"$numberInt": "2"}, "key": {"_id": {"$numberInt": "1"}}, "name": "_id_"})",
               "a test"));
  const auto json = nlohmann::json::parse(MetadataJson(info));
  EXPECT_EQ(json["collectionName"], "c.d");
  EXPECT_EQ(json["type"], "collection");
  EXPECT_EQ(json["uuid"], "ab010000000000000000000000000000");
  EXPECT_EQ(json["options"]["size"]["$numberInt"], "4096");
  EXPECT_EQ(json["indexes"][0]["key"]["_id"]["$numberInt"], "1");
}

TEST(PartNames, ComeFromTheFirstDocumentAlone) {
  const Bson object_id = FromJson(R"({"_id": {"$oid": "0123456789abcdef01234567"}})", "a test");
  EXPECT_EQ(PartName(*FindField(object_id.bytes(), "_id")), "0123456789abcdef01234567");
  const Bson text = FromJson(R"({"_id": "x"})", "a test");
  const std::string name = PartName(*FindField(text.bytes(), "_id"));
  EXPECT_EQ(name.size(), 17u);
  EXPECT_EQ(name[0], 'h');
}

TEST(PartNames, OfOneCollectionNeverMeet) {
  CollectionInfo info;
  info.database = "db";
  info.name = "c";
  info.type = "collection";
  CollectionOutput output(info, true);
  const Bson id = FromJson(R"({"_id": "x"})", "a test");
  const Element first = *FindField(id.bytes(), "_id");
  const std::string one = output.TakePath(first, false);
  EXPECT_EQ(output.TakePath(first, false), one + "-2");
  EXPECT_EQ(output.TakePath(first, false), one + "-3");
}

TEST(PartNames, OfCappedCollectionsAreNumbers) {
  CollectionInfo info;
  info.database = "my-db";
  info.name = "log";
  info.type = "collection";
  info.options.Add("capped", true);
  CollectionOutput output(info, false);
  EXPECT_EQ(output.TakePath(Element(), false), "data/mongodb_dump/my%2Ddb/log.bson.00000000");
  EXPECT_EQ(output.TakePath(Element(), false), "data/mongodb_dump/my%2Ddb/log.bson.00000001");
}

TEST(PartNames, AreNotNeededForAWholeCollection) {
  CollectionInfo info;
  info.database = "db";
  info.name = "fs.files";
  info.type = "collection";
  CollectionOutput output(info, false);
  EXPECT_EQ(output.TakePath(Element(), true), "data/mongodb_dump/db/fs%2Efiles.bson");
}

TEST(CollectionOutput, RefusesToGoOnWithACollectionThatWasDroppedHalfway) {
  CollectionInfo info;
  info.database = "db";
  info.name = "c";
  CollectionOutput nothing_written(info, true);
  nothing_written.MarkDropped();
  EXPECT_TRUE(nothing_written.dropped());
  EXPECT_THROW((void)nothing_written.TakePath(Element(), false), Error);
  CollectionOutput written(info, true);
  (void)written.TakePath(Element(), false);
  EXPECT_THROW(written.MarkDropped(), Error);
}

}  // namespace
}  // namespace oxbackup::mongodb
