#include "store/s3/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace oxbackup::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

// As AWS answers ListObjectsV2 with encoding-type=url.
std::string Objects(const std::string& inside) {
  return R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>
<EncodingType>url</EncodingType>)" +
         inside + "</ListBucketResult>";
}

std::string Object(const std::string& key) {
  return "<Contents><Key>" + key +
         "</Key><LastModified>2026-11-22T20:48:20.000Z</LastModified>"
         "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e-3&quot;</ETag><Size>5497558138880</Size>"
         "<StorageClass>STANDARD</StorageClass></Contents>";
}

TEST(ListingTest, ReadsObjects) {
  const ObjectPage page =
      ParseObjects(Objects("<IsTruncated>false</IsTruncated>" + Object("f/site.tar.xz")));
  ASSERT_EQ(page.objects.size(), 1u);
  const ListedObject& object = page.objects[0];
  EXPECT_EQ(object.key, "f/site.tar.xz");
  EXPECT_EQ(object.etag, "d41d8cd98f00b204e9800998ecf8427e-3");
  EXPECT_EQ(object.size, uint64_t{5} << 40);
  EXPECT_EQ(FormatRfc3339(object.modified), "2026-11-22T20:48:20.000Z");
  EXPECT_EQ(object.version, "");
  EXPECT_TRUE(object.latest);
  EXPECT_FALSE(object.delete_marker);
  EXPECT_THAT(page.next, IsEmpty());
}

TEST(ListingTest, DecodesNamesThatAreEncoded) {
  const auto key = [](const std::string& text) {
    return ParseObjects(Objects(Object(text))).objects.at(0).key;
  };
  EXPECT_EQ(key("a+b%20c%2Bd"), "a b c+d");
  EXPECT_EQ(key("%C3%BC%26%3C%3E%25"), "ü&<>%");
  EXPECT_EQ(key("line%0Abreak%01"), "line\nbreak\x01");
  EXPECT_EQ(key("100%"), "100%");
}

TEST(ListingTest, LeavesNamesAsTheyAreWhereTheServerDoesNotEncode) {
  const ObjectPage page =
      ParseObjects("<ListBucketResult>" + Object("a+b%20c &amp; d") + "</ListBucketResult>");
  EXPECT_EQ(page.objects.at(0).key, "a+b%20c & d");
}

TEST(ListingTest, AnEmptyBucketIsAnEmptyPage) {
  EXPECT_THAT(ParseObjects(Objects("")).objects, IsEmpty());
  EXPECT_THAT(ParseVersions("<ListVersionsResult/>").objects, IsEmpty());
  EXPECT_THAT(ParseUploads("<ListMultipartUploadsResult/>").uploads, IsEmpty());
}

TEST(ListingTest, AskForTheNextPageAsTheServerSays) {
  EXPECT_THAT(ParseObjects(Objects("<IsTruncated>true</IsTruncated>"
                                   "<NextContinuationToken>1/a+b=</NextContinuationToken>"))
                  .next,
              ElementsAre(Pair("continuation-token", "1/a+b=")));
  EXPECT_THAT(ParseVersions("<ListVersionsResult><EncodingType>url</EncodingType>"
                            "<IsTruncated>true</IsTruncated><NextKeyMarker>f/a%20b</NextKeyMarker>"
                            "<NextVersionIdMarker>v%201</NextVersionIdMarker></ListVersionsResult>")
                  .next,
              ElementsAre(Pair("key-marker", "f/a b"), Pair("version-id-marker", "v%201")));
  EXPECT_THAT(ParseVersions("<ListVersionsResult><IsTruncated>true</IsTruncated>"
                            "<NextKeyMarker>f/a/</NextKeyMarker></ListVersionsResult>")
                  .next,
              ElementsAre(Pair("key-marker", "f/a/")));
  EXPECT_THAT(
      ParseUploads("<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>"
                   "<NextKeyMarker>k</NextKeyMarker>"
                   "<NextUploadIdMarker>u</NextUploadIdMarker></ListMultipartUploadsResult>")
          .next,
      ElementsAre(Pair("key-marker", "k"), Pair("upload-id-marker", "u")));
}

