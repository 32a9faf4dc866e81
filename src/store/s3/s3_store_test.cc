#include "store/s3/s3_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/byte_budget.h"
#include "base/error.h"
#include "base/progress.h"
#include "http/http_server_testing.h"

namespace oxbackup::s3 {
namespace {

// A bucket of one object, "k", with the entity tag "new".
class S3StoreTest : public testing::Test {
 protected:
  S3StoreTest() {
    Settings settings;
    settings.endpoint = server_.url();
    settings.credentials.access_key = "AKTEST";
    settings.credentials.secret_key = "hidden";
    const Environment none = [](const std::string&) { return std::nullopt; };
    store_ = MakeS3Store(settings, "backups", "", none, run_);
  }

  TestHttpResponse Answer(const TestHttpRequest& request) const {
    if (request.query() == "versioning=") {
      return {.body = "<VersioningConfiguration>" + versioning_ + "</VersioningConfiguration>"};
    }
    const bool there = request.path() == "/backups/k";
    if (request.method == "HEAD" && there) return {.headers = {{"ETag", "\"new\""}}};
    return {.status = request.method == "DELETE" ? 204 : 404};
  }

  size_t Deletions() const {
    size_t count = 0;
    for (const TestHttpRequest& request : server_.Requests()) count += request.method == "DELETE";
    return count;
  }

  std::string versioning_;
  NullLog log_;
  Warnings warnings_{log_};
  std::stop_source stop_;
  SystemClock clock_;
  ByteBudget budget_{uint64_t{256} << 20};
  Progress progress_;
  RunContext run_{stop_.get_token(), log_, warnings_, progress_, budget_, clock_};
  TestHttpServer server_{[this](const TestHttpRequest& request) { return Answer(request); }};
  std::unique_ptr<Store> store_;
};

TEST_F(S3StoreTest, WhatHasReplacedAnObjectIsNotRemovedInItsPlace) {
  ObjectId listed("k");
  listed.etag = "old";
  EXPECT_FALSE(store_->Remove(listed));
  EXPECT_EQ(Deletions(), 0u);
  listed.etag = "new";
  EXPECT_TRUE(store_->Remove(listed));
  EXPECT_EQ(Deletions(), 1u);
}

TEST_F(S3StoreTest, SuspendedVersioningHasVersionsAndTakesNoNameThatIsThere) {
  versioning_ = "<Status>Suspended</Status>";
  EXPECT_TRUE(store_->KeepsVersions());
  EXPECT_EQ(store_->FreeName({"k", "k2"}), "k2");
  EXPECT_EQ(store_->FreeName({"k"}), std::nullopt);
}

TEST_F(S3StoreTest, WithVersioningTheFirstNameIsFree) {
  versioning_ = "<Status>Enabled</Status>";
  EXPECT_TRUE(store_->KeepsVersions());
  EXPECT_EQ(store_->FreeName({"k", "k2"}), "k");
}

TEST_F(S3StoreTest, WithoutVersionsTheFirstNameThatIsNotThereIsFree) {
  EXPECT_FALSE(store_->KeepsVersions());
  EXPECT_EQ(store_->FreeName({"k", "k2"}), "k2");
}

}  // namespace
}  // namespace oxbackup::s3
