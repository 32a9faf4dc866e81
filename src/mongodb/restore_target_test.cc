#include "mongodb/restore_target.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mongodb/extended_json.h"
#include "mongodb/insert_batch.h"
#include "mongodb/restore_fixture_testing.h"
#include "mongodb/swap_record.h"

namespace oxbackup::mongodb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

bool IsOfRecord(const ScriptedCommand& command) { return command.target() == kRecordCollection; }

TEST_F(RestoreTargetTest, ReplacesEverythingInOneStepAndLeavesNothingBehind) {
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_EQ(Data(), Restored());
  EXPECT_THAT(model_.Names("openedx"), ElementsAre("fs.files", "modules"));
  EXPECT_EQ(server_.Commands("applyOps").size(), 1u);
  EXPECT_THAT(Renames(), IsEmpty());
  EXPECT_THAT(model_.Documents("openedx_backup.swaps"), IsEmpty());
  ASSERT_EQ(model_.Find("openedx.modules")->indexes.size(), 1u);
  EXPECT_EQ(ToJson(model_.Find("openedx.modules")->indexes[0].bytes()).find("\"ns\""),
            std::string::npos);
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST_F(RestoreTargetTest, GivesTheSameFromAPipeWhoseMetadataComeAfterTheDocuments) {
  archive_.Add("openedx", "log", {R"({"_id": 3})", R"({"_id": 1})", R"({"_id": 2})"},
               R"({"options": {"capped": true, "size": 65536}, "indexes": []})");
  archive_.Reverse();
  RestoreAll(connect_, options_, archive_, run_, false, /*random_access=*/false,
             /*with_manifest=*/false);
  EXPECT_EQ(Data(), Restored());
  const auto log = model_.Find("openedx.log");
  ASSERT_TRUE(log);
  EXPECT_TRUE(FindField(log->options.bytes(), "capped").has_value());
  EXPECT_THAT(model_.RawDocuments("openedx.log")[0], testing::Ne(""));
  EXPECT_EQ(FindField(model_.RawDocuments("openedx.log")[0], "_id")->AsInt(), 3);
}

TEST_F(RestoreTargetTest, BringsTheOldDataBackOnUndo) {
  const State before = Data();
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  EXPECT_EQ(Live(), Restored());
  EXPECT_TRUE(model_.Find("openedx.modules__old"));
  const auto target = MakeRestoreTarget(connect_, options_, run_.run);
  EXPECT_FALSE(target->FindOpenSwap());
  target->UndoSwap("");
  EXPECT_EQ(Data(), before);
  EXPECT_THROW(target->UndoSwap(""), Error);
}

// The next restore fails before it has written its record: nothing of it is to be undone, and what
// the earlier one brought stays.
TEST_F(RestoreTargetTest, TakingBackARestoreLeavesAnEarlierKeptOneAlone) {
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  const auto target = MakeRestoreTarget(connect_, options_, run_.run);
  const Manifest manifest = archive_.manifest();
  const auto reader = archive_.Open();
  static_cast<void>(target->Plan(&manifest, RestoreRoom::kBeside));
  target->Load(*reader);
  server_.Fail({.command = "insert", .when = IsOfRecord}, 14031, "no space left on device");
  EXPECT_THROW(target->WriteIntent(TestIntent("run-2")), Error);
  target->UndoSwap("run-2");
  target->Abandon();
  EXPECT_EQ(Live(), Restored());
  EXPECT_FALSE(MakeRestoreTarget(connect_, options_, run_.run)->FindOpenSwap());
}

TEST_F(RestoreTargetTest, ForgetsKeptDataOfAnEarlierRestore) {
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/false);
  EXPECT_EQ(Data(), Restored());
}

TEST_F(RestoreTargetTest, LeavesTheLiveDataAloneWhenLoadingFails) {
  const State before = Data();
  server_.Fail({.command = "insert", .skip = 1}, 14031, "no space left on device");
  try {
    RestoreAll(connect_, options_, archive_, run_);
    FAIL() << "the load should have failed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSource);
    EXPECT_THAT(error.cause(), HasSubstr("no space left"));
  }
  EXPECT_EQ(Data(), before);
}

