#include "mongodb/id_range.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>

#include "base/hash.h"
#include "mongodb/extended_json.h"
#include "mongodb/model_values_testing.h"

namespace oxbackup::mongodb {
namespace {

std::string ObjectIdHex(uint32_t seconds, uint32_t rest) {
  return fmt::format("{:08x}{:016x}", seconds, rest);
}

// Documents whose _ids are of every type that a server takes, and many ObjectIds and numbers.
std::vector<std::string> DocumentsOfEveryType() {
  std::vector<std::string> json = {
      R"({"$minKey": 1})",
      R"(null)",
      R"({"$numberDouble": "NaN"})",
      R"({"$numberDouble": "-Infinity"})",
      R"({"$numberDouble": "0.5"})",
      R"({"$numberLong": "9223372036854775807"})",
      R"({"$numberLong": "-9223372036854775808"})",
      R"("")",
      R"("zzz")",
      R"({"$symbol": "s"})",
      R"({"a": 1})",
      R"({})",
      R"({"$binary": {"base64": "AAEC", "subType": "00"}})",
      R"({"$binary": {"base64": "AAAAAAAAAAAAAAAAAAAAAA==", "subType": "04"}})",
      R"({"$oid": "000000000000000000000000"})",
      R"({"$oid": "ffffffffffffffffffffffff"})",
      R"(true)",
      R"(false)",
      R"({"$date": {"$numberLong": "-1"}})",
      R"({"$timestamp": {"t": 5, "i": 1}})",
      R"({"$dbPointer": {"$ref": "x", "$id": {"$oid": "000000000000000000000001"}}})",
      R"({"$code": "f"})",
      R"({"$maxKey": 1})",
  };
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    const auto seconds = static_cast<uint32_t>(random());
    json.push_back(fmt::format(R"({{"$oid": "{}"}})", ObjectIdHex(seconds, 7)));
    json.push_back(fmt::format(R"({{"$numberInt": "{}"}})", static_cast<int32_t>(random())));
  }
  std::vector<std::string> documents;
  for (const std::string& id : json) {
    documents.emplace_back(FromJson(R"({"_id": )" + id + "}", "a test").bytes());
  }
  return documents;
}

// What a server answers: a real mongod honours min and max, FerretDB ignores them; comparisons are
// bracketed by type on both.
std::vector<std::string> Find(const std::vector<std::string>& documents, const IdRange& range,
                              bool honours_bounds) {
  Bson find;
  AddRange(range, find);
  const auto filter = FindField(find.bytes(), "filter");
  const auto min = FindPath(find.bytes(), {"min", "_id"});
  const auto max = FindPath(find.bytes(), {"max", "_id"});
  EXPECT_TRUE(!(min || max) || FindField(find.bytes(), "hint")) << "error 51173";
  std::vector<std::string> found;
  for (const std::string& document : documents) {
    const Element id = *FindField(document, "_id");
    if (honours_bounds && min && CompareValues(id, *min) < 0) continue;
    if (honours_bounds && max && CompareValues(id, *max) >= 0) continue;
    if (filter && !MatchesFilter(document, *filter->AsDocument())) continue;
    found.push_back(document);
  }
  return found;
}

void ExpectEachOnce(const std::vector<IdRange>& ranges, bool honours_bounds) {
  const std::vector<std::string> documents = DocumentsOfEveryType();
  std::map<std::string, int> times;
  for (const std::string& document : documents) times[document] = 0;
  for (const IdRange& range : ranges) {
    for (const std::string& document : Find(documents, range, honours_bounds)) ++times[document];
  }
  for (const auto& [document, count] : times) EXPECT_EQ(count, 1) << ToJson(document);
}

IdValue ObjectId(uint32_t seconds, uint32_t rest = 0) {
  const Bson document =
      FromJson(fmt::format(R"({{"_id": {{"$oid": "{}"}}}})", ObjectIdHex(seconds, rest)), "a test");
  return IdValue::Of(*FindField(document.bytes(), "_id"));
}

std::vector<std::string> Texts(const std::vector<IdValue>& values) {
  std::vector<std::string> texts;
  for (const IdValue& value : values) {
    texts.push_back(value.type == BsonType::kObjectId
                        ? Hex(value.bytes)
                        : std::to_string(*Element{value.type, {}, value.bytes, {}}.AsInt()));
  }
  return texts;
}

TEST(IdRange, BoundsHoldEveryDocumentOnceWhateverTheTypes) {
  ExpectEachOnce(RangesByBounds(RoundObjectIds(ObjectId(0), ObjectId(UINT32_MAX), 16)), true);
  ExpectEachOnce(RangesByBounds(RoundIntegers(INT32_MIN, INT32_MAX, 16)), true);
  ExpectEachOnce(RangesByBounds({}), true);
  ExpectEachOnce({IdRange{IdRange::Kind::kWhole, {}, {}}}, true);
  ExpectEachOnce({IdRange{IdRange::Kind::kNatural, {}, {}}}, true);
}

TEST(IdRange, ComparisonsHoldEveryDocumentOnceOnBothKindsOfServer) {
  const auto ranges = RangesByComparison(RoundObjectIds(ObjectId(0), ObjectId(UINT32_MAX), 16));
  EXPECT_GT(ranges.size(), 8u);
  ExpectEachOnce(ranges, true);
  ExpectEachOnce(ranges, false);
  ExpectEachOnce(RangesByComparison({}), false);
}

TEST(IdRange, BordersAreRoundTimes) {
  const auto borders = RoundObjectIds(ObjectId(1000, 77), ObjectId(1060, 3), 4);
  EXPECT_EQ(Texts(borders),
            (std::vector<std::string>{"000003f00000000000000000", "000004000000000000000000",
                                      "000004100000000000000000", "000004200000000000000000"}));
}

TEST(IdRange, BordersStayWhenTheCollectionGrows) {
  const auto before = Texts(RoundObjectIds(ObjectId(1'600'000'000), ObjectId(1'700'000'000), 16));
  const auto later = Texts(RoundObjectIds(ObjectId(1'600'000'000), ObjectId(1'700'100'000), 16));
  const auto finer = Texts(RoundObjectIds(ObjectId(1'600'000'000), ObjectId(1'700'000'000), 32));
  EXPECT_FALSE(before.empty());
  for (const std::string& border : before) {
    EXPECT_NE(std::find(later.begin(), later.end(), border), later.end());
    EXPECT_NE(std::find(finer.begin(), finer.end(), border), finer.end());
  }
}

TEST(IdRange, IntegersAreCutOverTheWholeOfTheirRange) {
  EXPECT_EQ(Texts(RoundIntegers(-10, 10, 4)), (std::vector<std::string>{"-8", "0", "8"}));
  const auto borders =
      RoundIntegers(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), 4);
  EXPECT_EQ(Texts(borders),
            (std::vector<std::string>{"-4611686018427387904", "0", "4611686018427387904"}));
  EXPECT_TRUE(RoundIntegers(5, 5, 4).empty());
}

