// What an operator can ask for an archive: encryption, class, tags, locks, checksums.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/process_testing.h"
#include "http/fault_proxy_testing.h"
#include "store/s3/s3_store.h"
#include "store/s3/upload.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr size_t kMiB = size_t{1} << 20;
const std::string kName = "site.tar.xz";
const TimePoint kBegin = std::chrono::system_clock::now();

class ObjectSettingsTest : public testing::TestWithParam<TestPlace> {
 protected:
  bool minio() const { return GetParam().server == TestServer::kMinio; }

  // Writes with the settings; the place to look at it.
  std::unique_ptr<TestBucket> Put(const std::string& bucket) {
    auto place = std::make_unique<TestBucket>(settings_, bucket, folder_);
    const std::unique_ptr<ObjectWriter> writer = BeginArchive(
        **place, {kName}, bucket == "plain" ? Versioning::kNone : Versioning::kEnabled);
    writer->Write(bytes_);
    writer->Finish();
    id_ = writer->id();
    proof_ = writer->Proof();
    EXPECT_TRUE(place->Get(id_) == bytes_);
    return place;
  }
  HttpResponse Call(const TestBucket& place, const std::string& method, Parameters parameters = {},
                    HttpHeaders headers = {}) const {
    return place->client().Call({.method = method,
                                 .key = folder_ + "/" + kName,
                                 .parameters = std::move(parameters),
                                 .headers = std::move(headers)},
                                {});
  }

  Settings settings_ = SettingsOf(GetParam().server);
  const std::string folder_ = FreshFolder();
  const std::string bytes_ = Pattern(17 * kMiB);
  ObjectId id_;
  std::string proof_;
};

INSTANTIATE_TEST_SUITE_P(Servers, ObjectSettingsTest,
                         testing::Values(TestPlace{TestServer::kMinio, "plain"},
                                         TestPlace{TestServer::kVersityGw, "plain"}),
                         PlaceName);

TEST_P(ObjectSettingsTest, Tags) {
  settings_.tags = "kind=backup&site=Campus%20%3D%2F%2B";
  const auto place = Put("plain");
  const std::string xml = Call(*place, "GET", {{"tagging", ""}}).body;
  EXPECT_THAT(xml, HasSubstr("<Key>kind</Key><Value>backup</Value>"));
  EXPECT_THAT(xml, HasSubstr("<Key>site</Key><Value>Campus =/+</Value>"));
}

TEST_P(ObjectSettingsTest, WhoMadeIt) {
  const auto place = Put("plain");
  EXPECT_THAT(Call(*place, "HEAD").Header("x-amz-meta-tool").value_or(""),
              StartsWith("openedx-backup/"));
}

TEST_P(ObjectSettingsTest, AStorageClassOrTheServersRefusal) {
  settings_.storage_class = "REDUCED_REDUNDANCY";
  if (minio()) {
    const auto place = Put("plain");
    EXPECT_EQ(Call(*place, "HEAD").Header("x-amz-storage-class"), "REDUCED_REDUNDANCY");
  }
  settings_.storage_class = "NO_SUCH_CLASS";
  const TestBucket place(settings_, "plain", folder_);
  try {
    place.Put({"another"}, "bytes", false);
    EXPECT_FALSE(minio()) << "taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(), HasSubstr("S3_STORAGE_CLASS"));
  }
}

TEST_P(ObjectSettingsTest, ALockKeepsTheArchive) {
  settings_.lock_mode = minio() ? "COMPLIANCE" : "GOVERNANCE";
  settings_.lock_days = 2;
  const auto place = Put("locked");
  const HttpResponse head = Call(*place, "HEAD", {{"versionId", id_.version}});
  EXPECT_EQ(head.Header("x-amz-object-lock-mode"), settings_.lock_mode);

  TestRun run;
  const auto store = MakeS3Store(
      settings_, "locked", folder_, [](const std::string&) { return std::nullopt; }, run.run);
  const ObjectLock lock = store->LockOf(id_);
  ASSERT_TRUE(lock.until);
  EXPECT_GE(*lock.until, kBegin + std::chrono::hours(47));
  EXPECT_LE(*lock.until, std::chrono::system_clock::now() + std::chrono::hours(48));
  EXPECT_FALSE(lock.held);
  EXPECT_THROW(store->Remove(id_), Error);
  EXPECT_TRUE(place->Get(id_) == bytes_);
}

