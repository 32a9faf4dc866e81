// The settings of buckets on their way from the command's environment to the server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/process_testing.h"
#include "base/temporary_folder_testing.h"
#include "http/fault_proxy_testing.h"
#include "store/s3/signature.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using Variables = std::map<std::string, std::string>;

const std::string kName = "site.tar";

class SettingsCommandTest : public testing::TestWithParam<TestPlace> {
 protected:
  SettingsCommandTest() : proxy_(settings_.endpoint) {
    WriteTestFile(media_ / "file", Pattern(size_t{9} << 20));
  }

  // By the proxy, which notes what is asked.
  Variables Usual() const {
    return {{"S3_ENDPOINT_URL", proxy_.url()},
            {"S3_ACCESS_KEY", settings_.credentials.access_key},
            {"S3_SECRET_ACCESS_KEY", settings_.credentials.secret_key},
            {"BACKUP_LOCATION", "s3://plain/" + folder_}};
  }

  ProcessResult Run(std::vector<std::string> arguments, const Variables& more) const {
    Variables variables = Usual();
    // None of this machine's may take part.
    for (const char* const name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE",
                                   "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"}) {
      variables[name] = "";
    }
    variables["AWS_EC2_METADATA_DISABLED"] = "true";
    variables["HOME"] = work_.path().string();
    for (const auto& [name, value] : more) variables[name] = value;
    arguments.insert(arguments.begin(), OPENEDX_BACKUP_BINARY);
    if (arguments[1] == "backup") {
      arguments.insert(arguments.end(), {"--media", "media=" + media_.string(), "--only", "media",
                                         "--compression", "none", "--json"});
      if (std::ranges::find(arguments, "--name") == arguments.end()) {
        arguments.insert(arguments.end(), {"--name", kName});
      }
    }
    return RunProcess(arguments, {.environment = variables});
  }
  // A backup and a check of what it wrote, with these variables beside the usual ones.
  json RoundTrip(const Variables& more) const {
    const ProcessResult backup = Run({"backup"}, more);
    EXPECT_EQ(backup.status, 0) << backup.error;
    const ProcessResult verify = Run({"verify"}, more);
    EXPECT_EQ(verify.status, 0) << verify.error;
    return backup.status == 0 ? json::parse(backup.out.substr(backup.out.rfind("{\"type\"")))
                              : json::object();
  }

  // The head of the request that began the upload.
  std::string Begin() const {
    for (const ProxiedRequest& request : proxy_.Requests()) {
      if (request.method == "POST" && request.Has("uploads")) return request.head;
    }
    return {};
  }
  std::string Sent(const std::string& header) const {
    return HeaderOf(Begin(), header).value_or("");
  }

  const Settings settings_ = SettingsOf(GetParam().server);
  const TemporaryFolder work_;
  const std::filesystem::path media_ = work_.path() / "media";
  const std::string folder_ = FreshFolder();
  FaultProxy proxy_;
};

INSTANTIATE_TEST_SUITE_P(Servers, SettingsCommandTest,
                         testing::Values(TestPlace{TestServer::kMinio, "plain"},
                                         TestPlace{TestServer::kVersityGw, "plain"}),
                         PlaceName);

// What only MinIO knows of the two.
class MinioSettingsCommandTest : public SettingsCommandTest {};
INSTANTIATE_TEST_SUITE_P(Servers, MinioSettingsCommandTest,
                         testing::Values(TestPlace{TestServer::kMinio, "plain"}), PlaceName);

