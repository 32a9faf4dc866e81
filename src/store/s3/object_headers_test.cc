#include "store/s3/object_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"

namespace oxbackup::s3 {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;
using testing::StartsWith;

const TimePoint kNow = ParseRfc3339("2026-11-26T12:00:00Z").value();

HttpHeaders HeadersOf(const Settings& settings) { return NewObjectHeaders(settings, kNow); }

TEST(ObjectHeadersTest, AnEncryptionThatIsNotConfirmedIsNone) {
  HttpResponse silent;
  HttpResponse of_s3;
  of_s3.headers = {{"x-amz-server-side-encryption", "AES256"}};
  HttpResponse of_kms;
  of_kms.headers = {{"x-amz-server-side-encryption", "aws:kms"}};
  HttpResponse of_customer;
  of_customer.headers = {{"x-amz-server-side-encryption-customer-algorithm", "AES256"}};

  Encryption encryption;
  EXPECT_TRUE(ConfirmsEncryption(silent, encryption));
  encryption.sse_s3 = true;
  EXPECT_FALSE(ConfirmsEncryption(silent, encryption));
  EXPECT_TRUE(ConfirmsEncryption(of_s3, encryption));
  encryption = {};
  encryption.sse_kms = true;
  EXPECT_FALSE(ConfirmsEncryption(of_s3, encryption));
  EXPECT_TRUE(ConfirmsEncryption(of_kms, encryption));
  encryption = {};
  encryption.customer_key = std::string(32, 'k');
  EXPECT_FALSE(ConfirmsEncryption(silent, encryption));
  EXPECT_TRUE(ConfirmsEncryption(of_customer, encryption));
}

TEST(ObjectHeadersTest, SayWhoMadeItAndNoMoreUnlessAsked) {
  const HttpHeaders headers = HeadersOf({});
  EXPECT_THAT(headers, SizeIs(2));
  EXPECT_THAT(headers, Contains(Pair("Content-Type", "application/octet-stream")));
  EXPECT_THAT(headers, Contains(Pair("x-amz-meta-tool", StartsWith("openedx-backup/"))));
}

TEST(ObjectHeadersTest, TheArchivesFormat) {
  Settings settings;
  settings.archive_format = 1;
  EXPECT_THAT(HeadersOf(settings), Contains(Pair("x-amz-meta-format", "1")));
}

TEST(ObjectHeadersTest, EncryptionByTheServer) {
  Settings settings;
  settings.encryption.sse_s3 = true;
  EXPECT_THAT(HeadersOf(settings), Contains(Pair("x-amz-server-side-encryption", "AES256")));
  settings.encryption.sse_s3 = false;
  settings.encryption.sse_kms = true;
  EXPECT_THAT(HeadersOf(settings), Contains(Pair("x-amz-server-side-encryption", "aws:kms")));
  EXPECT_THAT(HeadersOf(settings),
              Not(Contains(Pair("x-amz-server-side-encryption-aws-kms-key-id", testing::_))));
  settings.encryption.kms_key_id = "arn:aws:kms:eu-west-1:1:key/2";
  EXPECT_THAT(HeadersOf(settings), Contains(Pair("x-amz-server-side-encryption-aws-kms-key-id",
                                                 "arn:aws:kms:eu-west-1:1:key/2")));
}

TEST(ObjectHeadersTest, EncryptionByTheCustomersKey) {
  Encryption encryption;
  EXPECT_THAT(CustomerKeyHeaders(encryption), IsEmpty());
  encryption.customer_key = std::string(32, 'k');
  const HttpHeaders headers = CustomerKeyHeaders(encryption);
  EXPECT_THAT(headers, SizeIs(3));
  EXPECT_THAT(headers, Contains(Pair("x-amz-server-side-encryption-customer-algorithm", "AES256")));
  EXPECT_THAT(headers, Contains(Pair("x-amz-server-side-encryption-customer-key",
                                     "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=")));
  EXPECT_THAT(headers, Contains(Pair("x-amz-server-side-encryption-customer-key-MD5",
                                     Base64(Md5Raw(encryption.customer_key)))));
}

TEST(ObjectHeadersTest, ClassRetentionAndTags) {
  Settings settings;
  settings.storage_class = "STANDARD_IA";
  settings.lock_mode = "COMPLIANCE";
  settings.lock_days = 30;
  settings.tags = "a=b&c=d%20e";
  const HttpHeaders headers = HeadersOf(settings);
  EXPECT_THAT(headers, Contains(Pair("x-amz-storage-class", "STANDARD_IA")));
  EXPECT_THAT(headers, Contains(Pair("x-amz-object-lock-mode", "COMPLIANCE")));
  EXPECT_THAT(headers,
              Contains(Pair("x-amz-object-lock-retain-until-date", "2026-12-26T12:00:00.000Z")));
  EXPECT_THAT(headers, Contains(Pair("x-amz-tagging", "a=b&c=d%20e")));
}

ObjectHead HeadOf(HttpHeaders headers) {
  HttpResponse response;
  response.status = 200;
  response.headers = std::move(headers);
  ObjectId asked("site.tar");
  asked.version = "asked";
  return ReadObjectHead(response, asked);
}

TEST(ObjectHeadersTest, ReadsWhatAnAnswerTells) {
  const ObjectHead head = HeadOf({{"x-amz-version-id", "3"},
                                  {"etag", "\"abc-2\""},
                                  {"content-length", "5497558138880"},
                                  {"last-modified", "Thu, 26 Nov 2026 12:00:00 GMT"},
                                  {"x-amz-checksum-sha256", "SGk=-2"},
                                  {"x-amz-meta-checksum-md5", "0123"}});
  EXPECT_EQ(head.id.name, "site.tar");
  EXPECT_EQ(head.id.version, "3");
  EXPECT_EQ(head.id.etag, "abc-2");
  EXPECT_EQ(head.size, uint64_t{5} << 40);
  EXPECT_EQ(head.modified, kNow);
  EXPECT_EQ(head.checksum_sha256, "SGk=-2");
  EXPECT_EQ(head.checksum_md5, "0123");
  EXPECT_FALSE(head.delete_marker);
  EXPECT_FALSE(head.lock.held);
  EXPECT_FALSE(head.lock.until);
}

TEST(ObjectHeadersTest, ARangeTellsTheWholeSize) {
  EXPECT_EQ(HeadOf({{"content-range", "bytes 90-99/100"}, {"content-length", "10"}}).size, 100u);
}

TEST(ObjectHeadersTest, WhatIsNotToldIsTakenFromWhatWasAsked) {
  EXPECT_EQ(HeadOf({}).id.version, "asked");
  EXPECT_EQ(HeadOf({}).size, 0u);
}

TEST(ObjectHeadersTest, ReadsLocks) {
  EXPECT_EQ(HeadOf({{"x-amz-object-lock-retain-until-date", "2026-11-26T12:00:00Z"}}).lock.until,
            kNow);
  EXPECT_TRUE(HeadOf({{"x-amz-object-lock-legal-hold", "ON"}}).lock.held);
  EXPECT_FALSE(HeadOf({{"x-amz-object-lock-legal-hold", "OFF"}}).lock.held);
}

}  // namespace
}  // namespace oxbackup::s3
