// Lists of real servers: more than a page, names of all kinds, versions and delete markers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class ListingOfServerTest : public testing::TestWithParam<TestPlace> {
 protected:
  // Small objects need no upload in parts.
  void PutSmall(const std::string& name) const {
    place_->client().Call({.method = "PUT", .key = folder_ + "/" + name, .body = "small"}, {});
  }

  // `count` objects, or as many versions of each.
  void PutMany(int count, int versions) const {
    std::atomic<int> next = 0;
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([&] {
        for (int number = next++; number < count; number = next++) {
          for (int version = 0; version < versions; ++version) {
            PutSmall(fmt::format("object.{:04}", number));
          }
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
  }

  const std::string folder_ = FreshFolder();
  const TestBucket place_{SettingsOf(GetParam().server), GetParam().bucket, folder_};
};

INSTANTIATE_TEST_SUITE_P(Servers, ListingOfServerTest, testing::ValuesIn(AllPlaces()), PlaceName);

TEST_P(ListingOfServerTest, HasMoreThanAPageOfObjects) {
  constexpr int kCount = 1005;
  PutMany(kCount, 1);
  const std::vector<std::string> names = place_.Names();
  ASSERT_THAT(names, SizeIs(kCount));
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(names[i], fmt::format("object.{:04}", i));
}

TEST_P(ListingOfServerTest, HasMoreThanAPageOfVersions) {
  if (!GetParam().versioned()) {
    // Without versions each object is the one version of itself.
    PutMany(3, 2);
    const std::vector<ObjectInfo> versions = place_->List(true);
    ASSERT_THAT(versions, SizeIs(3));
    for (const ObjectInfo& version : versions) EXPECT_TRUE(version.current);
    return;
  }
  constexpr int kNames = 340;
  PutMany(kNames, 3);
  const std::vector<ObjectInfo> versions = place_->List(true);
  ASSERT_THAT(versions, SizeIs(kNames * 3));
  for (int i = 0; i < kNames * 3; ++i) {
    EXPECT_EQ(versions[i].name, fmt::format("object.{:04}", i / 3));
    EXPECT_EQ(versions[i].current, i % 3 == 0) << "newest first";
    EXPECT_FALSE(versions[i].version.empty());
  }
  EXPECT_THAT(place_->List(false), SizeIs(kNames));
}

TEST_P(ListingOfServerTest, HasDeleteMarkersWhereThereAreVersions) {
  PutSmall("a");
  PutSmall("b");
  place_->Remove("a");
  EXPECT_THAT(place_.Names(), ElementsAre("b"));
  const std::vector<ObjectInfo> all = place_->List(true);
  if (!GetParam().versioned()) {
    EXPECT_THAT(all, SizeIs(1));
    return;
  }
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].name, "a");
  EXPECT_TRUE(all[0].delete_marker);
  EXPECT_TRUE(all[0].current);
  EXPECT_FALSE(all[1].delete_marker);
  EXPECT_FALSE(all[1].current);
  EXPECT_EQ(place_.Get(all[1]), "small");
  // Without the marker the object is back.
  place_->Remove(all[0]);
  EXPECT_THAT(place_.Names(), ElementsAre("a", "b"));
}

TEST_P(ListingOfServerTest, HasNamesOfAllKindsAsTheyAre) {
  const std::vector<std::string> names = {"100%.tar",  "a b.tar",     "a%41.tar",
                                          "a%2Bb.tar", "a&amp;b.tar", "a+b.tar",
                                          "a<b>.tar",  "q\"'.tar",    "\xC3\xBC.tar"};
  for (const std::string& name : names) PutSmall(name);
  std::vector<std::string> sorted = names;
  std::ranges::sort(sorted);
  EXPECT_EQ(place_.Names(), sorted);
  std::vector<std::string> versions;
  for (const ObjectInfo& version : place_->List(true)) versions.push_back(version.name);
  EXPECT_EQ(versions, sorted);
  for (const std::string& name : names) EXPECT_EQ(place_.Get(name), "small") << name;
}

TEST_P(ListingOfServerTest, LeavesOutFoldersInTheFolder) {
  PutSmall("site.tar");
  PutSmall("deeper/site.tar");
  EXPECT_THAT(place_.Names(), ElementsAre("site.tar"));
}

}  // namespace
}  // namespace oxbackup::s3
