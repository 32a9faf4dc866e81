// TLS to a server whose certificate a private authority has signed, and encryption that needs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/hash.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kName = "backup.2026-11-22.tar.xz";

Settings TlsSettings(const std::string& ca_file) {
  Settings settings = SettingsOf(TestServer::kMinio);
  settings.endpoint = Variable("TESTBED_S3_MINIO_TLS_URL");
  settings.ca_file = ca_file;
  return settings;
}

Error ListError(const std::string& ca_file) {
  TestBucket place(TlsSettings(ca_file), "plain", FreshFolder());
  try {
    place->List(false);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::kInternal, "nothing was thrown"};
}

TEST(TlsTest, ThePrivateAuthorityIsTrustedWhenItIsNamed) {
  TestBucket place(TlsSettings(Variable("TESTBED_S3_CA_FILE")), "plain", FreshFolder());
  const std::string bytes = Pattern(size_t{20} << 20);
  const ObjectId id = place.Put({kName}, bytes, false);
  EXPECT_TRUE(place.Get(id) == bytes);
}

TEST(TlsTest, AnotherAuthorityIsRefusedAtOnce) {
  const Error error = ListError(Variable("TESTBED_S3_OTHER_CA_FILE"));
  EXPECT_EQ(error.kind(), ErrorKind::kStore);
  EXPECT_FALSE(error.transient());
  EXPECT_THAT(error.tried(), IsEmpty());
  EXPECT_THAT(error.hint(), HasSubstr("S3_CA_FILE"));
}

TEST(TlsTest, WithoutAnAuthorityTheCertificateIsRefusedAtOnce) {
  const Error error = ListError("");
  EXPECT_FALSE(error.transient());
  EXPECT_THAT(error.hint(), HasSubstr("S3_CA_FILE"));
}

TEST(TlsTest, AFileThatIsNoAuthorityIsRefusedAtOnce) {
  EXPECT_FALSE(ListError("/dev/null").transient());
  EXPECT_FALSE(ListError("/nowhere/ca.pem").transient());
}

TEST(TlsTest, AVirtualHostIsCoveredByTheCertificate) {
  Settings settings = TlsSettings(Variable("TESTBED_S3_CA_FILE"));
  settings.addressing = Addressing::kVirtual;
  const std::string url = settings.endpoint;
  settings.endpoint = "https://" + Variable("TESTBED_S3_DOMAIN") + url.substr(url.rfind(':'));
  TestBucket place(settings, "plain", FreshFolder());
  place.Put({kName}, "bytes", false);
  EXPECT_THAT(place.Names(), ElementsAre(kName));
}

TEST(TlsTest, KeysOfTheCustomerEncryptAndAreNeededToRead) {
  Settings settings = TlsSettings(Variable("TESTBED_S3_CA_FILE"));
  const std::string folder = FreshFolder();
  settings.encryption.customer_key = std::string(31, 'k') + '\0';
  const std::string bytes = Pattern(size_t{20} << 20);
  TestBucket place(settings, "plain", folder);
  const ObjectId id = place.Put({kName}, bytes, false);
  EXPECT_TRUE(place.Get(id) == bytes);
  settings.encryption.customer_key = std::string(32, 'w');
  EXPECT_THROW(TestBucket(settings, "plain", folder).Get(id), Error);
  settings.encryption.customer_key.clear();
  EXPECT_THROW(TestBucket(settings, "plain", folder).Get(id), Error);
}

TEST(TlsTest, KeysOfTheServerEncrypt) {
  for (const bool kms : {false, true}) {
    Settings settings = TlsSettings(Variable("TESTBED_S3_CA_FILE"));
    settings.encryption.sse_s3 = !kms;
    settings.encryption.sse_kms = kms;
    if (kms) settings.encryption.kms_key_id = Variable("TESTBED_S3_MINIO_KMS_KEY");
    TestBucket place(settings, "plain", FreshFolder());
    const std::string bytes = Pattern(size_t{20} << 20);
    EXPECT_TRUE(place.Get(place.Put({kName}, bytes, false)) == bytes);
    const HttpResponse head = place->client().Call(
        {.method = "HEAD", .key = place->NameOf(kName).substr(std::string("s3://plain/").size())},
        {});
    EXPECT_EQ(head.Header("x-amz-server-side-encryption"), kms ? "aws:kms" : "AES256");
  }
}

}  // namespace
}  // namespace oxbackup::s3
