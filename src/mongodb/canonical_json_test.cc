#include "mongodb/canonical_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "base/error.h"
#include "mongodb/collection_metadata.h"
#include "mongodb/extended_json.h"
#include "mongodb/recorded_replies_testing.h"

namespace oxbackup::mongodb {
namespace {

void ExpectComesBack(const Bson& document) {
  const std::string json = ToJson(document.bytes());
  EXPECT_TRUE(FromCanonicalJson(json, "a test").bytes() == document.bytes()) << json;
}

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

std::string Text(const std::string& text) {
  return Bytes({static_cast<int>(text.size()) + 1, 0, 0, 0}) + text + '\0';
}

/// A value of every type, some with corners.
std::vector<std::pair<BsonType, std::string>> AllValues() {
  const std::string nested(Bson().Add("a", int32_t{1}).bytes());
  const std::string scoped = Text("f()") + nested;
  return {
      {BsonType::kDouble, Bytes({0, 0, 0, 0, 0, 0, 0, 0x80})},  // -0.0
      {BsonType::kDouble, Bytes({0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0x3f})},
      {BsonType::kDouble, Bytes({1, 0, 0, 0, 0, 0, 0, 0})},
      {BsonType::kDouble, Bytes({0, 0, 0, 0, 0, 0, 0xf0, 0x7f})},
      {BsonType::kDouble, Bytes({0, 0, 0, 0, 0, 0, 0xf8, 0x7f})},
      {BsonType::kString, Text("")},
      {BsonType::kString, Text(std::string("\0\x1f\"\\/\x7f", 6))},
      {BsonType::kString, Text("grüße €😀")},
      {BsonType::kDocument, nested},
      {BsonType::kDocument, std::string(Bson().bytes())},
      {BsonType::kArray, std::string(Bson().Add("0", "x").bytes())},
      {BsonType::kBinary, Bytes({0, 0, 0, 0, 0})},
      {BsonType::kBinary, Bytes({1, 0, 0, 0, 0x80, 0xff})},
      {BsonType::kBinary, Bytes({6, 0, 0, 0, 2, 2, 0, 0, 0, 7, 8})},
      {BsonType::kBinary, Bytes({16, 0, 0, 0, 4}) + std::string(16, 'u')},
      {BsonType::kUndefined, ""},
      {BsonType::kObjectId, std::string(12, '\xab')},
      {BsonType::kBool, Bytes({1})},
      {BsonType::kBool, Bytes({0})},
      {BsonType::kDate, std::string(8, '\xff')},
      {BsonType::kNull, ""},
      {BsonType::kRegex, std::string("^a\"\\\0im\0", 8)},
      {BsonType::kDbPointer, Text("db.c") + std::string(12, '\1')},
      {BsonType::kCode, Text("function() {}")},
      {BsonType::kSymbol, Text("sym")},
      {BsonType::kCodeWithScope, Bytes({static_cast<int>(scoped.size()) + 4, 0, 0, 0}) + scoped},
      {BsonType::kInt32, Bytes({0, 0, 0, 0x80})},
      {BsonType::kTimestamp, std::string(8, '\xff')},
      {BsonType::kInt64, Bytes({0, 0, 0, 0, 0, 0, 0, 0x80})},
      {BsonType::kDecimal128, Bytes({1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0xb0})},
      {BsonType::kMinKey, ""},
      {BsonType::kMaxKey, ""},
  };
}

TEST(CanonicalJson, GivesBackEveryType) {
  Bson all;
  for (const auto& [type, raw] : AllValues()) {
    ExpectComesBack(Bson().AddValue("v", type, raw));
    all.AddValue("v" + std::to_string(all.bytes().size()), type, raw);
  }
  ExpectComesBack(all);
}

TEST(CanonicalJson, GivesBackWhateverServersHadAsOptionsIndexesAndViews) {
  const std::string lines = ReadXzFixture("mongod/replies.jsonl.xz");
  size_t at = 0;
  size_t seen = 0;
  while (at < lines.size()) {
    const size_t end = lines.find('\n', at);
    const Bson line = FromCanonicalJson(std::string_view(lines).substr(at, end - at), "a line");
    at = end + 1;
    ExpectComesBack(line);
    const auto batch = FindPath(line.bytes(), {"reply", "cursor", "firstBatch"});
    seen += batch ? 1 : 0;
  }
  EXPECT_GT(seen, 40u);
}

/// Random documents with the names that filters, pipelines and extended JSON use.
class RandomDocuments {
 public:
  Bson Next(int depth = 0) {
    static const std::vector<std::string> names = {
        "$type", "$regex", "$options", "$date", "$uuid",  "$scope", "$ref", "$id",
        "$in",   "$match", "a.b",      "",      "schlüs", "n",      "t",    "i"};
    Bson document;
    const int fields = Number(4);
    // A duplicate would be no question of types.
    std::vector<std::string> left = names;
    std::shuffle(left.begin(), left.end(), random_);
    for (int field = 0; field < fields; ++field) {
      const std::string& name = left[static_cast<size_t>(field)];
      const int choice = Number(static_cast<int>(values_.size()) + 12);
      if (choice < static_cast<int>(values_.size())) {
        const auto& [type, raw] = values_[static_cast<size_t>(choice)];
        // Text or a number below "$date" is another way to write a date.
        const bool date = name == "$date" && fields == 1;
        document.AddValue(name, date ? BsonType::kNull : type, date ? "" : raw);
      } else if (depth < 4) {
        document.Add(name, Next(depth + 1));
      }
    }
    return document;
  }