TEST_P(ObjectSettingsTest, ALockWhereTheBucketHasNoneIsRefusedAtOnce) {
  settings_.lock_mode = "GOVERNANCE";
  settings_.lock_days = 1;
  FaultProxy proxy(settings_.endpoint);
  settings_.endpoint = proxy.url();
  const TestBucket place(settings_, "plain", folder_);
  EXPECT_THROW(BeginArchive(*place, {kName}, Versioning::kNone), Error);
  for (const ProxiedRequest& request : proxy.Requests()) EXPECT_EQ(request.body_size, 0u);
}

TEST_P(ObjectSettingsTest, ChecksumsWhenTheyAreSupported) {
  settings_.checksums = Checksums::kWhenSupported;
  const auto place = Put("plain");
  EXPECT_THAT(proof_, HasSubstr("SHA-256"));
  const HttpResponse head = Call(*place, "HEAD", {}, {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_THAT(head.Header("x-amz-checksum-sha256").value_or(""), testing::EndsWith("-3"));
}

TEST_P(ObjectSettingsTest, ChecksumsOnlyWhenTheyAreRequired) {
  FaultProxy proxy(settings_.endpoint);
  settings_.endpoint = proxy.url();
  Put("plain");
  EXPECT_THAT(proof_, HasSubstr("entity tag"));
  int parts = 0;
  for (const ProxiedRequest& request : proxy.Requests()) {
    EXPECT_EQ(HeaderOf(request.head, "x-amz-checksum-sha256"), std::nullopt);
    if (request.method != "PUT") continue;
    EXPECT_TRUE(HeaderOf(request.head, "content-md5"));
    ++parts;
  }
  EXPECT_EQ(parts, 3);
}

// A fault on the way that the signature cannot see: the checksum of its own is what refuses it.
TEST_P(ObjectSettingsTest, AWrongChecksumIsRefusedByTheServer) {
  const TestBucket place(settings_, "plain", folder_);
  const std::string upload = place->BeginUpload(kName, {{"x-amz-checksum-algorithm", "SHA256"}});
  const auto put = [&](const HttpHeaders& headers) {
    place->client().Call({.method = "PUT",
                          .key = folder_ + "/" + kName,
                          .parameters = {{"partNumber", "1"}, {"uploadId", upload}},
                          .headers = headers,
                          .body = "bytes"},
                         {});
  };
  EXPECT_THROW(put({{"x-amz-checksum-sha256", Base64(Sha256Raw("other"))}}), Error);
  EXPECT_THROW(put({{"Content-MD5", Base64(Md5Raw("other"))}}), Error);
  EXPECT_NO_THROW(put({{"x-amz-checksum-sha256", Base64(Sha256Raw("bytes"))}}));
  EXPECT_EQ(place->AbortUpload(kName, upload), std::nullopt);
}

// Parts on their way stay inside their share of the run's memory.
TEST_P(ObjectSettingsTest, TheBudgetHoldsForPartsOnTheirWay) {
  const auto place = Put("plain");
  const uint64_t limit = place->run().budget.limit();
  EXPECT_GT(place->run().budget.peak(), 0u);
  EXPECT_LE(place->run().budget.peak(), limit / 4);
  EXPECT_EQ(place->run().budget.used(), 0u);
}

// What only MinIO does of the two: it has keys and a key service.
class EncryptionTest : public ObjectSettingsTest {};
INSTANTIATE_TEST_SUITE_P(Servers, EncryptionTest,
                         testing::Values(TestPlace{TestServer::kMinio, "plain"}), PlaceName);

TEST_P(EncryptionTest, WithKeysOfTheServer) {
  settings_.encryption.sse_s3 = true;
  const auto place = Put("plain");
  EXPECT_EQ(Call(*place, "HEAD").Header("x-amz-server-side-encryption"), "AES256");
}

TEST_P(EncryptionTest, WithAKeyOfAKeyServiceTheSha256Proves) {
  settings_.encryption.sse_kms = true;
  settings_.encryption.kms_key_id = Variable("TESTBED_S3_MINIO_KMS_KEY");
  const auto place = Put("plain");
  const HttpResponse head = Call(*place, "HEAD");
  EXPECT_EQ(head.Header("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_THAT(head.Header("x-amz-server-side-encryption-aws-kms-key-id").value_or(""),
              testing::EndsWith(settings_.encryption.kms_key_id));
  EXPECT_THAT(proof_, HasSubstr("SHA-256"));
}

TEST_P(EncryptionTest, AKeyThatTheServiceDoesNotHaveIsTold) {
  settings_.encryption.sse_kms = true;
  settings_.encryption.kms_key_id = "no-such-key";
  const TestBucket place(settings_, "plain", folder_);
  try {
    place.Put({kName}, "bytes", false);
    ADD_FAILURE() << "taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(), HasSubstr("S3_SSE_KMS_KEY_ID")) << error.cause();
  }
  EXPECT_THAT(place.Names(), IsEmpty());
}

// Nobody asked for it here: tags are no MD5s then, and that must not look like damage.
TEST_P(EncryptionTest, ABucketThatEncryptsByItselfProvesNothingAndFailsNothing) {
  const std::string bucket = "kms-default";
  const ProcessResult made =
      RunProcess({Variable("TESTBED_BIN") + "/s3-command", settings_.endpoint, "bucket", bucket},
                 {.environment = {{"AWS_ACCESS_KEY_ID", settings_.credentials.access_key},
                                  {"AWS_SECRET_ACCESS_KEY", settings_.credentials.secret_key}}});
  ASSERT_EQ(made.status, 0) << made.error;
  const std::string xml =
      "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
      "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>" +
      Variable("TESTBED_S3_MINIO_KMS_KEY") +
      "</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule>"
      "</ServerSideEncryptionConfiguration>";
  const TestBucket administrator(settings_, bucket, folder_);
  administrator->client().Call({.method = "PUT",
                                .parameters = {{"encryption", ""}},
                                .headers = {{"Content-MD5", Base64(Md5Raw(xml))}},
                                .body = xml},
                               {});
  TestBucket place(settings_, bucket, folder_);
  const std::unique_ptr<ObjectWriter> writer = BeginArchive(*place, {kName}, Versioning::kNone);
  writer->Write(bytes_);
  writer->Finish();
  EXPECT_EQ(Call(place, "HEAD").Header("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_THAT(writer->Proof(), IsEmpty());
  EXPECT_TRUE(place.Get(writer->id()) == bytes_);
}

// With a key of the customer's, over TLS.
class CustomerKeyTest : public ObjectSettingsTest {
 protected:
  CustomerKeyTest() {
    settings_.endpoint = Variable("TESTBED_S3_MINIO_TLS_URL");
    settings_.ca_file = Variable("TESTBED_S3_CA_FILE");
    settings_.encryption.customer_key = std::string(32, 'k');
    Put("plain");
  }

  Error ReadErrorWith(const std::string& key) {
    settings_.encryption.customer_key = key;
    const TestBucket place(settings_, "plain", folder_);
    try {
      place.Get(kName);
    } catch (const Error& error) {
      return error;
    }
    return {ErrorKind::kInternal, "nothing was thrown"};
  }
};
INSTANTIATE_TEST_SUITE_P(Servers, CustomerKeyTest,
                         testing::Values(TestPlace{TestServer::kMinio, "plain"}), PlaceName);

TEST_P(CustomerKeyTest, TheSha256Proves) { EXPECT_THAT(proof_, HasSubstr("SHA-256")); }

TEST_P(CustomerKeyTest, WithoutTheKeyOrWithAnotherOneIsRefusedAndExplained) {
  for (const std::string& key : {std::string(), std::string(32, 'w')}) {
    const Error error = ReadErrorWith(key);
    EXPECT_EQ(error.kind(), ErrorKind::kStore);
    EXPECT_FALSE(error.transient());
    EXPECT_THAT(error.hint(), HasSubstr("S3_SSE_CUSTOMER_KEY")) << error.cause();
  }
}

TEST_P(CustomerKeyTest, WhatWasStoredBeforeThereWasAKeyIsReadWithIt) {
  Settings without = settings_;
  without.encryption.customer_key.clear();
  const ObjectId earlier =
      TestBucket(without, "plain", folder_).Put({"earlier.tar.xz"}, bytes_, false);
  const TestBucket place(settings_, "plain", folder_);
  EXPECT_TRUE(place.Get(earlier) == bytes_);
  EXPECT_TRUE(place.Get(kName) == bytes_);
  EXPECT_EQ(place->Head(earlier).value().size, bytes_.size());
}

TEST_P(CustomerKeyTest, TheKeyIsNeverSentInTheClear) {
  settings_.endpoint = SettingsOf(TestServer::kMinio).endpoint;
  FaultProxy proxy(settings_.endpoint);
  settings_.endpoint = proxy.url();
  EXPECT_THROW(TestBucket(settings_, "plain", folder_), Error);
  EXPECT_THAT(proxy.Requests(), IsEmpty());
}

}  // namespace
}  // namespace oxbackup::s3