TEST_F(RestoreTargetTest, NoticesADocumentThatTheServerStoredDifferently) {
  const State before = Data();
  server_.Handle("insert", [&](const ScriptedCommand& command) -> std::optional<Bson> {
    if (command.target() != "modules__restore") return std::nullopt;
    model_.Insert("openedx.modules__restore", R"({"_id": 1, "v": "changed"})");
    model_.Insert("openedx.modules__restore", R"({"_id": 2})");
    return OkReply(R"({"n": 2})");
  });
  try {
    RestoreAll(connect_, options_, archive_, run_);
    FAIL() << "the comparison should have failed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.what(), HasSubstr("openedx.modules"));
  }
  EXPECT_EQ(Data(), before);
}

TEST_F(RestoreTargetTest, RefusesAnArchiveThatIsNotWhatItsManifestSays) {
  const auto target = MakeRestoreTarget(connect_, options_, run_.run);
  Manifest manifest = archive_.manifest();
  manifest.components[0].objects[0].items = 3;
  const auto reader = archive_.Open();
  static_cast<void>(target->Plan(&manifest, RestoreRoom::kBeside));
  target->Load(*reader);
  EXPECT_THROW(target->Verify(manifest.Find("mongodb")), Error);
  target->Abandon();
}

TEST_F(RestoreTargetTest, PutsZeroTimestampsBackAndMovesIdsLikeTheServer) {
  archive_.Add("openedx", "odd",
               {R"({"a": 1, "_id": {"$oid": "5f0000000000000000000001"}})",
                R"({"_id": 5, "t": {"$timestamp": {"t": 0, "i": 0}}, "": {"": 1},
                                      "n": {"t": {"$timestamp": {"t": 0, "i": 0}}}})"});
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_THAT(model_.Documents("openedx.odd")[0],
              HasSubstr(R"("t" : { "$timestamp" : { "t" : 0, "i" : 0 } }, "")"));
  EXPECT_THAT(run_.warnings.All(), ElementsAre(HasSubstr("1 document did not begin with _id")));
}

TEST_F(RestoreTargetTest, NamesADocumentThatNoServerStores) {
  archive_.Add("openedx", "odd", {R"({"_id": [1, 2]})"});
  try {
    RestoreAll(connect_, options_, archive_, run_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("[ 1, 2 ]"));
  }
}

TEST_F(RestoreTargetTest, ReplacesViewsCollectionsByViewsAndViewsByCollections) {
  archive_.AddView("openedx", "view", R"({"viewOn": "modules", "pipeline": [{"$match": {}}]})");
  archive_.AddView("openedx", "was_collection", R"({"viewOn": "modules", "pipeline": []})");
  archive_.Add("openedx", "was_view", {R"({"_id": 1})"});
  model_.Create("openedx.view", R"({"viewOn": "newer", "pipeline": [{"$skip": 1}]})");
  model_.Create("openedx.was_view", R"({"viewOn": "newer", "pipeline": []})");
  model_.Insert("openedx.was_collection", R"({"_id": "c"})");
  const State before = Data();
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  EXPECT_TRUE(model_.Find("openedx.was_collection")->view);
  EXPECT_FALSE(model_.Find("openedx.was_view")->view);
  EXPECT_THAT(ToJson(model_.Find("openedx.view")->options.bytes()), HasSubstr("modules"));
  MakeRestoreTarget(connect_, options_, run_.run)->UndoSwap("");
  EXPECT_EQ(Data(), before);
  EXPECT_TRUE(model_.Find("openedx.was_view")->view);
  EXPECT_THAT(ToJson(model_.Find("openedx.view")->options.bytes()), HasSubstr("newer"));
  EXPECT_THAT(ToJson(model_.Find("openedx.view")->options.bytes()), HasSubstr("$skip"));
}

TEST_F(RestoreTargetTest, WritesFunctionsIntoTheirCollectionAndBack) {
  archive_.Add("openedx", "system.js", {R"({"_id": "f", "value": "new"})"});
  model_.Insert("openedx.system.js", R"({"_id": "f", "value": "old"})");
  model_.Insert("openedx.system.js", R"({"_id": "g", "value": "old"})");
  const State before = Data();
  RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
  EXPECT_THAT(model_.Documents("openedx.system.js"), ElementsAre(HasSubstr("new")));
  MakeRestoreTarget(connect_, options_, run_.run)->UndoSwap("");
  EXPECT_EQ(Data(), before);
}

