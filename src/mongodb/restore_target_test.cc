#include "mongodb/restore_target.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "mongodb/extended_json.h"
#include "mongodb/live_names.h"
#include "mongodb/model_mongod_testing.h"
#include "mongodb/restore_testing.h"
#include "mongodb/swap_record.h"

namespace oxbackup::mongodb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using State = std::map<std::string, std::vector<std::string>>;

/// The restore asks for one impossible rename, to learn whether names with dots can be renamed.
bool IsNoProbe(const ScriptedCommand& command) {
  return command.target().find("no.such") == std::string::npos;
}

ModelOptions LikeFerretdb() {
  ModelOptions options;
  options.version = "7.0.77";
  options.ferretdb = true;
  return options;
}

class RestoreTargetTest : public testing::Test {
 protected:
  explicit RestoreTargetTest(ModelOptions options = {}) : model_(std::move(options)) {
    model_.AttachTo(server_);
    connect_.uri = server_.uri();
    options_.workers = 2;
    model_.Insert("openedx.modules", R"({"_id": 1, "v": "live"})");
    model_.Insert("openedx.newer", R"({"_id": "newer than the backup"})");
    model_.Insert("forum.contents", R"({"_id": 7, "v": "live"})");
    archive_.Add("openedx", "modules", {R"({"_id": 1, "v": "backup"})", R"({"_id": 2})"},
                 R"({"options": {}, "indexes": [{"v": 2, "key": {"_id": 1}, "name": "_id_"},
                     {"v": 2, "key": {"v": 1}, "name": "v_1", "ns": "openedx.modules"}]})");
    archive_.Add("openedx", "fs.files", {R"({"_id": "f"})"});
    archive_.Add("forum", "contents", {R"({"_id": 7, "v": "backup"})"});
  }

  State Data() const {
    return model_.State([](const std::string& ns) { return !ns.starts_with("openedx_backup."); });
  }
  State Live() const {
    return model_.State(
        [](const std::string& ns) { return !ns.starts_with("openedx_backup.") && !IsBeside(ns); });
  }
  State Restored() const {
    TestRun run;
    ModelMongod other{ModelOptions{}};
    ScriptedServer server;
    other.AttachTo(server);
    ConnectOptions connect;
    connect.uri = server.uri();
    RestoreAll(connect, options_, archive_, run);
    return other.State([](const std::string& ns) { return !ns.starts_with("openedx_backup."); });
  }

  ModelMongod model_;
  ScriptedServer server_;
  ConnectOptions connect_;
  RestoreOptions options_;
  TestArchive archive_;
  TestRun run_;
};

