#include "cli/list_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace oxbackup {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Parse(std::string_view text) { return ParseList(text, "LIST"); }

std::string Refusal(std::string_view text) {
  try {
    Parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.hint(), HasSubstr("for example LIST="));
    return error.what();
  }
  return "taken";
}

TEST(ListTextTest, WordsAreSeparatedBySpacesCommasAndLineEnds) {
  EXPECT_THAT(Parse("openedx notes"), ElementsAre("openedx", "notes"));
  EXPECT_THAT(Parse(" openedx,notes\n"), ElementsAre("openedx", "notes"));
  EXPECT_THAT(Parse("my-db"), ElementsAre("my-db"));
  EXPECT_THAT(Parse("-db #2"), ElementsAre("-db", "#2"));
  EXPECT_THAT(Parse(""), IsEmpty());
  EXPECT_THAT(Parse(" \n"), IsEmpty());
}

TEST(ListTextTest, BracketsAreReadAsJsonPythonAndYamlWriteThem) {
  EXPECT_THAT(Parse(R"(["openedx", "my notes"])"), ElementsAre("openedx", "my notes"));
  EXPECT_THAT(Parse("['openedx', 'notes']"), ElementsAre("openedx", "notes"));
  EXPECT_THAT(Parse("[openedx, my notes]"), ElementsAre("openedx", "my notes"));
  EXPECT_THAT(Parse("[\n  a, # the first\n  b,\n]\n"), ElementsAre("a", "b"));
  EXPECT_THAT(Parse("[]"), IsEmpty());
  EXPECT_THAT(Parse(" [ ] "), IsEmpty());
}

TEST(ListTextTest, EscapesAreThoseOfTheQuotes) {
  EXPECT_THAT(Parse(R"(["a\"b", "c\\d", "caf\u00e9", "x,]y"])"),
              ElementsAre("a\"b", "c\\d", "café", "x,]y"));
  EXPECT_THAT(Parse(R"(['it''s', "it's"])"), ElementsAre("it's", "it's"));
}

TEST(ListTextTest, YamlsLongFormHasAnItemALine) {
  EXPECT_THAT(Parse("- openedx\n- notes\n"), ElementsAre("openedx", "notes"));
  EXPECT_THAT(Parse("\n  - \"openedx\" # the site\n\n  # notes\n  - 'my notes'\n"),
              ElementsAre("openedx", "my notes"));
  EXPECT_THAT(Parse("- a-b"), ElementsAre("a-b"));
}

TEST(ListTextTest, WhatIsNoWholeListIsRefusedByItsName) {
  EXPECT_EQ(Refusal(R"(["openedx", "notes")"),
            "LIST holds a list that does not end: there is no ']'");
  EXPECT_EQ(Refusal("[openedx"), "LIST holds a list that does not end: there is no ']'");
  EXPECT_EQ(Refusal("["), "LIST holds a list that does not end: there is no ']'");
  EXPECT_EQ(Refusal("[\"openedx]"), "LIST holds a quote that does not end");
  EXPECT_EQ(Refusal("['openedx]"), "LIST holds a quote that does not end");
  EXPECT_EQ(Refusal("[\"openedx\\\"]"), "LIST holds a quote that does not end");
  EXPECT_EQ(Refusal(R"(["a"] b)"), "LIST goes on behind the ']' of its list");
  EXPECT_EQ(Refusal(R"(["a" "b"])"), "LIST lacks a comma between two items of its list");
  EXPECT_EQ(Refusal("[a, [b]]"), "LIST has an item with quotes or brackets in it: [b");
  EXPECT_EQ(Refusal("[a,, b]"), "LIST has an empty item in its list");
  EXPECT_EQ(Refusal(R"([""])"), "LIST has an empty item in its list");
  EXPECT_THAT(Refusal(R"(["\x41"])"), HasSubstr("has an escape that is none of JSON"));
  EXPECT_THAT(Refusal(R"(['a\b'])"), HasSubstr("has a backslash in single quotes"));
  EXPECT_EQ(Refusal("- a\nb"), "LIST has a line that is no '- item' of its list");
  EXPECT_EQ(Refusal("- a\n  - b"), "LIST has a line that is no '- item' of its list");
  EXPECT_EQ(Refusal("- \"a\" b"), "LIST has something behind an item of its list");
  EXPECT_EQ(Refusal("-"), "LIST has an empty item in its list");
  EXPECT_EQ(Refusal("openedx, notes]"), "LIST has quotes or brackets, but is no list in brackets");
  EXPECT_EQ(Refusal(R"({"a": 1})"), "LIST has quotes or brackets, but is no list in brackets");
}

}  // namespace
}  // namespace oxbackup