TEST_P(SettingsCommandTest, EmptyOnesCountAsAbsent) {
  const json result = RoundTrip({{"S3_REGION_NAME", ""},
                                 {"S3_SESSION_TOKEN", ""},
                                 {"S3_PROFILE", ""},
                                 {"S3_ADDRESSING_STYLE", ""},
                                 {"S3_SIGNATURE_VERSION", ""},
                                 {"S3_USE_SSL", ""},
                                 {"S3_CA_FILE", ""},
                                 {"S3_REQUEST_CHECKSUM_CALCULATION", ""},
                                 {"S3_SSE", ""},
                                 {"S3_SSE_KMS_KEY_ID", ""},
                                 {"S3_SSE_CUSTOMER_KEY", ""},
                                 {"S3_STORAGE_CLASS", ""},
                                 {"S3_OBJECT_LOCK_MODE", ""},
                                 {"S3_OBJECT_LOCK_DAYS", ""},
                                 {"S3_TAGS", ""}});
  EXPECT_THAT(result.value("proof", ""), HasSubstr("entity tag"));
  EXPECT_EQ(Begin().find("x-amz-server-side"), std::string::npos);
  EXPECT_EQ(Begin().find("x-amz-security-token"), std::string::npos);
}

TEST_P(SettingsCommandTest, TheBucketHasAVariableOfItsOwn) {
  RoundTrip({{"S3_BUCKET_NAME", "plain"}, {"BACKUP_LOCATION", "s3://"}});
  const TestBucket place(settings_, "plain", folder_);
  EXPECT_THAT(place.Names(), IsEmpty());
  const HttpResponse removed = place->client().Call({.method = "DELETE", .key = kName}, {});
  EXPECT_TRUE(removed.ok());
}

TEST_P(SettingsCommandTest, AwsOwnVariablesHaveTheKeys) {
  RoundTrip({{"S3_ACCESS_KEY", ""},
             {"S3_SECRET_ACCESS_KEY", ""},
             {"AWS_ACCESS_KEY_ID", settings_.credentials.access_key},
             {"AWS_SECRET_ACCESS_KEY", settings_.credentials.secret_key},
             {"AWS_REGION", "us-east-1"}});
}

TEST_P(SettingsCommandTest, AProfileHasTheKeys) {
  WriteTestFile(work_.path() / ".aws/credentials",
                "[campus]\naws_access_key_id = " + settings_.credentials.access_key +
                    "\naws_secret_access_key = " + settings_.credentials.secret_key + "\n");
  RoundTrip({{"S3_ACCESS_KEY", ""}, {"S3_SECRET_ACCESS_KEY", ""}, {"S3_PROFILE", "campus"}});
}

TEST_P(SettingsCommandTest, WithoutKeysItSaysWhereItLooked) {
  const ProcessResult list = Run({"list"}, {{"S3_ACCESS_KEY", ""}, {"S3_SECRET_ACCESS_KEY", ""}});
  EXPECT_EQ(list.status, 2) << list.error;
  for (const char* const place :
       {"S3_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_EC2_METADATA_DISABLED"}) {
    EXPECT_THAT(list.error, HasSubstr(place));
  }
  EXPECT_THAT(proxy_.Requests(), IsEmpty());
}

TEST_P(SettingsCommandTest, TheVirtualHost) {
  const std::string port = settings_.endpoint.substr(settings_.endpoint.rfind(':'));
  RoundTrip({{"S3_ENDPOINT_URL", Variable("TESTBED_S3_DOMAIN") + port},
             {"S3_USE_SSL", "False"},
             {"S3_ADDRESSING_STYLE", "virtual"}});
}

TEST_P(SettingsCommandTest, Checksums) {
  const json result = RoundTrip({{"S3_REQUEST_CHECKSUM_CALCULATION", "when_supported"}});
  EXPECT_THAT(result.value("proof", ""), HasSubstr("SHA-256"));
  EXPECT_EQ(Sent("x-amz-checksum-algorithm"), "SHA256");
}

