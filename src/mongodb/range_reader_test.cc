#include "mongodb/range_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/run_context_testing.h"
#include "mongodb/dump_model_testing.h"

namespace oxbackup::mongodb {
namespace {

class RangeReaderTest : public testing::Test {
 protected:
  RangeReaderTest() {
    for (int i = 0; i < kDocuments; ++i) {
      server_.model.Insert("db.c", fmt::format(R"({{"_id": {}}})", i));
    }
  }

  CollectionInfo Info() {
    Session session(server_.connect, {});
    for (CollectionInfo& info : ReadCatalog(session, {"db"})) {
      if (info.name == "c") return info;
    }
    throw std::runtime_error("the model lost its collection");
  }

  /// The _ids in the order in which they came; -1 for "start over", -2 for "dropped".
  std::vector<int64_t> Read(const IdRange& range, bool by_uuid = true,
                            std::optional<Timestamp> at = std::nullopt) {
    const CollectionInfo info = Info();
    Session session(server_.connect, {});
    RangeReader reader(session, RangeRead{info, range, by_uuid, at}, run_.run);
    std::vector<int64_t> ids;
    for (;;) {
      switch (reader.Next()) {
        case RangeReader::Step::kDocument:
          ids.push_back(*reader.id().AsInt());
          if (ids.size() == 5 && after_five_) after_five_();
          continue;
        case RangeReader::Step::kStartOver:
          ids.push_back(-1);
          continue;
        case RangeReader::Step::kDropped:
          ids.push_back(-2);
          return ids;
        case RangeReader::Step::kEnd:
          left_the_instant_ = reader.left_the_instant();
          return ids;
      }
    }
  }

  static std::vector<int64_t> All() {
    std::vector<int64_t> ids(kDocuments);
    for (int i = 0; i < kDocuments; ++i) ids[static_cast<size_t>(i)] = i;
    return ids;
  }

  static constexpr int kDocuments = 30;
  static constexpr IdRange::Kind kBounds = IdRange::Kind::kBounds;
  ModelServer server_{[] {
    ModelOptions options;
    options.batch_documents = 4;
    return options;
  }()};
  TestRun run_;
  std::function<void()> after_five_;
  bool left_the_instant_ = false;
};

TEST_F(RangeReaderTest, GivesEveryDocumentInTheOrderOfId) {
  EXPECT_EQ(Read(IdRange{kBounds, {}, {}}), All());
  EXPECT_EQ(Read(IdRange{IdRange::Kind::kWhole, {}, {}}, false), All());
}

TEST_F(RangeReaderTest, GoesOnBehindTheLastDocumentOfAKilledCursor) {
  for (const int code : {kQueryPlanKilled, kCursorNotFound}) {
    server_.server.Fail({.command = "getMore", .skip = 2, .times = 1}, code);
    EXPECT_EQ(Read(IdRange{kBounds, {}, {}}), All()) << code;
  }
}

TEST_F(RangeReaderTest, ReadsARenamedCollectionToItsEndByItsUuid) {
  after_five_ = [&] {
    Session other(server_.connect, {});
    other.Run("admin", Bson().Add("renameCollection", "db.c").Add("to", "db.moved"), "rename");
    server_.model.Insert("db.c", R"({"_id": 1000})");
  };
  EXPECT_EQ(Read(IdRange{kBounds, {}, {}}), All());
}

TEST_F(RangeReaderTest, StartsOverWhereTheOrderIsNotKnown) {
  server_.server.Fail({.command = "getMore", .skip = 0, .times = 1}, kQueryPlanKilled);
  std::vector<int64_t> expected = {0, 1, 2, 3, -1};
  for (const int64_t id : All()) expected.push_back(id);
  EXPECT_EQ(Read(IdRange{IdRange::Kind::kNatural, {}, {}}), expected);
}

TEST_F(RangeReaderTest, SaysThatACollectionWasDropped) {
  after_five_ = [&] {
    Session other(server_.connect, {});
    other.Run("db", Bson().Add("drop", "c"), "drop");
  };
  EXPECT_EQ(Read(IdRange{kBounds, {}, {}}).back(), -2);
}

TEST_F(RangeReaderTest, DoesNotTakeAnotherCollectionOfTheSameNameForIt) {
  after_five_ = [&] {
    Session other(server_.connect, {});
    other.Run("db", Bson().Add("drop", "c"), "drop");
    server_.model.Insert("db.c", R"({"_id": 1000})");
  };
  const auto ids = Read(IdRange{kBounds, {}, {}}, false);
  EXPECT_EQ(ids.back(), -2);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 1000), 0);
}