TEST_F(RestoreTargetTest, RestoresSomeCollectionsAndLeavesTheOthers) {
  options_ = ParseMongorestoreOptions("--nsInclude=openedx.modules -j 1");
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_THAT(model_.Documents("openedx.modules"), testing::SizeIs(2));
  EXPECT_TRUE(model_.Find("openedx.newer"));
  EXPECT_THAT(model_.Documents("forum.contents"), ElementsAre(HasSubstr("live")));
}

TEST_F(RestoreTargetTest, RefusesAZeroTimestampThatNoUpdateReaches) {
  archive_.Add("openedx", "odd", {R"({"_id": 5, "a.b": {"$timestamp": {"t": 0, "i": 0}}})"});
  try {
    RestoreAll(connect_, options_, archive_, run_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("'a.b' of a document of openedx.odd"));
    EXPECT_THAT(error.cause(), HasSubstr("5"));
  }
}

TEST_F(RestoreTargetTest, NamesTheValuesThatAUniqueIndexDoesNotBear) {
  server_.Handle("createIndexes", [](const ScriptedCommand&) {
    return ErrorReply(11000, "DuplicateKey", "Index build failed: E11000 duplicate key error")
        .Add("keyValue", Bson().Add("v", "twice"));
  });
  try {
    RestoreAll(connect_, options_, archive_, run_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.cause(), HasSubstr(R"("twice")"));
    EXPECT_THAT(error.hint(), HasSubstr("--noIndexRestore"));
  }
  EXPECT_THAT(model_.Documents("openedx.modules"), ElementsAre(HasSubstr("live")));
}

TEST_F(RestoreTargetTest, DoesNotWaitForAMajorityForEver) {
  server_.Handle("insert", [](const ScriptedCommand& command) -> std::optional<Bson> {
    const auto limit = FindPath(command.body, {"writeConcern", "wtimeout"});
    if (!IsOfRecord(command) || !limit) return std::nullopt;
    return OkReply(R"({"n": 1, "writeConcernError":
        {"code": 64, "codeName": "WriteConcernFailed", "errmsg": "waiting timed out"}})");
  });
  try {
    RestoreAll(connect_, options_, archive_, run_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.cause(), HasSubstr("waiting timed out"));
    EXPECT_THAT(error.hint(), HasSubstr("majority"));
  }
  EXPECT_THAT(server_.Commands("applyOps"), IsEmpty());
}

/// As a server of 8.0 (manual): recordPreImages is unknown, zero timestamps may be kept.
class NewServerTest : public RestoreTargetTest {
 protected:
  NewServerTest() : RestoreTargetTest(Version8()) {
    server_.Handle("create", [](const ScriptedCommand& command) -> std::optional<Bson> {
      if (!FindField(command.body, "recordPreImages")) return std::nullopt;
      return ErrorReply(72, "InvalidOptions", "recordPreImages is not a supported option");
    });
  }
  static ModelOptions Version8() {
    ModelOptions options;
    options.version = "8.0.0";
    return options;
  }
};

TEST_F(NewServerTest, LeavesOutRecordPreImagesAndSaysSo) {
  archive_.Add("openedx", "images", {R"({"_id": 1})"},
               R"({"options": {"recordPreImages": true}, "indexes": []})");
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_THAT(run_.warnings.All(), ElementsAre(HasSubstr("recordPreImages")));
}

TEST_F(NewServerTest, KeepsZeroTimestampsOfAnyName) {
  archive_.Add("openedx", "odd", {R"({"_id": 5, "a.b": {"$timestamp": {"t": 0, "i": 0}}})"});
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_THAT(model_.Documents("openedx.odd"), ElementsAre(HasSubstr(R"("t" : 0, "i" : 0)")));
  EXPECT_THAT(server_.Commands("update"), IsEmpty());
}

