#include "store/s3/signature.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "http/url.h"

namespace oxbackup::s3 {
namespace {

constexpr char kUnreserved[] = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::string HeaderOf(const HttpRequest& request, const std::string& name) {
  for (const auto& [key, value] : request.headers) {
    if (LowerCase(key) == name) return value;
  }
  return {};
}

TimePoint At(const char* time) { return ParseRfc3339(time).value(); }

// AWS's "Signature Version 4 test suite" (awslabs/aws-c-auth has it), without the cases that
// normalize paths or encode them twice, which S3 does not.
class SuiteTest : public testing::Test {
 protected:
  struct Case {
    std::string method = "GET";
    std::string path = "/";
    std::vector<std::pair<std::string, std::string>> query = {};
    HttpHeaders headers = {};
    std::string body = {};
    std::string session_token = {};
  };

  static std::string Authorization(const Case& data) {
    const std::string query = EncodeQuery(data.query);
    HttpRequest request{
        .method = data.method,
        .url = "https://example.amazonaws.com" + data.path + (query.empty() ? "" : "?" + query),
        .headers = data.headers};
    SignV4(request,
           {.access_key = "AKIDEXAMPLE",
            .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            .session_token = data.session_token},
           "us-east-1", "service", Sha256Hex(data.body), At("2015-08-30T12:36:00Z"));
    EXPECT_EQ(HeaderOf(request, "x-amz-date"), "20150830T123600Z");
    return HeaderOf(request, "authorization");
  }
  static std::string Expected(const std::string& signed_headers, const std::string& signature) {
    return "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
           "SignedHeaders=" +
           signed_headers + ", Signature=" + signature;
  }
};

TEST_F(SuiteTest, Requests) {
  EXPECT_EQ(Authorization({}),  // get-vanilla
            Expected("host;x-amz-date",
                     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"));
  EXPECT_EQ(Authorization({.method = "POST"}),  // post-vanilla
            Expected("host;x-amz-date",
                     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"));
  EXPECT_EQ(Authorization({.method = "POST",  // post-x-www-form-urlencoded
                           .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                           .body = "Param1=value1"}),
            Expected("content-type;host;x-amz-date",
                     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"));
}

TEST_F(SuiteTest, PathsAsTheyStand) {
  const auto signature_of = [](const std::string& path) { return Authorization({.path = path}); };
  EXPECT_EQ(signature_of(std::string("/") + kUnreserved),  // get-unreserved
            Expected("host;x-amz-date",
                     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"));
  EXPECT_EQ(signature_of("/%E1%88%B4"),  // get-utf8
            Expected("host;x-amz-date",
                     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"));
  EXPECT_EQ(signature_of("/example1/example2/../.."),  // get-relative-relative-unnormalized
            Expected("host;x-amz-date",
                     "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b"));
  EXPECT_EQ(signature_of("/./example"),  // get-slash-pointless-dot-unnormalized
            Expected("host;x-amz-date",
                     "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff"));
  EXPECT_EQ(signature_of("//example//"),  // get-slashes-unnormalized
            Expected("host;x-amz-date",
                     "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"));
}

TEST_F(SuiteTest, Queries) {
  // get-vanilla-query-order-key-case
  EXPECT_EQ(Authorization({.query = {{"Param2", "value2"}, {"Param1", "value1"}}}),
            Expected("host;x-amz-date",
                     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"));
  // get-vanilla-query-order-encoded
  EXPECT_EQ(
      Authorization({.query = {{"Param-3", "Value3"}, {"Param", "Value2"}, {"\u1234", "Value1"}}}),
      Expected("host;x-amz-date",
               "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"));
  // get-vanilla-query-unreserved
  EXPECT_EQ(Authorization({.query = {{kUnreserved, kUnreserved}}}),
            Expected("host;x-amz-date",
                     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"));
  // get-vanilla-utf8-query
  EXPECT_EQ(Authorization({.query = {{"\u1234", "bar"}}}),
            Expected("host;x-amz-date",
                     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"));
}

TEST_F(SuiteTest, Headers) {
  // get-header-key-duplicate, get-header-value-order
  EXPECT_EQ(Authorization({.headers = {{"My-Header1", "value2"},
                                       {"My-Header1", "value2"},
                                       {"My-Header1", "value1"}}}),
            Expected("host;my-header1;x-amz-date",
                     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"));
  EXPECT_EQ(Authorization({.headers = {{"My-Header1", "value4"},
                                       {"My-Header1", "value1"},
                                       {"My-Header1", "value3"},
                                       {"My-Header1", "value2"}}}),
            Expected("host;my-header1;x-amz-date",
                     "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"));
  // get-header-value-trim
  EXPECT_EQ(
      Authorization({.headers = {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\" "}}}),
      Expected("host;my-header1;my-header2;x-amz-date",
               "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"));
  // post-header-key-sort
  EXPECT_EQ(Authorization({.method = "POST", .headers = {{"My-Header1", "value1"}}}),
            Expected("host;my-header1;x-amz-date",
                     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"));
}

TEST_F(SuiteTest, SessionTokens) {
  // get-vanilla-with-session-token
  EXPECT_EQ(Authorization({.session_token =
                               "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"}),
            Expected("host;x-amz-date;x-amz-security-token",
                     "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"));
}

// The examples of the Amazon S3 API Reference, "Signature Calculations for the Authorization
// Header: Transferring Payload in a Single Chunk".
class S3ExamplesTest : public testing::Test {
 protected:
  static std::string Authorization(HttpRequest request) {
    request.url = "https://examplebucket.s3.amazonaws.com" + request.url;
    SignV4(request, kCredentials, "us-east-1", "s3", Sha256Hex(request.body),
           At("2013-05-24T00:00:00Z"));
    EXPECT_EQ(HeaderOf(request, "x-amz-content-sha256"), Sha256Hex(request.body));
    return HeaderOf(request, "authorization");
  }
  static std::string Expected(const std::string& signed_headers, const std::string& signature) {
    return "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
           "SignedHeaders=" +
           signed_headers + ", Signature=" + signature;
  }

  static inline const Credentials kCredentials{
      .access_key = "AKIAIOSFODNN7EXAMPLE",
      .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
};

TEST_F(S3ExamplesTest, AreSignedAsPublished) {
  EXPECT_EQ(Authorization({.url = "/test.txt", .headers = {{"Range", "bytes=0-9"}}}),
            Expected("host;range;x-amz-content-sha256;x-amz-date",
                     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
  EXPECT_EQ(Authorization({.method = "PUT",
                           .url = "/" + EncodeUrlPath("test$file.text"),
                           .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                       {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                           .body = "Welcome to Amazon S3."}),
            Expected("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
  EXPECT_EQ(Authorization({.url = "/?" + EncodeQuery({{"lifecycle", ""}})}),
            Expected("host;x-amz-content-sha256;x-amz-date",
                     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  EXPECT_EQ(Authorization({.url = "/?" + EncodeQuery({{"prefix", "J"}, {"max-keys", "2"}})}),
            Expected("host;x-amz-content-sha256;x-amz-date",
                     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST_F(S3ExamplesTest, ASecondSignatureReplacesTheFirst) {
  HttpRequest once{.url = "http://[::1]:9000/b/k"};
  SignV4(once, kCredentials, "us-east-1", "s3", "UNSIGNED-PAYLOAD", At("2013-05-24T00:00:00Z"));
  HttpRequest twice{.url = once.url};
  Credentials temporary = kCredentials;
  temporary.session_token = "token";
  SignV4(twice, temporary, "eu-west-3", "s3", Sha256Hex(""), At("2013-05-23T00:00:00Z"));
  SignV4(twice, kCredentials, "us-east-1", "s3", "UNSIGNED-PAYLOAD", At("2013-05-24T00:00:00Z"));
  std::ranges::sort(once.headers);
  std::ranges::sort(twice.headers);
  EXPECT_EQ(twice.headers, once.headers);
}

// The examples of the Amazon S3 User Guide, "Signing and authenticating REST requests (AWS
// signature version 2)".
class SignatureV2Test : public S3ExamplesTest {
 protected:
  static std::string Signature(HttpRequest request, const std::string& date,
                               const std::string& resource) {
    request.url = "https://s3.us-west-1.amazonaws.com" + request.url;
    request.headers.emplace_back("Date", date);
    const std::string value = AuthorizationV2(request, kCredentials, resource);
    const std::string prefix = "AWS AKIAIOSFODNN7EXAMPLE:";
    EXPECT_TRUE(value.starts_with(prefix)) << value;
    return value.substr(prefix.size());
  }
};

TEST_F(SignatureV2Test, ExamplesAreSignedAsPublished) {
  EXPECT_EQ(Signature({.url = "/photos/puppy.jpg"}, "Tue, 27 Mar 2007 19:36:42 +0000",
                      "/awsexamplebucket1/photos/puppy.jpg"),
            "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=");
  EXPECT_EQ(Signature({.method = "PUT",
                       .url = "/photos/puppy.jpg",
                       .headers = {{"Content-Type", "image/jpeg"}}},
                      "Tue, 27 Mar 2007 21:15:45 +0000", "/awsexamplebucket1/photos/puppy.jpg"),
            "iqRzw+ileNPu1fhspnRs8nOjjIA=");
  EXPECT_EQ(Signature({.url = "/?prefix=photos&max-keys=50&marker=puppy"},
                      "Tue, 27 Mar 2007 19:42:41 +0000", "/awsexamplebucket1/"),
            "m0WP8eCtspQl5Ahe6L1SozdX9YA=");
  EXPECT_EQ(Signature({.url = "/?acl"}, "Tue, 27 Mar 2007 19:44:46 +0000", "/awsexamplebucket1/"),
            "82ZHiFIjc+WbcwFKGUVEQspPn+0=");
  EXPECT_EQ(Signature({.method = "DELETE", .url = "/awsexamplebucket1/photos/puppy.jpg"},
                      "Tue, 27 Mar 2007 21:20:26 +0000", "/awsexamplebucket1/photos/puppy.jpg"),
            "XbyTlbQdu9Xw5o8P4iMwPktxQd8=");
  EXPECT_EQ(Signature({.url = "/"}, "Wed, 28 Mar 2007 01:29:59 +0000", "/"),
            "qGdzdERIC03wnaRNKh6OqZehG9s=");
  EXPECT_EQ(
      Signature({.url = "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re"},
                "Wed, 28 Mar 2007 01:49:49 +0000", "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re"),
      "DNEZGsoieTZ92F3bUfSPQcbGmlM=");
}

TEST_F(SignatureV2Test, HeadersAreJoinedAndSorted) {
  EXPECT_EQ(Signature({.method = "PUT",
                       .url = "/db-backup.dat.gz",
                       .headers = {{"x-amz-acl", "public-read"},
                                   {"content-type", "application/x-download"},
                                   {"Content-MD5", "4gJE4saaMU4BqNR0kLY+lw=="},
                                   {"X-Amz-Meta-ReviewedBy", "joe@awsexamplebucket1.net"},
                                   {"X-Amz-Meta-ReviewedBy", "jane@awsexamplebucket1.net"},
                                   {"X-Amz-Meta-FileChecksum", "0x02661779"},
                                   {"X-Amz-Meta-ChecksumAlgorithm", "crc32"},
                                   {"Content-Disposition", "attachment; filename=database.dat"},
                                   {"Content-Encoding", "gzip"}}},
                      "Tue, 27 Mar 2007 21:06:08 +0000",
                      "/static.awsexamplebucket1.net/db-backup.dat.gz"),
            "dKZcB+bz2EPXgSdXZp9ozGeOM4I=");
}

TEST_F(SignatureV2Test, SubresourcesAreSortedAndDecoded) {
  const std::string date = "Tue, 27 Mar 2007 19:36:42 +0000";
  const auto of_query = [&](const std::string& query) {
    return Signature({.method = "PUT", .url = "/k?" + query}, date, "/b/k");
  };
  const std::string expected = Base64(HmacSha1(
      kCredentials.secret_key, "PUT\n\n\n" + date + "\n/b/k?partNumber=3&uploadId=2~a+b/c="));
  EXPECT_EQ(of_query("uploadId=2~a%2Bb%2Fc%3D&partNumber=3&x-id=UploadPart"), expected);
  // A subresource without a value: with and without the sign that canonical queries have.
  EXPECT_EQ(of_query("uploads="), of_query("uploads"));
  EXPECT_NE(of_query("uploads="), of_query(""));
}

TEST_F(SignatureV2Test, DateAndTokenAreSetAndSigned) {
  HttpRequest request{.url = "http://minio:9000/b/k"};
  Credentials temporary = kCredentials;
  temporary.session_token = "token";
  SignV2(request, temporary, "/b/k", At("2026-01-05T07:08:09Z"));
  SignV2(request, temporary, "/b/k", At("2026-01-06T07:08:09.5Z"));
  const std::string to_sign =
      "GET\n\n\nTue, 06 Jan 2026 07:08:09 GMT\nx-amz-security-token:token\n/b/k";
  const HttpHeaders expected = {
      {"Date", "Tue, 06 Jan 2026 07:08:09 GMT"},
      {"X-Amz-Security-Token", "token"},
      {"Authorization",
       "AWS AKIAIOSFODNN7EXAMPLE:" + Base64(HmacSha1(kCredentials.secret_key, to_sign))}};
  EXPECT_EQ(request.headers, expected);
}

}  // namespace
}  // namespace oxbackup::s3
