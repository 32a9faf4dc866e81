// Reads through a proxy that breaks them: the bytes are right, or the read fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "http/fault_proxy_testing.h"
#include "store/s3/object_source.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Where = Fault::Where;

constexpr size_t kMiB = size_t{1} << 20;
const std::string kName = "backup.2026-11-22.tar.xz";
const FaultRule kRead{.method = "GET"};

class DownloadFaultTest : public testing::TestWithParam<TestPlace> {
 protected:
  DownloadFaultTest() : proxy_(SettingsOf(GetParam().server).endpoint) {
    id_ = direct_.Put({kName}, bytes_, GetParam().versioned());
  }

  std::unique_ptr<TestBucket> ByProxy(const RetryPolicy& policy = {}) const {
    Settings settings = SettingsOf(GetParam().server);
    settings.endpoint = proxy_.url();
    return std::make_unique<TestBucket>(settings, GetParam().bucket, folder_, policy);
  }

  // The first request reads the tail; the faults are for those after it.
  void ExpectRight(const Fault& fault) {
    proxy_.Heal();
    const int before = proxy_.injected();
    FaultRule rule = kRead;
    rule.skip = 1;
    proxy_.Inject(rule, fault);
    EXPECT_TRUE(ByProxy()->Get(kName) == bytes_) << "other bytes";
    EXPECT_EQ(proxy_.injected(), before + 1) << "the fault was not met";
  }

  // What a read that meets the fault every time throws.
  Error ReadError(const Fault& fault, const RetryPolicy& policy = {}) {
    FaultRule rule = kRead;
    rule.times = 0;
    const auto place = ByProxy(policy);
    const std::unique_ptr<RangedSource> source = OpenObject(**place, kName);
    proxy_.Inject(rule, fault);
    std::string piece(kMiB, '\0');
    try {
      source->ReadAt(0, piece.data(), piece.size());
    } catch (const Error& error) {
      return error;
    }
    return {ErrorKind::kInternal, "nothing was thrown"};
  }

  const std::string folder_ = FreshFolder();
  const std::string bytes_ = Pattern(10 * kMiB);
  TestBucket direct_{SettingsOf(GetParam().server), GetParam().bucket, folder_};
  FaultProxy proxy_;
  ObjectId id_;
};

INSTANTIATE_TEST_SUITE_P(Servers, DownloadFaultTest, testing::ValuesIn(AllPlaces()), PlaceName);

// libcurl takes some seconds to notice a stall, and which server is behind it is all one.
class StalledDownloadTest : public DownloadFaultTest {};

INSTANTIATE_TEST_SUITE_P(Servers, StalledDownloadTest,
                         testing::Values(TestPlace{TestServer::kMinio, "plain"}), PlaceName);

TEST_P(DownloadFaultTest, ReadsSurviveConnectionsThatEnd) {
  for (const Where where : {Where::kBefore, Where::kUnanswered, Where::kResponse}) {
    ExpectRight(Fault::Drop(where, 2 * kMiB));
    ExpectRight(Fault::Reset(where, 2 * kMiB));
  }
}

TEST_P(StalledDownloadTest, IsRight) {
  ExpectRight(Fault::Stall(Where::kResponse, kMiB));
  ExpectRight(Fault::Stall(Where::kUnanswered));
}

TEST_P(DownloadFaultTest, ReadsSurviveDelays) {
  ExpectRight(Fault::Delay(std::chrono::milliseconds(300)));
}

TEST_P(DownloadFaultTest, ReadsSurviveOverload) {
  ExpectRight(Fault::Answer(Where::kBefore, 503, S3ErrorBody("SlowDown")));
  ExpectRight(Fault::Answer(Where::kUnanswered, 500, S3ErrorBody("InternalError")));
}

TEST_P(DownloadFaultTest, OpeningSurvivesFaults) {
  for (const Fault& fault : {Fault::Reset(Where::kResponse, 1000), Fault::Drop(Where::kBefore),
                             Fault::Answer(Where::kBefore, 503, S3ErrorBody("SlowDown"))}) {
    proxy_.Inject(kRead, fault);
  }
  EXPECT_TRUE(ByProxy()->Get(kName) == bytes_);
  EXPECT_EQ(proxy_.injected(), 3);
}

TEST_P(DownloadFaultTest, AnAnswerThatIsTooShortIsNoAnswer) {
  const Error error = ReadError(Fault::Shorten(1000));
  EXPECT_EQ(error.kind(), ErrorKind::kStore);
  EXPECT_THAT(error.cause(), HasSubstr("1000 came"));
}

TEST_P(DownloadFaultTest, AnObjectThatIsReplacedOrRemovedIsNotMixedIn) {
  const auto place = ByProxy();
  const std::unique_ptr<RangedSource> source = OpenObject(**place, kName);
  ASSERT_NE(source, nullptr);
  direct_->Remove(kName);
  std::string piece(kMiB, '\0');
  if (GetParam().versioned()) {
    direct_.Put({kName}, "a later one", true);
    source->ReadAt(kMiB, piece.data(), piece.size());
    EXPECT_TRUE(piece == bytes_.substr(kMiB, kMiB));
    return;
  }
  EXPECT_THROW(source->ReadAt(kMiB, piece.data(), piece.size()), Error);
  direct_.Put({kName}, Pattern(11 * kMiB), false);
  EXPECT_THROW(source->ReadAt(kMiB, piece.data(), piece.size()), Error);
}

TEST_P(DownloadFaultTest, WhatNeverWorksSaysHowOftenItWasTried) {
  const Error error = ReadError(Fault::Reset(Where::kResponse, 1000), {.tries = 3});
  EXPECT_EQ(error.kind(), ErrorKind::kStore);
  EXPECT_THAT(error.tried(), HasSubstr("3 times"));
  EXPECT_EQ(proxy_.injected(), 3);
}

TEST_P(DownloadFaultTest, ListsSurviveFaults) {
  proxy_.Inject(kRead, Fault::Drop(Where::kResponse, 100));
  proxy_.Inject(kRead, Fault::Answer(Where::kBefore, 503, S3ErrorBody("SlowDown")));
  EXPECT_THAT(ByProxy()->Names(), ElementsAre(kName));
  EXPECT_EQ(proxy_.injected(), 2);
}

}  // namespace
}  // namespace oxbackup::s3
