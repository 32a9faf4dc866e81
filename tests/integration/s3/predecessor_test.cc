// Archives that the predecessor put into a bucket, with their MD5 as metadata of the object.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/hash.h"
#include "base/process_testing.h"
#include "base/temporary_folder_testing.h"
#include "cli/exit_status.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string kName = "backup.2025-01-01.tar.xz";

class PredecessorTest : public testing::TestWithParam<TestPlace> {
 protected:
  PredecessorTest() { WriteTestFile(caddy_ / "x", "live"); }

  void Put(const HttpHeaders& metadata) const {
    TestBucket(settings_, GetParam().bucket, folder_)
        ->client()
        .Call(
            {.method = "PUT", .key = folder_ + "/" + kName, .headers = metadata, .body = archive_},
            {});
  }
  void PutWithMd5(const std::string& md5) const { Put({{"x-amz-meta-checksum-md5", md5}}); }

  ProcessResult Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), OPENEDX_BACKUP_BINARY);
    return RunProcess(
        arguments,
        {.environment = {{"S3_ENDPOINT_URL", settings_.endpoint},
                         {"S3_ACCESS_KEY", settings_.credentials.access_key},
                         {"S3_SECRET_ACCESS_KEY", settings_.credentials.secret_key},
                         {"BACKUP_LOCATION", "s3://" + GetParam().bucket + "/" + folder_}}});
  }
  ProcessResult Restore() const {
    return Run({"restore", "--yes", "--only", "caddy", "--caddy", caddy_.string()});
  }
  std::string Live() const { return ReadTestFile(caddy_ / "x"); }

  const TemporaryFolder work_;
  const fs::path caddy_ = work_.path() / "caddy";
  const std::string folder_ = FreshFolder();
  const Settings settings_ = SettingsOf(GetParam().server);
  const std::string archive_ = ReadTestFile(OPENEDX_BACKUP_FIXTURES "/foreign/predecessor.tar.xz");
  const std::string md5_ = Hex(Md5Raw(archive_));
};

INSTANTIATE_TEST_SUITE_P(Servers, PredecessorTest, testing::ValuesIn(AllPlaces()), PlaceName);

TEST_P(PredecessorTest, RestoresWithItsMd5) {
  PutWithMd5(md5_);
  const ProcessResult restore = Restore();
  EXPECT_EQ(restore.status, 0) << restore.error;
  EXPECT_EQ(Live(), "key\n");
}

TEST_P(PredecessorTest, RestoresWithoutAnMd5) {
  Put({});
  EXPECT_EQ(Restore().status, 0);
  EXPECT_EQ(Live(), "key\n");
}

// The archive is sound in itself: only the MD5 tells that it is another one.
TEST_P(PredecessorTest, AnotherMd5IsRefusedBeforeAnythingGoesLive) {
  std::string other = md5_;
  other[0] = other[0] == '0' ? '1' : '0';
  PutWithMd5(other);
  const int corrupt = static_cast<int>(ExitStatus::kCorrupt);
  const ProcessResult restore = Restore();
  EXPECT_EQ(restore.status, corrupt) << restore.error;
  EXPECT_THAT(restore.error, HasSubstr(md5_));
  EXPECT_THAT(restore.error, HasSubstr(other));
  EXPECT_EQ(Live(), "live");
  std::vector<std::string> beside;
  for (const fs::directory_entry& entry : fs::directory_iterator(work_.path())) {
    beside.push_back(entry.path().filename());
  }
  EXPECT_THAT(beside, testing::ElementsAre("caddy"));

  EXPECT_EQ(Run({"verify"}).status, corrupt);
  const fs::path target = work_.path() / "extracted";
  EXPECT_EQ(Run({"extract", "--to", target.string()}).status, corrupt);
}

TEST_P(PredecessorTest, VerifiesAndExtractsWithItsMd5) {
  PutWithMd5(md5_);
  const ProcessResult verify = Run({"verify"});
  EXPECT_EQ(verify.status, 0) << verify.error;
  const fs::path target = work_.path() / "extracted";
  const ProcessResult extract = Run({"extract", "--to", target.string()});
  EXPECT_EQ(extract.status, 0) << extract.error;
  size_t files = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(target)) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 4u);
}

}  // namespace
}  // namespace oxbackup::s3
