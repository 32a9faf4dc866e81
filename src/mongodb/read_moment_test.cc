#include "mongodb/read_moment.h"

#include <gtest/gtest.h>

#include "base/run_context_testing.h"
#include "mongodb/dump_model_testing.h"

namespace oxbackup::mongodb {
namespace {

// A replica set of 5.0: the reply of a snapshot read names its instant.
class ReadMomentTest : public testing::Test {
 protected:
  ReadMomentTest() {
    server_.model.Insert("db.a", R"({"_id": 1})");
    server_.model.Insert("db.b", R"({"_id": 1})");
  }

  // `seconds` is the server's history window, and has to outlive its answers.
  void HaveWindow(int32_t& seconds) {
    static constexpr char kName[] = "minSnapshotHistoryWindowInSeconds";
    server_.server.Handle("getParameter", [&](const ScriptedCommand&) -> std::optional<Bson> {
      return Bson().Add(kName, seconds).Add("ok", 1.0);
    });
    server_.server.Handle(
        "setParameter", [&](const ScriptedCommand& command) -> std::optional<Bson> {
          seconds = static_cast<int32_t>(*FindField(command.body, kName)->AsInt());
          return OkReply();
        });
  }

  void AnswerSnapshotReads() {
    server_.server.Handle("find", [this](const ScriptedCommand& command) -> std::optional<Bson> {
      if (!FindField(command.body, "readConcern")) return std::nullopt;
      const auto at = FindPath(command.body, {"readConcern", "atClusterTime"});
      const Timestamp instant = at ? *at->AsTimestamp() : Timestamp{++now_, 1};
      Bson cursor;
      cursor.AddArray("firstBatch", Bson()).Add("id", int64_t{0});
      cursor.Add("ns", "db." + command.target()).Add("atClusterTime", instant);
      return Bson().Add("cursor", cursor).Add("ok", 1.0);
    });
  }

  ReadMoment Fix() {
    Session session(server_.connect, {});
    std::vector<CollectionInfo> catalog;
    return FixMoment(
        session, [&] { return ReadCatalog(session, {"db"}); }, catalog, run_.run);
  }

  static ModelOptions ReplicaSet() {
    ModelOptions options;
    options.version = "5.0.0";
    options.replica_set = true;
    return options;
  }

  uint32_t now_ = 100;  // changed by the server's thread, read after its replies
  ModelServer server_{ReplicaSet()};
  TestRun run_;
};

TEST_F(ReadMomentTest, IsTheInstantThatTheServerNames) {
  AnswerSnapshotReads();
  const ReadMoment moment = Fix();
  EXPECT_EQ(moment.at_cluster_time, (Timestamp{101, 1}));
  EXPECT_EQ(moment.why_not, "");
}

TEST_F(ReadMomentTest, IsNotBelievedWithoutAnInstantInTheReply) {
  // The model, as FerretDB, takes the read concern and ignores it.
  const ReadMoment moment = Fix();
  EXPECT_FALSE(moment.at_cluster_time);
  EXPECT_NE(moment.why_not, "");
}

TEST_F(ReadMomentTest, FallsBackWhenTheServerHasNoSnapshotReads) {
  server_.server.Fail({.command = "find", .skip = 0, .times = 0}, kNotAReplicaSet, "not here");
  const ReadMoment moment = Fix();
  EXPECT_FALSE(moment.at_cluster_time);
  EXPECT_EQ(moment.why_not, "no common instant: not here");
}

TEST_F(ReadMomentTest, AsksAgainWithALaterInstantWhileACollectionIsTooNew) {
  AnswerSnapshotReads();
  const auto second_collection = [](const ScriptedCommand& command) {
    return command.target() == "b" && FindField(command.body, "readConcern");
  };
  server_.server.Fail({.command = "find", .skip = 0, .times = 1, .when = second_collection},
                      kSnapshotUnavailable);
  EXPECT_EQ(Fix().at_cluster_time, (Timestamp{102, 1}));
}

TEST_F(ReadMomentTest, StopsWaitingOnRequest) {
  AnswerSnapshotReads();
  server_.server.Fail({.command = "find", .skip = 0, .times = 0}, kSnapshotUnavailable);
  Session session(server_.connect, {});
  std::vector<CollectionInfo> catalog;
  run_.stop.request_stop();
  EXPECT_THROW((void)FixMoment(
                   session, [&] { return ReadCatalog(session, {"db"}); }, catalog, run_.run),
               Error);
}

TEST_F(ReadMomentTest, SaysWhereTheOplogEnds) {
  Session session(server_.connect, {});
  EXPECT_FALSE(LastWrite(session));
  server_.server.Handle("hello", [](const ScriptedCommand&) -> std::optional<Bson> {
    const Bson time = Bson().Add("ts", Timestamp{17, 3});
    return Bson().Add("lastWrite", Bson().Add("opTime", time)).Add("ok", 1.0);
  });
  EXPECT_EQ(LastWrite(session), (Timestamp{17, 3}));
}

TEST_F(ReadMomentTest, LengthensTheServersHistoryForItsTime) {
  int32_t window = 300;
  HaveWindow(window);
  Session session(server_.connect, {});
  {
    const HistoryWindow longer(session, run_.run);
    EXPECT_GT(window, 3600);
  }
  EXPECT_EQ(window, 300);
  EXPECT_TRUE(run_.warnings.All().empty());
}

TEST_F(ReadMomentTest, PutsBackTheHistoryThatAKilledBackupHasLengthened) {
  int32_t window = 300;
  HaveWindow(window);
  Session session(server_.connect, {});
  int32_t left = 0;
  {
    const HistoryWindow killed(session, run_.run);
    left = window;
  }
  window = left;
  {
    const HistoryWindow next(session, run_.run);
    EXPECT_EQ(window, left);
  }
  EXPECT_EQ(window, 300);
  for (const int32_t of_operator : {left + 1, 86'400}) {
    window = of_operator;
    { const HistoryWindow longer(session, run_.run); }
    EXPECT_EQ(window, of_operator);
  }
}

TEST_F(ReadMomentTest, WarnsWhenTheHistoryCannotBePutBack) {
  server_.server.Handle("getParameter", [](const ScriptedCommand&) -> std::optional<Bson> {
    return Bson().Add("minSnapshotHistoryWindowInSeconds", int32_t{300}).Add("ok", 1.0);
  });
  server_.server.Handle("setParameter",
                        [](const ScriptedCommand&) -> std::optional<Bson> { return OkReply(); });
  Session session(server_.connect, {});
  {
    const HistoryWindow longer(session, run_.run);
    server_.server.Fail({.command = "setParameter", .skip = 0, .times = 1}, kUnauthorized);
  }
  ASSERT_EQ(run_.warnings.All().size(), 1u);
  EXPECT_NE(run_.warnings.All()[0].find("300"), std::string::npos);
}

}  // namespace
}  // namespace oxbackup::mongodb
