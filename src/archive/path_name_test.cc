#include "archive/path_name.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace oxbackup {
namespace {

TEST(PathName, RoundTripsAwkwardNames) {
  for (const std::string name : {"openedx", "a.b-schema", "we\"ird ``db 測試", "%41", "../x", ""}) {
    const std::string escaped = EscapeName(name);
    EXPECT_EQ(escaped.find_first_of("./ -\"`"), std::string::npos) << escaped;
    EXPECT_EQ(UnescapeName(escaped), name);
  }
}

TEST(PathName, RefusesMalformedEscapes) {
  EXPECT_THROW(UnescapeName("a%4"), Error);
  EXPECT_THROW(UnescapeName("a%zz"), Error);
  EXPECT_THROW(UnescapeName("%"), Error);
}

}  // namespace
}  // namespace oxbackup