TEST_F(RestoreTargetTest, ReplacesEverythingInOneStepAndLeavesNothingBehind) {
  RestoreAll(connect_, options_, archive_, run_);
  EXPECT_EQ(Data(), Restored());
  EXPECT_THAT(model_.Names("openedx"), ElementsAre("fs.files", "modules"));
  EXPECT_EQ(server_.Commands("applyOps").size(), 1u);
  for (const ScriptedCommand& rename : server_.Commands("renameCollection")) {
    EXPECT_FALSE(IsNoProbe(rename)) << rename.target();
  }
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
  static_cast<void>(target->Plan(&manifest));
  target->Load(*reader);
  server_.Fail({.command = "update"}, 14031, "no space left on device");
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
  static_cast<void>(target->Plan(&manifest));
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

TEST_F(RestoreTargetTest, RefusesUnknownIndexKindsBeforeItLoadsAnything) {
  archive_.Add("openedx", "indexed", {R"({"_id": 1})"},
               R"({"indexes": [{"v": 2, "key": {"a": "soundex"}, "name": "a_soundex"}]})");
  EXPECT_THROW(RestoreAll(connect_, options_, archive_, run_), Error);
  EXPECT_THAT(server_.Commands("insert"), IsEmpty());
}

TEST_F(RestoreTargetTest, ReplacesViewsCollectionsByViewsAndViewsByCollections) {
  archive_.AddView("openedx", "view", R"({"viewOn": "modules", "pipeline": []})");
  archive_.AddView("openedx", "was_collection", R"({"viewOn": "modules", "pipeline": []})");
  archive_.Add("openedx", "was_view", {R"({"_id": 1})"});
  model_.Create("openedx.view", R"({"viewOn": "newer", "pipeline": []})");
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
  static_cast<void>(target->Plan(&manifest));
  target->Load(*reader);
  target->WriteIntent(TestIntent());
  model_.Insert("openedx.fs.files", R"({"_id": "created by the site"})");
  EXPECT_THROW(target->Swap(), Error);
  EXPECT_THAT(server_.Commands("applyOps"), IsEmpty());
}

/// Kills a restore at every step of its swap, on a server with applyOps and one without.
class SwapDeathTest : public RestoreTargetTest, public testing::WithParamInterface<bool> {
 protected:
  SwapDeathTest() : RestoreTargetTest(GetParam() ? LikeFerretdb() : ModelOptions{}) {
    if (!GetParam()) {
      archive_.AddView("openedx", "view", R"({"viewOn": "modules", "pipeline": []})");
      archive_.AddView("openedx", "fresh_view", R"({"viewOn": "modules", "pipeline": []})");
      archive_.Add("openedx", "was_view", {R"({"_id": 1})"});
    }
    Refill();
  }

  void Refill() {
    Session session(connect_, {});
    for (const char* const database : {"openedx", "forum", "openedx_backup"}) {
      session.Run(database, Bson().Add("dropDatabase", int32_t{1}), "drop");
    }
    model_.Insert("openedx.modules", R"({"_id": 1, "v": "live"})");
    model_.Insert("openedx.newer", R"({"_id": "newer than the backup"})");
    model_.Insert("forum.contents", R"({"_id": 7, "v": "live"})");
    model_.Insert("forum.dotted.name", R"({"_id": "also newer than the backup"})");
    if (!GetParam()) {
      model_.Create("openedx.view", R"({"viewOn": "newer", "pipeline": []})");
      model_.Create("openedx.was_view", R"({"viewOn": "newer", "pipeline": []})");
    }
  }

  struct Killed {};

  /// Runs `body` with options whose step hook throws at the step-th change. False: it ran to its
  /// end.
  template <class Body>
  bool DiesAt(int step, Body&& body) {
    RestoreOptions options = options_;
    int count = 0;
    options.before_step = [&count, step](std::string_view) {
      if (count++ == step) throw Killed();
    };
    try {
      body(options);
    } catch (const Killed&) {
      return true;
    }
    return false;
  }

  /// What the engine does when it finds an open swap.
  void FinishLater() {
    const auto target = MakeRestoreTarget(connect_, options_, run_.run);
    if (const auto open = target->FindOpenSwap()) {
      EXPECT_EQ(open->intent, TestIntent());
      target->CompleteSwap();
      target->CloseSwap(open->intent.keep_old);
    }
  }
};

TEST_P(SwapDeathTest, IsFinishedByTheNextRunWhereverItDied) {
  const State before = Live();
  const State after = [&] {
    RestoreAll(connect_, options_, archive_, run_);
    return Live();
  }();
  ASSERT_NE(before, after);
  for (int step = 0;; ++step) {
    Refill();
    const bool died = DiesAt(step, [&](const RestoreOptions& options) {
      RestoreAll(connect_, options, archive_, run_);
    });
    if (!died) {
      EXPECT_GT(step, 3);
      break;
    }
    const bool announced = !model_.Documents("openedx_backup.swaps").empty();
    FinishLater();
    EXPECT_EQ(Live(), announced || step > 0 ? after : before) << "died at step " << step;
    EXPECT_THAT(model_.Documents("openedx_backup.swaps"), IsEmpty()) << "died at step " << step;
  }
}

TEST_P(SwapDeathTest, IsUndoneByTheNextRunWhereverItDied) {
  const State before = Live();
  for (int step = 0;; ++step) {
    Refill();
    const bool died = DiesAt(step, [&](const RestoreOptions& options) {
      RestoreAll(connect_, options, archive_, run_, /*keep_old=*/true);
    });
    if (!died) break;
    const auto target = MakeRestoreTarget(connect_, options_, run_.run);
    if (target->FindOpenSwap()) target->UndoSwap("");
    EXPECT_EQ(Live(), before) << "died at step " << step;
  }
}

TEST_P(SwapDeathTest, AnUndoThatDiedIsFinishedWhereverItDied) {
  const State before = Live();
  for (int step = 0;; ++step) {
    Refill();
    RestoreAll(connect_, options_, archive_, run_, /*keep_old=*/true);
    const State after = Live();
    const bool died = DiesAt(step, [&](const RestoreOptions& options) {
      MakeRestoreTarget(connect_, options, run_.run)->UndoSwap("");
    });
    const auto target = MakeRestoreTarget(connect_, options_, run_.run);
    if (target->FindOpenSwap()) {
      target->CompleteSwap();
      target->CloseSwap(true);
    }
    EXPECT_EQ(Live(), step == 0 && died ? after : before) << "died at step " << step;
    EXPECT_FALSE(target->FindOpenSwap()) << "died at step " << step;
    if (!died) break;
  }
}

TEST_P(SwapDeathTest, SurvivesALostConnectionInTheMiddleOfTheSwap) {
  const char* const command = GetParam() ? "renameCollection" : "applyOps";
  RestoreAll(connect_, options_, archive_, run_);
  const State after = Live();
  for (const bool applied : {false, true}) {
    for (int skip = 0; skip < (GetParam() ? 3 : 1); ++skip) {
      Refill();
      server_.Drop({.command = command, .skip = skip, .times = 1, .when = IsNoProbe}, applied);
      EXPECT_THROW(RestoreAll(connect_, options_, archive_, run_), Error);
      FinishLater();
      EXPECT_EQ(Live(), after) << "applied " << applied << " skip " << skip;
    }
  }
}

TEST_P(SwapDeathTest, KeepsWhatTheSiteWroteIntoTheGap) {
  if (!GetParam()) return;  // one step has no gap
  bool wrote = false;
  options_.before_step = [&](std::string_view step) {
    if (step == "rename openedx.modules__restore to openedx.modules" && !wrote) {
      wrote = true;
      model_.Insert("openedx.modules", R"({"_id": "written in the gap"})");
    }
  };
  EXPECT_THROW(RestoreAll(connect_, options_, archive_, run_), Error);
  options_.before_step = nullptr;
  FinishLater();
  EXPECT_THAT(model_.Documents("openedx.modules"), testing::SizeIs(2));
  EXPECT_THAT(model_.Documents("openedx.modules__stray"), ElementsAre(HasSubstr("gap")));
  EXPECT_THAT(run_.warnings.All(), testing::Contains(HasSubstr("modules__stray")));
}

INSTANTIATE_TEST_SUITE_P(Servers, SwapDeathTest, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "OneByOne" : "AtOnce"; });

}  // namespace
}  // namespace oxbackup::mongodb
