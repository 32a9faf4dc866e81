// A whole site goes from its servers straight into a bucket, is destroyed, and comes back equal.
#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "site_testing.h"

namespace oxbackup {
namespace {

struct BucketPlace {
  const char* server;  // as the testbed's variables name it
  const char* bucket;
};

class BucketRoundTrip : public SiteTest, public ::testing::WithParamInterface<BucketPlace> {
 protected:
  ProcessResult Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), OPENEDX_BACKUP_BINARY);
    if (arguments[1] == "backup" || arguments[1] == "restore") {
      for (const std::string& tree : Trees()) arguments.push_back(tree);
    }
    return RunProcess(arguments, {.environment = BucketEnvironment()});
  }

  std::map<std::string, std::string> BucketEnvironment() const {
    const std::string prefix = std::string("TESTBED_S3_") + GetParam().server;
    std::map<std::string, std::string> environment = Environment();
    environment["S3_ENDPOINT_URL"] = Variable(prefix + "_URL");
    environment["S3_ACCESS_KEY"] = Variable(prefix + "_ACCESS_KEY");
    environment["S3_SECRET_ACCESS_KEY"] = Variable(prefix + "_SECRET_KEY");
    environment["BACKUP_LOCATION"] = place_;
    return environment;
  }

 private:
  const std::string place_ =
      std::string("s3://") + GetParam().bucket + "/site-" +
      std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
};

TEST_P(BucketRoundTrip, RestoresADestroyedSiteEqual) {
  const std::string before = Fingerprint();
  const ProcessResult backup = Run({"backup"});
  ASSERT_TRUE(Ended(backup, 0));
  EXPECT_THAT(backup.out, ::testing::HasSubstr("Verified: the bucket's"));
  EXPECT_TRUE(ArchiveFolder().empty());
  ASSERT_TRUE(Ended(Run({"verify"}), 0));
  Destroy();
  ASSERT_TRUE(Ended(Run({"restore", "--yes"}), 0));
  EXPECT_EQ(Fingerprint(), before);
}

TEST_P(BucketRoundTrip, TheOlderOfTwoBackupsOfADayComesBackToo) {
  const std::string before = Fingerprint();
  const ProcessResult first = Run({"backup", "--json"});
  ASSERT_TRUE(Ended(first, 0));
  Sql("UPDATE openedx.auth_user SET first_name = 'Changed';");
  ASSERT_TRUE(Ended(Run({"backup"}), 0));
  const auto report = nlohmann::json::parse(first.out);
  const bool versioned = std::string(GetParam().bucket) == "versioned";
  const std::string version = report["version"].get<std::string>();
  EXPECT_EQ(version.empty(), !versioned);
  ASSERT_TRUE(Ended(versioned
                        ? Run({"restore", "--yes", "--version", version})
                        : Run({"restore", "--yes", "--name", report["archive"].get<std::string>()}),
                    0));
  EXPECT_EQ(Fingerprint(), before);
}

INSTANTIATE_TEST_SUITE_P(
    Servers, BucketRoundTrip,
    ::testing::Values(BucketPlace{"MINIO", "plain"}, BucketPlace{"MINIO", "versioned"},
                      BucketPlace{"VERSITYGW", "plain"}, BucketPlace{"VERSITYGW", "versioned"}),
    [](const auto& place) { return std::string(place.param.server) + "_" + place.param.bucket; });

}  // namespace
}  // namespace oxbackup
