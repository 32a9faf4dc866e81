// Two backups at one time, and a restore while a backup ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <barrier>
#include <thread>

#include "base/error.h"
#include "store/s3/object_source.h"
#include "store/s3/upload.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr size_t kMiB = size_t{1} << 20;

class SameTimeTest : public testing::TestWithParam<TestPlace> {
 protected:
  bool versioned() const { return GetParam().versioned(); }
  std::unique_ptr<TestBucket> Place() const {
    return std::make_unique<TestBucket>(SettingsOf(GetParam().server), GetParam().bucket, folder_);
  }

  const std::string folder_ = FreshFolder();
};

INSTANTIATE_TEST_SUITE_P(Servers, SameTimeTest, testing::ValuesIn(AllPlaces()), PlaceName);

// All begin, all write, all end together, and each wants the name.
TEST_P(SameTimeTest, OfManyThatWantOneNameOneGetsItOrEachAVersion) {
  constexpr int kWriters = 4;
  std::barrier together(kWriters);
  std::vector<std::string> contents(kWriters);
  std::vector<ObjectId> written(kWriters);
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    contents[i] = Pattern(9 * kMiB) + std::to_string(i);
    writers.emplace_back([&, i] {
      const auto place = Place();
      const auto writer = BeginArchive(**place, {"site.tar"}, GetParam().versioning());
      writer->Write(contents[i]);
      together.arrive_and_wait();
      try {
        writer->Finish();
        written[i] = writer->id();
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("is there already"));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  int got_it = 0;
  for (int i = 0; i < kWriters; ++i) {
    if (written[i].name.empty()) continue;
    ++got_it;
    EXPECT_TRUE(Place()->Get(written[i]) == contents[i]) << "another one's bytes";
  }
  EXPECT_EQ(got_it, versioned() ? kWriters : 1);
  EXPECT_THAT((*Place())->List(true), SizeIs(got_it));
  EXPECT_EQ(Place()->Unfinished("site.tar"), 0u);
}

TEST_P(SameTimeTest, TwoThatBeginOneAfterTheOtherGetNamesOfTheirOwn) {
  const auto place = Place();
  const auto first = BeginArchive(**place, {"day.tar", "day.time.tar"}, GetParam().versioning());
  const auto second = BeginArchive(**place, {"day.tar", "day.time.tar"}, GetParam().versioning());
  first->Write("first");
  second->Write("second");
  second->Finish();
  first->Finish();
  EXPECT_EQ(place->Get(first->id()), "first");
  EXPECT_EQ(place->Get(second->id()), "second");
  if (versioned()) {
    EXPECT_THAT(place->Names(), ElementsAre("day.tar"));
  } else {
    EXPECT_THAT(place->Names(), ElementsAre("day.tar", "day.time.tar"));
  }
  EXPECT_EQ(place->Unfinished("day.tar"), 0u);
}

// What was begun to be read is read to its end, and never mixed with what came meanwhile.
TEST_P(SameTimeTest, ABackupThatEndsWhileARestoreReadsIsNotMixedIn) {
  const std::string old = Pattern(9 * kMiB);
  const auto place = Place();
  place->Put({"site.tar"}, old, versioned());
  const std::unique_ptr<RangedSource> source = OpenObject(**place, "site.tar");
  std::string first(kMiB, '\0');
  source->ReadAt(0, first.data(), first.size());
  EXPECT_TRUE(first == old.substr(0, kMiB));

  if (!versioned()) (*place)->Remove("site.tar");
  place->Put({"site.tar"}, std::string(9 * kMiB, 'n'), versioned());
  std::string later(kMiB, '\0');
  if (versioned()) {
    source->ReadAt(4 * kMiB, later.data(), later.size());
    EXPECT_TRUE(later == old.substr(4 * kMiB, kMiB));
  } else {
    EXPECT_THROW(source->ReadAt(4 * kMiB, later.data(), later.size()), Error);
  }
  // Opened anew the name means the newer one.
  EXPECT_EQ(place->Get("site.tar"), std::string(9 * kMiB, 'n'));
}

}  // namespace
}  // namespace oxbackup::s3
