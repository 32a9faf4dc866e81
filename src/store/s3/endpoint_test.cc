#include "store/s3/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace oxbackup::s3 {
namespace {

using testing::HasSubstr;

Settings At(const std::string& endpoint, Addressing addressing = Addressing::kAuto) {
  Settings settings;
  settings.endpoint = endpoint;
  settings.addressing = addressing;
  return settings;
}

std::string UrlOf(const Settings& settings, const std::string& key = "site.tar",
                  const std::string& bucket = "backups", const std::string& region = "eu-west-1") {
  return Endpoint(settings, bucket, region).UrlOf(key, {});
}

Error ErrorOf(const Settings& settings, const std::string& bucket = "backups",
              const std::string& region = "eu-west-1") {
  try {
    const Endpoint endpoint(settings, bucket, region);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::kInternal, "nothing was thrown"};
}

TEST(EndpointTest, WithoutOneItIsAwsHostOfTheRegion) {
  EXPECT_EQ(UrlOf(At("")), "https://backups.s3.eu-west-1.amazonaws.com/site.tar");
  EXPECT_EQ(UrlOf(At(""), "k", "backups", "cn-north-1"),
            "https://backups.s3.cn-north-1.amazonaws.com.cn/k");
  EXPECT_EQ(UrlOf(At("", Addressing::kPath)),
            "https://s3.eu-west-1.amazonaws.com/backups/site.tar");
  Settings plain = At("");
  plain.use_ssl = false;
  EXPECT_EQ(UrlOf(plain), "http://backups.s3.eu-west-1.amazonaws.com/site.tar");
  EXPECT_TRUE(Endpoint(At(""), "backups", "eu-west-1").is_regional());
}

TEST(EndpointTest, AutoIsVirtualOnHostsOfAwsAndPathElsewhere) {
  EXPECT_EQ(UrlOf(At("https://s3.amazonaws.com")), "https://backups.s3.amazonaws.com/site.tar");
  EXPECT_EQ(UrlOf(At("https://minio.example.com")), "https://minio.example.com/backups/site.tar");
  EXPECT_EQ(UrlOf(At("https://amazonaws.com.example.com")),
            "https://amazonaws.com.example.com/backups/site.tar");
  EXPECT_FALSE(Endpoint(At("https://s3.amazonaws.com"), "backups", "eu-west-1").is_regional());
}

TEST(EndpointTest, VirtualPutsTheBucketBeforeTheHostAndItsPort) {
  EXPECT_EQ(UrlOf(At("http://s3.localhost:9000", Addressing::kVirtual)),
            "http://backups.s3.localhost:9000/site.tar");
}

// A certificate of *.s3.… does not cover two labels, and a name with capitals is no host's.
TEST(EndpointTest, AutoIsPathForBucketsThatCannotBeInAHost) {
  for (const char* const bucket : {"with.dot", "Capital", "under_score", "ab", "-a-b", "a-b-"}) {
    EXPECT_THAT(UrlOf(At(""), "k", bucket),
                HasSubstr(".amazonaws.com/" + std::string(bucket) + "/k"));
    const Error error = ErrorOf(At("", Addressing::kVirtual), bucket);
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << bucket;
    EXPECT_THAT(error.hint(), HasSubstr("S3_ADDRESSING_STYLE"));
  }
}

TEST(EndpointTest, AnEndpointWithoutASchemeGetsTheOneOfUseSsl) {
  EXPECT_EQ(UrlOf(At("minio:9000")), "https://minio:9000/backups/site.tar");
  Settings plain = At("minio:9000");
  plain.use_ssl = false;
  EXPECT_EQ(UrlOf(plain), "http://minio:9000/backups/site.tar");
  plain.endpoint = "https://minio:9000";
  EXPECT_EQ(UrlOf(plain), "https://minio:9000/backups/site.tar") << "the address says it itself";
}

TEST(EndpointTest, KeepsAPathAndDropsWhatFollows) {
  EXPECT_EQ(UrlOf(At("https://example.com/storage//")),
            "https://example.com/storage/backups/site.tar");
  EXPECT_EQ(UrlOf(At("https://example.com/?a=b")), "https://example.com/backups/site.tar");
}

TEST(EndpointTest, KnowsAddressesOfVersion6) {
  EXPECT_EQ(UrlOf(At("http://[::1]:9000")), "http://[::1]:9000/backups/site.tar");
  EXPECT_EQ(UrlOf(At("[::1]:9000")), "https://[::1]:9000/backups/site.tar");
}

TEST(EndpointTest, KnowsWhereAllPartsHaveToBeOfOneSize) {
  const auto wants = [](const std::string& endpoint) {
    Settings settings;
    settings.endpoint = endpoint;
    return Endpoint::WantsEqualParts(settings);
  };
  EXPECT_TRUE(wants("https://0123.r2.cloudflarestorage.com"));
  EXPECT_TRUE(wants("0123.eu.r2.cloudflarestorage.com:443"));
  EXPECT_FALSE(wants(""));
  EXPECT_FALSE(wants("https://minio.example.com:9000"));
  EXPECT_FALSE(wants("https://r2.cloudflarestorage.com.example.com"));
}

TEST(EndpointTest, TheBucketItselfAndParameters) {
  const Endpoint path(At("http://minio"), "backups", "r");
  EXPECT_EQ(path.UrlOf("", {{"uploads", ""}, {"prefix", "a b/ü&"}}),
            "http://minio/backups?prefix=a%20b%2F%C3%BC%26&uploads=");
  const Endpoint host(At(""), "backups", "us-east-1");
  EXPECT_EQ(host.UrlOf("", {{"versions", ""}}),
            "https://backups.s3.us-east-1.amazonaws.com/?versions=");
}

TEST(EndpointTest, EncodesKeysButTheirSlashes) {
  EXPECT_EQ(UrlOf(At("http://minio"), "a folder/ü+%&=?#.tar"),
            "http://minio/backups/a%20folder/%C3%BC%2B%25%26%3D%3F%23.tar");
  EXPECT_EQ(UrlOf(At("http://minio"), "a/../b//c"), "http://minio/backups/a/../b//c");
}

TEST(EndpointTest, WhatVersion2SignsHasTheBucketInEveryStyle) {
  for (const Addressing addressing : {Addressing::kPath, Addressing::kVirtual}) {
    const Endpoint endpoint(At("http://s3.localhost", addressing), "backups", "r");
    EXPECT_EQ(endpoint.ResourceOf("a b"), "/backups/a%20b");
    EXPECT_EQ(endpoint.ResourceOf(""), addressing == Addressing::kPath ? "/backups" : "/backups/");
  }
}

TEST(EndpointTest, RefusesNamesThatCannotBe) {
  for (const char* const bucket : {"", ".", "..", "a/b", "a b", "a?b", "a#b", "a\nb"}) {
    EXPECT_EQ(ErrorOf(At("http://minio"), bucket).kind(), ErrorKind::kUsage) << bucket;
  }
  for (const char* const endpoint :
       {"http://", "ftp://minio", "http://a b", "https://minio:port"}) {
    const Error error = ErrorOf(At(endpoint));
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << endpoint;
    ASSERT_FALSE(error.contexts().empty()) << endpoint;
    EXPECT_THAT(error.contexts().front(), HasSubstr("S3_ENDPOINT_URL"));
  }
  const Error secret = ErrorOf(At("https://user:hidden@minio"));
  EXPECT_EQ(secret.kind(), ErrorKind::kUsage);
  EXPECT_EQ((secret.what() + secret.cause() + secret.hint()).find("hidden"), std::string::npos);
}

TEST(EndpointTest, ARegionThatCannotBeAwsNeverBecomesAHost) {
  for (const char* const region : {"eu west", "evil.example/", "a@b", "a#b"}) {
    const Error error = ErrorOf(At(""), "backups", region);
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << region;
    EXPECT_THAT(error.hint(), HasSubstr("S3_REGION_NAME"));
  }
  EXPECT_EQ(UrlOf(At("http://ceph"), "k", "backups", "Region.One"), "http://ceph/backups/k");
}

TEST(EndpointTest, AKeyOfTheCustomerNeverTravelsInTheClear) {
  Settings settings = At("http://minio");
  settings.encryption.customer_key = std::string(32, 'k');
  EXPECT_EQ(ErrorOf(settings).kind(), ErrorKind::kUsage);
  EXPECT_THAT(ErrorOf(settings).hint(), HasSubstr("https://"));
  settings.endpoint = "https://minio";
  EXPECT_EQ(UrlOf(settings), "https://minio/backups/site.tar");
}

}  // namespace
}  // namespace oxbackup::s3
