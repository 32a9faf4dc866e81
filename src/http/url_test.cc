#include "http/url.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace oxbackup {
namespace {

TEST(UrlTest, TakesAnAddressApartAndTogether) {
  const Url url = ParseUrl("https://s3.example.com:9000/a%20b/../c?x=1&y=%2F");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "s3.example.com");
  EXPECT_EQ(url.port, "9000");
  EXPECT_EQ(url.path, "/a%20b/../c");
  EXPECT_EQ(url.query, "x=1&y=%2F");
  EXPECT_EQ(url.Authority(), "s3.example.com:9000");
  EXPECT_EQ(url.ToString(), "https://s3.example.com:9000/a%20b/../c?x=1&y=%2F");
}

TEST(UrlTest, AHostAloneHasAPath) { EXPECT_EQ(ParseUrl("http://minio").path, "/"); }

// As Host headers are sent, and so signed, without it.
TEST(UrlTest, TheSchemesOwnPortIsLeftOut) {
  EXPECT_EQ(ParseUrl("http://minio:80/").Authority(), "minio");
  EXPECT_EQ(ParseUrl("https://minio:443/").Authority(), "minio");
  EXPECT_EQ(ParseUrl("https://minio:80/").Authority(), "minio:80");
}

TEST(UrlTest, AddressesOfVersion6KeepTheirBrackets) {
  const Url url = ParseUrl("http://[fd00::1]:9000/");
  EXPECT_EQ(url.host, "[fd00::1]");
  EXPECT_EQ(url.Authority(), "[fd00::1]:9000");
}

TEST(UrlTest, RefusesWhatIsNoAddressOfAWebService) {
  for (const char* const text :
       {"", "minio", "ftp://minio", "http://", "http://a b/", "http://a:x/", "http://user@minio/",
        "http://user:hidden@minio/"}) {
    try {
      ParseUrl(text);
      ADD_FAILURE() << "taken: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
      EXPECT_EQ(std::string(error.what()).find("hidden"), std::string::npos);
    }
  }
}

TEST(UrlTest, EncodesAllButUnreservedBytes) {
  EXPECT_EQ(EncodeUrlPart("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(EncodeUrlPart("a b/+%ü"), "a%20b%2F%2B%25%C3%BC");
  EXPECT_EQ(EncodeUrlPath("a b/+"), "a%20b/%2B");
}

TEST(UrlTest, DecodesAndLeavesWhatIsNotEncoded) {
  EXPECT_EQ(DecodeUrlPart("a%20b%2fc+d"), "a b/c+d");
  for (const char* const text : {"%", "%1", "%zz", "100%"}) EXPECT_EQ(DecodeUrlPart(text), text);
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(DecodeUrlPart(EncodeUrlPart(all)), all);
}

TEST(UrlTest, QueriesAreSortedAsTheyAreSigned) {
  EXPECT_EQ(EncodeQuery({{"b", "2"}, {"a", "x y"}, {"a", "1"}, {"B", ""}}), "B=&a=1&a=x%20y&b=2");
  EXPECT_EQ(EncodeQuery({}), "");
}

}  // namespace
}  // namespace oxbackup
