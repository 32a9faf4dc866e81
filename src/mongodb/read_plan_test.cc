#include "mongodb/read_plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "mongodb/dump_model_testing.h"

namespace oxbackup::mongodb {
namespace {

CollectionInfo Only(Session& session) { return ReadCatalog(session, {"db"}).at(0); }

TEST(ReadStage, ReadsWhatRefersToOthersFirst) {
  EXPECT_LT(ReadStage("modulestore.active_versions"), ReadStage("modulestore.structures"));
  EXPECT_LT(ReadStage("modulestore.structures"), ReadStage("modulestore.definitions"));
  EXPECT_LT(ReadStage("fs.files"), ReadStage("fs.chunks"));
  EXPECT_LT(ReadStage("trashcan.files"), ReadStage("trashcan.chunks"));
  EXPECT_LT(ReadStage("subscriptions"), ReadStage("contents"));
  EXPECT_LT(ReadStage("contents"), ReadStage("users"));
}

TEST(HonoursBounds, BelievesWhatTwoReadsShow) {
  for (const bool ferretdb : {false, true}) {
    ModelOptions options;
    options.ferretdb = ferretdb;
    ModelServer server(options);
    for (int i = 0; i < 3; ++i) server.model.Insert("db.c", fmt::format(R"({{"_id": {}}})", i));
    Session session(server.connect, {});
    EXPECT_EQ(HonoursBounds(session, Only(session)), !ferretdb);
  }
}

TEST(HonoursBounds, IsNotBelievedOfACollectionWithOneDocument) {
  ModelServer server;
  server.model.Insert("db.c", R"({"_id": 1})");
  Session session(server.connect, {});
  EXPECT_FALSE(HonoursBounds(session, Only(session)));
}

class PlanRangesTest : public testing::TestWithParam<bool> {
 protected:
  std::vector<IdRange> Plan(const std::vector<std::string>& ids, uint64_t bytes, int readers,
                            std::string_view options = "{}") {
    ModelOptions model;
    model.ferretdb = GetParam();
    ModelServer server(model);
    server.model.Create("db.c", options);
    for (const std::string& id : ids) server.model.Insert("db.c", R"({"_id": )" + id + "}");
    Session session(server.connect, {});
    CollectionInfo info = Only(session);
    info.options = FromOptions(options);
    info.bytes = bytes;
    return PlanRanges(session, info, bytes < 1'000'000, readers);
  }
  static Bson FromOptions(std::string_view json) {
    Bson options;
    if (json != "{}") options.Add("capped", true);
    return options;
  }
  static const std::vector<std::string>& ObjectIds() {
    static const std::vector<std::string> ids = {R"({"$oid": "600000000000000000000000"})",
                                                 R"({"$oid": "610000000000000000000000"})",
                                                 R"({"$oid": "620000000000000000000000"})", "7"};
    return ids;
  }
};

TEST_P(PlanRangesTest, SplitsBigCollectionsOfObjectIds) {
  const auto ranges = Plan(ObjectIds(), kSplitBytes, 4);
  EXPECT_GE(ranges.size(), 3u);
  const auto kind = GetParam() ? IdRange::Kind::kObjectIds : IdRange::Kind::kBounds;
  EXPECT_EQ(ranges[0].kind, kind);
  EXPECT_EQ(ranges.back().kind == IdRange::Kind::kOtherTypes, GetParam());
}

TEST_P(PlanRangesTest, ReadsInOnePieceWhatIsSmallOrHasOneReader) {
  EXPECT_EQ(Plan(ObjectIds(), kSplitBytes, 1).size(), 1u);
  EXPECT_EQ(Plan(ObjectIds(), kSplitBytes - 1, 4).size(), 1u);
  EXPECT_EQ(Plan(ObjectIds(), 1000, 4).at(0).kind, IdRange::Kind::kWhole);
}

TEST_P(PlanRangesTest, SplitsIntegersOnlyWhereBoundsAreHonoured) {
  const auto ranges = Plan({"1", "1000", "100000", "2.5"}, kSplitBytes, 4);
  EXPECT_EQ(ranges.size() > 1, !GetParam());
}

TEST_P(PlanRangesTest, ReadsCappedCollectionsInTheirOwnOrder) {
  const auto ranges = Plan(ObjectIds(), kSplitBytes, 4, R"({"capped": true, "size": 1000000})");
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].kind, IdRange::Kind::kNatural);
}

INSTANTIATE_TEST_SUITE_P(Servers, PlanRangesTest, testing::Bool(), [](const auto& server) {
  return server.param ? "ThatIgnoresBounds" : "ThatHonoursBounds";
});

}  // namespace
}  // namespace oxbackup::mongodb
