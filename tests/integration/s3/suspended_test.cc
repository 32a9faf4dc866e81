// A bucket whose versioning was suspended: what it holds are versions, what comes to it is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/hash.h"
#include "base/run_context_testing.h"
#include "store/s3/s3_store.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SuspendedTest : public testing::TestWithParam<TestServer> {
 protected:
  SuspendedTest() {
    Put({}, "");
    SetVersioning("Enabled");
  }

  void SetVersioning(const std::string& status) {
    Put({{"versioning", ""}},
        "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>" +
            status + "</Status></VersioningConfiguration>");
  }

  std::unique_ptr<Store> Open() {
    return MakeS3Store(
        SettingsOf(GetParam()), bucket_, "", [](const std::string&) { return std::nullopt; },
        run_.run);
  }

  static std::string Write(Store& store, const std::vector<std::string>& names) {
    const auto writer = store.Create(names);
    writer->Write("bytes");
    writer->Finish();
    return writer->name();
  }

  static std::vector<std::string> Names(const std::vector<ObjectInfo>& objects) {
    std::vector<std::string> names;
    for (const ObjectInfo& object : objects) {
      names.push_back(object.name + (object.delete_marker ? " deleted" : ""));
    }
    return names;
  }

 private:
  void Put(const Parameters& parameters, const std::string& body) {
    Operation operation{.method = "PUT", .parameters = parameters};
    operation.headers = {{"Content-MD5", Base64(Md5Raw(body))}};
    operation.body = body;
    place_->client().Call(operation, {});
  }

  TestRun run_;
  const std::string bucket_ = "suspended-" + FreshFolder();
  const TestBucket place_{SettingsOf(GetParam()), bucket_, ""};
};

INSTANTIATE_TEST_SUITE_P(Servers, SuspendedTest,
                         testing::Values(TestServer::kMinio, TestServer::kVersityGw),
                         [](const auto& info) {
                           return info.param == TestServer::kMinio ? "Minio" : "VersityGw";
                         });

TEST_P(SuspendedTest, VersionsAreListedAndRemovedAndNothingIsReplaced) {
  Write(*Open(), {"a"});
  Write(*Open(), {"a"});
  SetVersioning("Suspended");
  const auto store = Open();
  EXPECT_TRUE(store->KeepsVersions());
  EXPECT_THAT(Names(store->ListVersions()), ElementsAre("a", "a"));
  EXPECT_EQ(store->FreeName({"a", "b"}), "b");
  EXPECT_EQ(Write(*store, {"a", "b", "c"}), "b");
  EXPECT_EQ(Write(*store, {"a", "b", "c"}), "c");
  EXPECT_THAT(Names(store->ListVersions()), ElementsAre("a", "a", "b", "c"));
  for (const ObjectInfo& object : store->ListVersions()) {
    EXPECT_TRUE(store->Remove(object))
        << object.name << " " << object.version << " " << object.etag;
  }
  EXPECT_THAT(store->ListVersions(), IsEmpty()) << "no markers are left";
}

TEST_P(SuspendedTest, AnArchiveThatADeletionHidesIsNotReplaced) {
  SetVersioning("Suspended");
  Write(*Open(), {"a"});
  SetVersioning("Enabled");
  EXPECT_TRUE(Open()->Remove("a"));
  SetVersioning("Suspended");
  const auto store = Open();
  EXPECT_EQ(store->Stat("a"), std::nullopt);
  EXPECT_EQ(Write(*store, {"a", "b"}), "b");
  EXPECT_THAT(Names(store->ListVersions()), ElementsAre("a deleted", "a", "b"));
}

}  // namespace
}  // namespace oxbackup::s3