TEST_P(SettingsCommandTest, TagsAndLocks) {
  const ProcessResult backup = Run({"backup"}, {{"BACKUP_LOCATION", "s3://locked/" + folder_},
                                                {"S3_TAGS", "site=campus,kind=backup"},
                                                {"S3_OBJECT_LOCK_MODE", "GOVERNANCE"},
                                                {"S3_OBJECT_LOCK_DAYS", "1"}});
  EXPECT_EQ(backup.status, 0) << backup.error;
  EXPECT_EQ(Sent("x-amz-tagging"), "kind=backup&site=campus");
  EXPECT_EQ(Sent("x-amz-object-lock-mode"), "GOVERNANCE");
  const TestBucket place(settings_, "locked", folder_);
  EXPECT_TRUE(place->Head(kName).value().lock.until);
}

TEST_P(SettingsCommandTest, PruneLeavesWhatTheBucketHasLocked) {
  const Variables place{{"BACKUP_LOCATION", "s3://locked/" + folder_}};
  Variables locked = place;
  locked["S3_OBJECT_LOCK_MODE"] = "GOVERNANCE";
  locked["S3_OBJECT_LOCK_DAYS"] = "1";
  for (const auto& [day, variables] :
       {std::pair{"backup.2026-01-01", locked}, std::pair{"backup.2026-01-02", place},
        std::pair{"backup.2026-01-03", place}}) {
    const ProcessResult backup = Run({"backup", "--name", day}, variables);
    ASSERT_EQ(backup.status, 0) << backup.error;
  }
  const ProcessResult prune = Run({"prune", "--keep-last", "1", "--yes"}, place);
  EXPECT_EQ(prune.status, 0) << prune.error;
  EXPECT_THAT(prune.out, HasSubstr("locked"));
  EXPECT_THAT(TestBucket(settings_, "locked", folder_).Names(),
              ElementsAre("backup.2026-01-01.tar", "backup.2026-01-03.tar"));
}

TEST_P(SettingsCommandTest, WhatNoHeaderCanHoldIsRefusedBeforeAnythingIsAsked) {
  for (const auto& [name, value] : Variables{{"S3_STORAGE_CLASS", "STANDARD\nX-Other: 1"},
                                             {"S3_REGION_NAME", "us-east-1\r"},
                                             {"S3_TAGS", "site=cam\x01pus"},
                                             {"S3_SSE_KMS_KEY_ID", "id\n"},
                                             {"S3_OBJECT_LOCK_DAYS", "36501"}}) {
    Variables variables{{name, value}};
    if (name == "S3_SSE_KMS_KEY_ID") variables["S3_SSE"] = "aws:kms";
    if (name == "S3_OBJECT_LOCK_DAYS") variables["S3_OBJECT_LOCK_MODE"] = "GOVERNANCE";
    const ProcessResult backup = Run({"backup"}, variables);
    EXPECT_EQ(backup.status, 2) << name << ": " << backup.error;
    EXPECT_THAT(backup.error, HasSubstr(name));
  }
  EXPECT_THAT(proxy_.Requests(), IsEmpty());
}

TEST_P(SettingsCommandTest, ListsAskOncePerArchiveBesideTheListItself) {
  for (const char* const name : {"a.tar", "b.tar", "c.tar"}) {
    EXPECT_EQ(Run({"backup", "--name", name}, {}).status, 0);
  }
  const size_t before = proxy_.Requests().size();
  EXPECT_EQ(Run({"list"}, {}).status, 0);
  EXPECT_LE(proxy_.Requests().size() - before, 5u) << "versioning, list, three tails";
}

TEST_P(MinioSettingsCommandTest, EncryptionByTheServer) {
  RoundTrip({{"S3_SSE", "AES256"}});
  EXPECT_EQ(Sent("x-amz-server-side-encryption"), "AES256");
}

TEST_P(MinioSettingsCommandTest, EncryptionByAKeyService) {
  const std::string key = Variable("TESTBED_S3_MINIO_KMS_KEY");
  const json result = RoundTrip({{"S3_SSE", "aws:kms"}, {"S3_SSE_KMS_KEY_ID", key}});
  EXPECT_THAT(result.value("proof", ""), HasSubstr("SHA-256"));
  EXPECT_EQ(Sent("x-amz-server-side-encryption-aws-kms-key-id"), key);
}

