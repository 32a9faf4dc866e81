#include "mongodb/bson.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace oxbackup::mongodb {
namespace {

using std::string_literals::operator""s;

TEST(BsonView, ReadsEveryTypeOfField) {
  Bson document;
  document.Add("t", "text").Add("i", int32_t{-7}).Add("l", int64_t{1} << 40).Add("d", 2.5);
  document.Add("b", true).Add("ts", Timestamp{17, 3}).Add("u", Uuid{1, 2});
  document.Add("o", Bson().Add("x", "y")).AddArray("a", Bson().Add("0", int32_t{1}));
  bson_append_undefined(document.get(), "un", -1);
  bson_append_regex(document.get(), "r", -1, "a.b", "i");
  bson_append_maxkey(document.get(), "max", -1);
  const std::string_view bytes = document.bytes();
  EXPECT_EQ(FindField(bytes, "t")->AsText(), "text");
  EXPECT_EQ(FindField(bytes, "i")->AsInt(), -7);
  EXPECT_EQ(FindField(bytes, "l")->AsInt(), int64_t{1} << 40);
  EXPECT_EQ(FindField(bytes, "d")->AsInt(), 2);
  EXPECT_TRUE(FindField(bytes, "b")->IsTrue());
  EXPECT_EQ(FindField(bytes, "ts")->AsTimestamp(), (Timestamp{17, 3}));
  EXPECT_EQ(FindField(bytes, "u")->AsUuid(), (Uuid{1, 2}));
  EXPECT_EQ(FindPath(bytes, {"o", "x"})->AsText(), "y");
  EXPECT_EQ(FindField(bytes, "r")->value, "a.b\0i\0"s);
  EXPECT_EQ(FindField(bytes, "max")->type, BsonType::kMaxKey);
  EXPECT_FALSE(FindField(bytes, "nonesuch"));
  EXPECT_FALSE(FindPath(bytes, {"t", "x"}));
}

TEST(BsonView, WalksOverDuplicateAndEmptyKeysAndInvalidText) {
  const Bson document = Bson()
                            .AddValue("", BsonType::kInt32, "\1\0\0\0"s)
                            .AddValue("a.b", BsonType::kString, "\3\0\0\0\xff\xfe\0"s)
                            .AddValue("a.b", BsonType::kInt32, "\2\0\0\0"s);
  FieldWalker walker(document.bytes());
  EXPECT_EQ(walker.Next()->key, "");
  EXPECT_EQ(walker.Next()->AsText(), "\xff\xfe");
  EXPECT_EQ(walker.Next()->AsInt(), 2);
  EXPECT_FALSE(walker.Next());
}

TEST(BsonView, RefusesEveryTruncationAndABrokenLength) {
  const Bson document =
      Bson().Add("a", "text").Add("o", Bson().Add("x", int32_t{1})).Add("z", true);
  const std::string whole(document.bytes());
  const auto walk = [](std::string_view bytes) {
    FieldWalker walker(bytes);
    while (walker.Next()) continue;
  };
  walk(whole);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(walk(std::string_view(whole).substr(0, size)), Error) << size;
  }
  std::string broken = whole;
  broken[7] = '\x7f';  // the text's length
  EXPECT_THROW(walk(broken), Error);
  broken = whole;
  broken[4] = '\x55';  // an unknown type
  EXPECT_THROW(walk(broken), Error);
}

TEST(Bson, KeepsARawValueAsItIs) {
  const std::string invalid = "\3\0\0\0\xff\xfe\0"s;
  const Bson copy = Bson().AddValue("k", BsonType::kString, invalid);
  EXPECT_EQ(FindField(copy.bytes(), "k")->value, invalid);
}

TEST(Bson, WritesCanonicalExtendedJson) {
  EXPECT_EQ(ToJson(Bson().Add("n", int32_t{1}).bytes()), R"({ "n" : { "$numberInt" : "1" } })");
}

}  // namespace
}  // namespace oxbackup::mongodb