TEST(ListingTest, ReadsVersionsAndDeleteMarkersInTheirOrder) {
  const ObjectPage page = ParseVersions(
      R"(<ListVersionsResult><IsTruncated>false</IsTruncated>
<DeleteMarker><Key>a</Key><VersionId>3</VersionId><IsLatest>true</IsLatest>
<LastModified>2026-11-24T00:00:00Z</LastModified></DeleteMarker>
<Version><Key>a</Key><VersionId>2</VersionId><IsLatest>false</IsLatest><Size>7</Size></Version>
<CommonPrefixes><Prefix>f/</Prefix></CommonPrefixes>
<Version><Key>b</Key><VersionId>null</VersionId><IsLatest>true</IsLatest></Version>
</ListVersionsResult>)");
  ASSERT_EQ(page.objects.size(), 3u);
  EXPECT_TRUE(page.objects[0].delete_marker);
  EXPECT_TRUE(page.objects[0].latest);
  EXPECT_FALSE(page.objects[1].delete_marker);
  EXPECT_FALSE(page.objects[1].latest);
  EXPECT_EQ(page.objects[1].version, "2");
  EXPECT_EQ(page.objects[1].size, 7u);
  EXPECT_EQ(page.objects[2].version, "null");
}

TEST(ListingTest, ReadsUploadsAndWhoBeganThem) {
  const UploadPage page = ParseUploads(
      R"(<ListMultipartUploadsResult><Upload><Key>f/a.tar</Key><UploadId>id 1</UploadId>
<Initiator><ID>arn:aws:iam::1:user/b</ID><DisplayName>b</DisplayName></Initiator>
<Initiated>2026-11-22T20:48:20.000Z</Initiated></Upload>
<Upload><Key>c</Key><UploadId>2</UploadId></Upload></ListMultipartUploadsResult>)");
  ASSERT_EQ(page.uploads.size(), 2u);
  EXPECT_EQ(page.uploads[0].key, "f/a.tar");
  EXPECT_EQ(page.uploads[0].id, "id 1");
  EXPECT_EQ(page.uploads[0].initiator, "arn:aws:iam::1:user/b");
  EXPECT_EQ(FormatRfc3339(page.uploads[0].initiated), "2026-11-22T20:48:20.000Z");
  EXPECT_EQ(page.uploads[1].initiator, "");
}

TEST(ListingTest, WhatIsNoAnswerOfS3IsRefusedWithTheReason) {
  for (const char* const body : {"", "<html><body>Log in</body></html>", "not XML", "{\"a\":1}",
                                 "<ListBucketResult><Contents>", "<Error><Code>X</Code></Error>"}) {
    try {
      ParseObjects(body);
      ADD_FAILURE() << "taken: " << body;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kStore);
      EXPECT_FALSE(error.cause().empty());
      EXPECT_THAT(error.hint(), HasSubstr("S3_ENDPOINT_URL"));
    }
    EXPECT_THROW(ParseVersions(body), Error);
    EXPECT_THROW(ParseUploads(body), Error);
    EXPECT_THROW(ParseUploadId(body), Error);
    EXPECT_THROW(ParseCompleted(body), Error);
    EXPECT_THROW(ParseVersioning(body), Error);
  }
}

TEST(ListingTest, ReadsBeginningsAndEndsOfUploads) {
  EXPECT_EQ(ParseUploadId("<InitiateMultipartUploadResult><UploadId>VXBs b2Fk</UploadId>"
                          "</InitiateMultipartUploadResult>"),
            "VXBs b2Fk");
  // MinIO and AWS send blanks before the answer while they work.
  const CompletedUpload completed = ParseCompleted(
      "  \n <CompleteMultipartUploadResult><ETag>\"abc-2\"</ETag>"
      "<ChecksumSHA256>SGk=-2</ChecksumSHA256></CompleteMultipartUploadResult>");
  EXPECT_EQ(completed.etag, "abc-2");
  EXPECT_EQ(completed.checksum_sha256, "SGk=-2");
}

TEST(ListingTest, ReadsWhetherVersionsAreKept) {
  const auto versioning = [](const std::string& inside) {
    return ParseVersioning("<VersioningConfiguration>" + inside + "</VersioningConfiguration>");
  };
  EXPECT_EQ(versioning("<Status>Enabled</Status>"), Versioning::kEnabled);
  EXPECT_EQ(versioning("<Status>Suspended</Status>"), Versioning::kSuspended);
  EXPECT_EQ(versioning(""), Versioning::kNone);
}

TEST(ListingTest, EntityTagsLoseTheirQuotes) {
  EXPECT_EQ(PlainEtag("\"abc-1\""), "abc-1");
  EXPECT_EQ(PlainEtag("W/\"abc\""), "abc");
  EXPECT_EQ(PlainEtag("abc"), "abc");
  EXPECT_EQ(PlainEtag("\""), "\"");
  EXPECT_EQ(PlainEtag(""), "");
}

}  // namespace
}  // namespace oxbackup::s3