 private:
  int Number(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  std::mt19937 random_{20261125};
  std::vector<std::pair<BsonType, std::string>> values_ = AllValues();
};

TEST(CanonicalJson, GivesBackRandomDocuments) {
  RandomDocuments documents;
  for (int count = 0; count < 5000; ++count) ExpectComesBack(documents.Next());
}

TEST(CanonicalJson, KeepsTheOperatorsOfFiltersAndPipelines) {
  for (const char* const operators : {
           R"({"a": {"$type": ["string", "int"]}})",
           R"({"a": {"$regex": "^a", "$type": "string"}})",
           R"({"a": {"$regex": "@x"}})",
           R"({"a": {"$regex": "@x", "$options": "i"}})",
           R"({"$uuid": "c8edabc3-f738-4ca3-b68d-ab92a91478a3"})",
           R"({"$scope": {}})",
           R"({"$date": {"$dateFromString": "x"}})",
           R"({"$binary": "!", "$type": "00"})",
           R"({"$oid": "no id"})",
           R"({"$code": "f", "$scope": 1})",
       }) {
    std::string json = ToJson(FromCanonicalJson(operators, "a filter").bytes());
    json = std::regex_replace(json, std::regex(R"x(\{ "\$numberInt" : "(\d+)" \})x"), "$1");
    EXPECT_EQ(nlohmann::json::parse(json), nlohmann::json::parse(operators));
    ExpectComesBack(FromCanonicalJson(operators, "a filter"));
  }
  const Bson nested = FromCanonicalJson(R"({"a": {"$regex": {"$regularExpression":
                            {"pattern": "^a", "options": ""}}}})",
                                        "a filter");
  EXPECT_EQ(FindPath(nested.bytes(), {"a", "$regex"})->type, BsonType::kRegex);
  EXPECT_EQ(
      FindPath(FromCanonicalJson(R"({"e": {"$regex": "@x"}})", "a filter").bytes(), {"e", "$regex"})
          ->AsText(),
      "@x");
}

TEST(CanonicalJson, TakesWhatOldMongodumpsWrote) {
  const Bson old = FromCanonicalJson(
      R"({"v": 1, "big": 5000000000, "half": 0.5,
          "d": {"$date": "2014-01-31T13:00:00.123+0100"}, "z": {"$date": "1969-12-31T23:59:59Z"},
          "b": {"$binary": "AQI=", "$type": "00"}})",
      "a file");
  EXPECT_EQ(FindField(old.bytes(), "v")->type, BsonType::kInt32);
  EXPECT_EQ(FindField(old.bytes(), "big")->AsInt(), 5'000'000'000);
  EXPECT_EQ(FindField(old.bytes(), "half")->type, BsonType::kDouble);
  EXPECT_EQ(ToJson(Bson().Add("d", *FindField(old.bytes(), "d")).bytes()),
            R"({ "d" : { "$date" : { "$numberLong" : "1391169600123" } } })");
  EXPECT_EQ(FindField(old.bytes(), "z")->type, BsonType::kDate);
  EXPECT_EQ(FindField(old.bytes(), "b")->value, Bytes({2, 0, 0, 0, 0, 1, 2}));
}

TEST(CanonicalJson, RefusesWhatIsNoDocument) {
  for (const std::string& bad :
       {std::string("[]"), std::string("{"), std::string("{} x"), std::string("{\"a\": \"\xff\"}"),
        std::string("{\"\\u0000\": 1}"), std::string("{\"a\": 9999999999999999999}")}) {
    EXPECT_THROW(static_cast<void>(FromCanonicalJson(bad, "a file")), Error) << bad;
  }
  std::string deep = "1";
  for (int level = 0; level < 100'000; ++level) deep = "[" + deep;
  EXPECT_THROW(static_cast<void>(FromCanonicalJson("{\"a\": " + deep, "a file")), Error);
  deep = "{\"a\": " + std::string(1000, '[') + std::string(1000, ']') + "}";
  EXPECT_THROW(static_cast<void>(FromCanonicalJson(deep, "a file")), Error);
}

TEST(CanonicalJson, ReadsTheMetadataOfAFilteredIndexAsItIs) {
  const CollectionMetadata metadata = ParseMetadata(
      R"({"options": {"validator": {"a": {"$type": ["string", "int"]}}},
          "indexes": [{"v": {"$numberInt": "2"}, "key": {"e": {"$numberInt": "1"}}, "name": "e",
                       "partialFilterExpression": {"e": {"$regex": "@x"}}}]})",
      "a file");
  EXPECT_TRUE(FindPath(metadata.options.bytes(), {"validator", "a", "$type"}));
  EXPECT_EQ(FindPath(metadata.indexes.at(0).bytes(), {"partialFilterExpression", "e", "$regex"})
                ->AsText(),
            "@x");
}

}  // namespace
}  // namespace oxbackup::mongodb