TEST(IdRange, OneSecondOfObjectIdsIsNotCut) {
  EXPECT_TRUE(RoundObjectIds(ObjectId(1000, 1), ObjectId(1000, 2), 16).empty());
}

TEST(IdRange, ADamagedReadGoesOnOnlyWhereTheOrderIsKnown) {
  EXPECT_TRUE((IdRange{IdRange::Kind::kBounds, {}, {}}).resumable());
  EXPECT_TRUE((IdRange{IdRange::Kind::kObjectIds, {}, {}}).resumable());
  EXPECT_FALSE((IdRange{IdRange::Kind::kWhole, {}, {}}).resumable());
  EXPECT_FALSE((IdRange{IdRange::Kind::kOtherTypes, {}, {}}).resumable());
  EXPECT_FALSE((IdRange{IdRange::Kind::kNatural, {}, {}}).resumable());
}

TEST(IdRange, SplitsAtAnObjectId) {
  const IdValue border = ObjectId(uint32_t{1} << 30);
  const auto borders = RoundObjectIds(ObjectId(0), ObjectId(UINT32_MAX), 16);
  const std::vector<std::string> documents = DocumentsOfEveryType();
  for (const auto& ranges : {RangesByBounds(borders), RangesByBounds({}),
                             RangesByComparison(borders), RangesByComparison({})}) {
    const auto split = SplitAt(ranges, border);
    ASSERT_TRUE(split);
    std::vector<IdRange> both = split->rest;
    both.insert(both.end(), split->older.begin(), split->older.end());
    ExpectEachOnce(both, true);
    int older = 0;
    for (const IdRange& range : split->older) {
      for (const std::string& document : Find(documents, range, true)) {
        const Element id = *FindField(document, "_id");
        EXPECT_TRUE(id.type == BsonType::kObjectId && id.value < border.bytes) << ToJson(document);
        ++older;
      }
    }
    EXPECT_GT(older, 50);
  }
  EXPECT_FALSE(SplitAt({IdRange{IdRange::Kind::kWhole, {}, {}}}, border));
  EXPECT_FALSE(SplitAt(RangesByBounds(RoundIntegers(0, 100, 4)), border));
}

}  // namespace
}  // namespace oxbackup::mongodb
