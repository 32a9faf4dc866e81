#include "mysql/quote.h"

#include <gtest/gtest.h>

#include <string>

namespace oxbackup::mysql {
namespace {

// What a server makes of the text between two single quotes.
std::string Unescape(const std::string& text) {
  std::string value;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      value += text[at];
      continue;
    }
    const char letter = text[++at];
    value += letter == '0'   ? '\0'
             : letter == 'n' ? '\n'
             : letter == 'r' ? '\r'
             : letter == 'Z' ? '\x1a'
                             : letter;
  }
  return value;
}

TEST(QuoteTest, NamesDoubleTheirBackticks) {
  EXPECT_EQ(QuoteName("a`b"), "`a``b`");
  EXPECT_EQ(QuoteName("d", "t"), "`d`.`t`");
}

TEST(QuoteTest, StringsEscapeWhatServerAndClientNeed) {
  EXPECT_EQ(QuoteString(std::string("a\0b\nc\rd\x1a"
                                    "e\\f'g\"h",
                                    15)),
            "'a\\0b\\nc\\rd\\Ze\\\\f\\'g\"h'");
  EXPECT_EQ(QuoteString("plain ünïcode"), "'plain ünïcode'");
  EXPECT_EQ(QuoteString(""), "''");
}

TEST(QuoteTest, EveryByteAtEveryPlaceOfAVectorComesBack) {
  for (int byte = 0; byte < 256; ++byte) {
    for (size_t place = 0; place < 40; ++place) {
      std::string value(40, 'x');
      value[place] = static_cast<char>(byte);
      std::string escaped;
      AppendEscaped(value, escaped);
      ASSERT_EQ(Unescape(escaped), value) << byte << " at " << place;
      ASSERT_EQ(escaped.find('\n'), std::string::npos);
    }
  }
}

TEST(QuoteTest, ListsQuoteEachValue) {
  EXPECT_EQ(QuoteList(std::vector<std::string>{"a", "b'c"}), "'a','b\\'c'");
}

}  // namespace
}  // namespace oxbackup::mysql