TEST_P(MinioSettingsCommandTest, EncryptionByTheCustomersKey) {
  const std::string key = Base64(std::string(32, 'k'));
  const Variables tls{{"S3_ENDPOINT_URL", Variable("TESTBED_S3_MINIO_TLS_URL")},
                      {"S3_CA_FILE", Variable("TESTBED_S3_CA_FILE")}};
  Variables with_key = tls;
  with_key["S3_SSE_CUSTOMER_KEY"] = key;
  const json result = RoundTrip(with_key);
  EXPECT_THAT(result.value("proof", ""), HasSubstr("SHA-256"));
  const ProcessResult verify = Run({"verify"}, tls);
  EXPECT_EQ(verify.status, 1);
  EXPECT_THAT(verify.error, HasSubstr("S3_SSE_CUSTOMER_KEY"));
  // What cannot be read is neither absent nor the place of another one.
  const ProcessResult list = Run({"list"}, tls);
  EXPECT_THAT(list.out, HasSubstr("UNREADABLE"));
  const ProcessResult again = Run({"backup"}, tls);
  EXPECT_NE(again.status, 0);
  EXPECT_THAT(again.error, HasSubstr("already has"));
  const ProcessResult clear = Run({"verify"}, {{"S3_SSE_CUSTOMER_KEY", key}});
  EXPECT_EQ(clear.status, 2);
  EXPECT_EQ(clear.error.find(key), std::string::npos);
  EXPECT_THAT(proxy_.Requests(), IsEmpty());
}

TEST_P(MinioSettingsCommandTest, TheStorageClass) {
  RoundTrip({{"S3_STORAGE_CLASS", "REDUCED_REDUNDANCY"}});
  EXPECT_EQ(Sent("x-amz-storage-class"), "REDUCED_REDUNDANCY");
}

TEST_P(MinioSettingsCommandTest, SignaturesOfVersion2) {
  RoundTrip({{"S3_SIGNATURE_VERSION", "s3"}});
  EXPECT_THAT(Sent("authorization"), StartsWith("AWS "));
}

// Keys for an hour, as roles have them, from the server's own STS.
TEST_P(MinioSettingsCommandTest, TemporaryKeys) {
  HttpRequest request{.method = "POST",
                      .url = settings_.endpoint + "/",
                      .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                      .body = "Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600"};
  SignV4(request,
         {.access_key = settings_.credentials.access_key,
          .secret_key = settings_.credentials.secret_key},
         "us-east-1", "sts", Sha256Hex(request.body), std::chrono::system_clock::now());
  const std::string answer = MakeHttpClient({.use_proxy = false})->Perform(request, {}).body;
  const auto between = [&](const std::string& name) {
    const size_t begin = answer.find("<" + name + ">") + name.size() + 2;
    return answer.substr(begin, answer.find("</" + name + ">") - begin);
  };
  const std::string token = between("SessionToken");
  ASSERT_GT(token.size(), 20u) << answer;
  const Variables keys{{"S3_ACCESS_KEY", between("AccessKeyId")},
                       {"S3_SECRET_ACCESS_KEY", between("SecretAccessKey")}};
  Variables whole = keys;
  whole["S3_SESSION_TOKEN"] = token;
  RoundTrip(whole);
  EXPECT_EQ(Sent("x-amz-security-token"), token);
  const ProcessResult without = Run({"list"}, keys);
  EXPECT_EQ(without.status, 1);
  EXPECT_THAT(without.error, HasSubstr("S3_SESSION_TOKEN"));
  whole["S3_SESSION_TOKEN"] = token + "x";
  const ProcessResult wrong = Run({"list"}, whole);
  EXPECT_EQ(wrong.status, 1);
  EXPECT_EQ(wrong.error.find(token), std::string::npos) << "a secret is shown";
}

}  // namespace
}  // namespace oxbackup::s3
