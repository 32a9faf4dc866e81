// What every store has to do, done by buckets on real servers.
#include "store/s3/s3_store.h"

#include <fmt/format.h>

#include "base/run_context_testing.h"
#include "store/store_conformance_testing.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

struct BucketFixture {
  TestRun run;
  std::unique_ptr<Store> store;
};

StoreFactory FactoryOf(TestServer server, const std::string& bucket) {
  return StoreFactory([=] {
    const auto fixture = std::make_shared<BucketFixture>();
    fixture->store = MakeS3Store(
        SettingsOf(server), bucket, FreshFolder(), [](const std::string&) { return std::nullopt; },
        fixture->run.run);
    return std::shared_ptr<Store>(fixture, fixture->store.get());
  });
}

}  // namespace
}  // namespace oxbackup::s3

namespace oxbackup {

INSTANTIATE_TEST_SUITE_P(MinioPlain, StoreConformance,
                         testing::Values(s3::FactoryOf(s3::TestServer::kMinio, "plain")));
INSTANTIATE_TEST_SUITE_P(MinioVersioned, StoreConformance,
                         testing::Values(s3::FactoryOf(s3::TestServer::kMinio, "versioned")));
INSTANTIATE_TEST_SUITE_P(VersityGwPlain, StoreConformance,
                         testing::Values(s3::FactoryOf(s3::TestServer::kVersityGw, "plain")));
INSTANTIATE_TEST_SUITE_P(VersityGwVersioned, StoreConformance,
                         testing::Values(s3::FactoryOf(s3::TestServer::kVersityGw, "versioned")));

}  // namespace oxbackup