TEST(ZeroTimestamps, AreKeptByServersThatHaveTheOption) {
  const auto keeps = [](int major, int minor, int patch, const char* flavour = "MongoDB") {
    return KeepsZeroTimestamps({.flavour = flavour,
                                .version = "",
                                .major = major,
                                .minor = minor,
                                .patch = patch,
                                .replica_set = ""});
  };
  EXPECT_TRUE(keeps(8, 0, 0) && keeps(8, 2, 0) && keeps(7, 0, 13) && keeps(6, 0, 17));
  EXPECT_TRUE(keeps(5, 0, 29, "Percona Server for MongoDB"));
  EXPECT_FALSE(keeps(7, 0, 12) || keeps(6, 0, 16) || keeps(5, 0, 28) || keeps(4, 4, 30));
  EXPECT_FALSE(keeps(7, 3, 13) || keeps(7, 0, 77, "FerretDB") || keeps(8, 0, 0, "DocumentDB"));
}

/// Of 7.0.13: the first patch of that series with the option.
class LatePatchTest : public RestoreTargetTest {
 protected:
  LatePatchTest() : RestoreTargetTest({.version = "7.0.13"}) {}
};

TEST_F(LatePatchTest, KeepsZeroTimestampsOfAnyName) {
  archive_.Add("openedx", "odd", {R"({"_id": 5, "a.b": {"$timestamp": {"t": 0, "i": 0}}})"});
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_THAT(model_.Documents("openedx.odd"), ElementsAre(HasSubstr(R"("t" : 0, "i" : 0)")));
}

/// A live time series, which a mongod from 5.0 on lists so and does not rename.
class LiveSeriesTest : public RestoreTargetTest {
 protected:
  LiveSeriesTest() {
    server_.Handle("listCollections", [this](const ScriptedCommand& command) {
      const Bson reply = model_.Run(command);
      if (command.db != "openedx") return std::optional(reply);
      Bson batch = Bson(FindPath(reply.bytes(), {"cursor", "firstBatch"})->AsDocument().value());
      batch.Add("99", FromJson(R"({"name": "weather", "type": "timeseries", "info": {},
                                   "options": {"timeseries": {"timeField": "t"}}})",
                               "a test"));
      const Bson cursor = Bson().Add("id", int64_t{0}).Add("ns", "openedx.$cmd.listCollections");
      return std::optional(
          Bson().Add("cursor", Bson(cursor).AddArray("firstBatch", batch)).Add("ok", 1.0));
    });
  }
};

TEST_F(LiveSeriesTest, IsRefusedBeforeTheLoadUnlessItIsLeftOut) {
  const State before = Data();
  for (const bool with_manifest : {true, false}) {
    try {
      RestoreAll(connect_, options_, archive_, run_, false, true, with_manifest);
      FAIL() << "the server does not rename it";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("openedx.weather on the server is a time-series"));
      EXPECT_THAT(error.hint(), HasSubstr("--nsExclude"));
    }
    EXPECT_EQ(Live(), before);
    EXPECT_EQ(server_.Commands("insert").empty(), with_manifest);
  }
  options_ = ParseMongorestoreOptions("--nsExclude openedx.weather");
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_EQ(Data(), Restored());
}

TEST_F(RestoreTargetTest, RestoresUnderOtherNames) {
  options_ = ParseMongorestoreOptions("--nsFrom 'openedx.*' --nsTo 'copy.*' --nsExclude forum.*");
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_THAT(model_.Names("copy"), ElementsAre("fs.files", "modules"));
  EXPECT_TRUE(model_.Find("openedx.newer"));
}

TEST_F(RestoreTargetTest, StopsWhenTheLiveDataChangedHandsMeanwhile) {
  const auto target = MakeRestoreTarget(connect_, options_, run_.run);
  const Manifest manifest = archive_.manifest();
  const auto reader = archive_.Open();
  static_cast<void>(target->Plan(&manifest, RestoreRoom::kBeside));
  target->Load(*reader);
  target->WriteIntent(TestIntent());
  model_.Insert("openedx.fs.files", R"({"_id": "created by the site"})");
  EXPECT_THROW(target->Swap(), Error);
  EXPECT_THAT(server_.Commands("applyOps"), IsEmpty());
}

}  // namespace
}  // namespace oxbackup::mongodb