// A mongod from 7.0 on finds the old one at the instant by its name.
TEST_F(RangeReaderTest, TakesWhatItFoundAtTheInstantForThatCollection) {
  server_.server.Handle("find", [this](const ScriptedCommand&) {
    const Bson batch = ArrayOf(server_.model.RawDocuments("db.c"));
    const Bson drop = Bson().Add("drop", "c");
    server_.model.Run({"db", "drop", std::string(drop.bytes())});
    server_.model.Insert("db.c", R"({"_id": 1000})");
    const Bson cursor = Bson().Add("id", int64_t{0}).Add("ns", "db.c");
    return OkReply().Add("cursor", Bson(cursor).AddArray("firstBatch", batch));
  });
  EXPECT_EQ(Read(IdRange{kBounds, {}, {}}, false, Timestamp{5, 1}), All());
}

// 5.0 and 6.0 do not: by its name it is empty then.
TEST_F(RangeReaderTest, TakesNothingAtTheInstantForADroppedCollection) {
  after_five_ = [&] {
    Session other(server_.connect, {});
    other.Run("db", Bson().Add("drop", "c"), "drop");
  };
  const auto ids = Read(IdRange{kBounds, {}, {}}, false, Timestamp{5, 1});
  EXPECT_EQ(ids.back(), -2);
}

TEST_F(RangeReaderTest, GivesUpOnACursorThatIsKilledAgainAndAgain) {
  server_.server.Fail({.command = "getMore", .skip = 0, .times = 0}, kQueryPlanKilled);
  try {
    Read(IdRange{IdRange::Kind::kNatural, {}, {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSource);
    EXPECT_NE(std::string(error.what()).find("db.c"), std::string::npos);
  }
}

TEST_F(RangeReaderTest, ReadsOnLaterWhenTheServerLostTheInstant) {
  const auto at_instant = [](const ScriptedCommand& command) {
    return FindPath(command.body, {"readConcern", "atClusterTime"}).has_value();
  };
  server_.server.Fail({.command = "find", .skip = 0, .times = 1, .when = at_instant},
                      kSnapshotTooOld);
  EXPECT_EQ(Read(IdRange{kBounds, {}, {}}, true, Timestamp{5, 1}).size(), 1u + All().size());
  EXPECT_TRUE(left_the_instant_);
}

TEST_F(RangeReaderTest, PassesTheInstantToEveryFind) {
  server_.server.ForgetCommands();
  (void)Read(IdRange{kBounds, {}, {}}, true, Timestamp{5, 1});
  const auto finds = server_.server.Commands("find");
  ASSERT_EQ(finds.size(), 1u);
  EXPECT_EQ(FindPath(finds[0].body, {"readConcern", "atClusterTime"})->AsTimestamp(),
            (Timestamp{5, 1}));
  EXPECT_EQ(FindPath(finds[0].body, {"readConcern", "level"})->AsText(), "snapshot");
  EXPECT_FALSE(left_the_instant_);
}

TEST_F(RangeReaderTest, EndsWithTheServersWordsWhenItMayNotRead) {
  server_.server.Fail({.command = "find", .skip = 0, .times = 0}, kUnauthorized, "not authorized");
  try {
    Read(IdRange{kBounds, {}, {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.cause().find("not authorized"), std::string::npos);
    EXPECT_NE(error.hint().find("backup"), std::string::npos);
  }
}

}  // namespace
}  // namespace oxbackup::mongodb
