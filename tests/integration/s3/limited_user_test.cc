// The built command as the testbed's user who has the rights of docs/s3-policy.json and no others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/process_testing.h"
#include "base/temporary_folder_testing.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

using testing::HasSubstr;

class LimitedUserTest : public testing::Test {
 protected:
  LimitedUserTest() { WriteTestFile(media_ + "/a file", Pattern(size_t{9} << 20)); }

  ProcessResult Run(std::vector<std::string> arguments, const std::string& bucket = "backups") {
    const Settings settings = SettingsOf(TestServer::kMinio);
    arguments.insert(arguments.begin(), OPENEDX_BACKUP_BINARY);
    if (arguments[1] == "backup" || arguments[1] == "restore") {
      arguments.insert(arguments.end(), {"--media", "media=" + media_, "--only", "media"});
    }
    return RunProcess(
        arguments,
        {.environment = {{"S3_ENDPOINT_URL", settings.endpoint},
                         {"S3_ACCESS_KEY", Variable("TESTBED_S3_MINIO_LIMITED_ACCESS_KEY")},
                         {"S3_SECRET_ACCESS_KEY", settings.credentials.secret_key},
                         {"BACKUP_LOCATION", "s3://" + bucket + "/" + folder_}}});
  }

  // Runs a command that has to succeed, without warnings.
  void Succeed(const std::vector<std::string>& arguments) {
    const ProcessResult result = Run(arguments);
    EXPECT_EQ(result.status, 0) << arguments[0] << ": " << result.error;
    EXPECT_THAT(result.error, testing::Not(HasSubstr("warn"))) << arguments[0];
  }

  const TemporaryFolder work_;
  const std::string media_ = (work_.path() / "media").string();
  const std::string folder_ = FreshFolder();
};

TEST_F(LimitedUserTest, MayDoAllThatTheToolDoes) {
  Succeed({"backup"});
  Succeed({"backup"});
  Succeed({"list"});
  Succeed({"list", "--list-versions"});
  Succeed({"inspect"});
  Succeed({"verify"});
  WriteTestFile(media_ + "/a file", "overwritten");
  Succeed({"restore", "--yes"});
  EXPECT_TRUE(ReadTestFile(media_ + "/a file") == Pattern(size_t{9} << 20));
  Succeed({"prune", "--keep-last", "1", "--yes"});
}

TEST_F(LimitedUserTest, IsToldWhatIsMissingElsewhere) {
  const ProcessResult list = Run({"list"}, "plain");
  EXPECT_NE(list.status, 0);
  EXPECT_THAT(list.error, HasSubstr("s3:ListBucket"));
  const ProcessResult backup = Run({"backup"}, "plain");
  EXPECT_NE(backup.status, 0);
  EXPECT_THAT(backup.error, HasSubstr("allow s3:"));
}

}  // namespace
}  // namespace oxbackup::s3
