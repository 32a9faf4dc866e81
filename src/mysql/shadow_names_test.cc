#include "mysql/shadow_names.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace oxbackup::mysql {
namespace {

TEST(ShadowNames, AppendASuffix) {
  EXPECT_EQ(ShadowName("openedx"), "openedx__restore");
  EXPECT_EQ(OldName("openedx"), "openedx__old");
  EXPECT_EQ(ShadowName(std::string(55, 'a')), std::string(55, 'a') + "__restore");
}

TEST(ShadowNames, LongNamesAreShortenedAndStayDifferent) {
  const std::string first = ShadowName(std::string(60, 'a') + "b");
  const std::string second = ShadowName(std::string(60, 'a') + "c");
  EXPECT_EQ(first.size(), 64U);
  EXPECT_TRUE(first.ends_with("__restore"));
  EXPECT_NE(first, second);
}

TEST(ShadowNames, CountCharactersAndCutBetweenThem) {
  std::string database;
  for (int i = 0; i < 60; ++i) database += "é";
  const std::string shadow = ShadowName(database);
  const auto characters = std::count_if(shadow.begin(), shadow.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  });
  EXPECT_EQ(characters, 64);
  EXPECT_TRUE(shadow.starts_with("éé"));
  EXPECT_EQ(shadow.size(), 38U * 2 + 17 + 9);
  EXPECT_EQ(ShadowName("éé"), "éé__restore");
}

}  // namespace
}  // namespace oxbackup::mysql
