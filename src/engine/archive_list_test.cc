// What lies in a place of archives.
#include "engine/archive_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/run_context_testing.h"
#include "engine/small_archive_testing.h"
#include "store/counting_store_testing.h"
#include "store/memory/memory_store.h"

namespace oxbackup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ArchiveListTest : public ::testing::Test {
 protected:
  static std::vector<std::string> Names(const std::vector<ArchiveEntry>& entries) {
    std::vector<std::string> names;
    for (const ArchiveEntry& entry : entries) names.push_back(entry.object.name);
    return names;
  }

  TestRun test_;
  MemoryStore store_{test_.clock};
  MemoryStore versions_{test_.clock, MemoryVersions::kKept};
};

TEST_F(ArchiveListTest, GoesOnBehindWhatCannotBeRead) {
  CountingStore store(store_);
  store.Lock("a.tar.xz");
  store_.Put("a.tar.xz", SmallArchive(0));
  store_.Put("b.tar.xz", SmallArchive(50'000));
  const std::vector<ArchiveEntry> entries = ListArchives(store, test_.run);
  ASSERT_THAT(Names(entries), ElementsAre("b.tar.xz", "a.tar.xz"));
  EXPECT_EQ(entries[0].state, ArchiveState::kComplete);
  EXPECT_EQ(entries[1].state, ArchiveState::kUnreadable);
  EXPECT_EQ(entries[1].error->kind(), ErrorKind::kStore);
  EXPECT_EQ(entries[1].problem, "a.tar.xz: the store is locked (a test asked for that)");
}

TEST_F(ArchiveListTest, AReadThatFailsIsOfThatArchiveAlone) {
  for (int day = 0; day < 20; ++day) {
    store_.Put("d" + std::to_string(day) + ".tar", SmallArchive(day));
  }
  store_.SetFaults({.fail_read = true, .times = 3});
  const std::vector<ArchiveEntry> entries = ListArchives(store_, test_.run);
  ASSERT_THAT(entries, SizeIs(20));
  EXPECT_EQ(std::ranges::count(entries, ArchiveState::kUnreadable, &ArchiveEntry::state), 3);
  EXPECT_EQ(std::ranges::count(entries, ArchiveState::kComplete, &ArchiveEntry::state), 17);
}

TEST_F(ArchiveListTest, IsInTheOrderOfTheirMakingHoweverManyAreReadAtOnce) {
  std::vector<std::string> wanted;
  for (int day = 0; day < 40; ++day) {
    const std::string name = "n" + std::to_string((day * 7) % 40) + ".tar.xz";
    store_.Put(name, SmallArchive(day));
    wanted.insert(wanted.begin(), name);
  }
  EXPECT_EQ(Names(ListArchives(store_, test_.run)), wanted);
}

TEST_F(ArchiveListTest, HoldsNoMembers) {
  store_.Put("a.tar.xz", SmallArchive(0));
  const std::vector<ArchiveEntry> entries = ListArchives(store_, test_.run);
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].manifest->tool_version, "test");
  EXPECT_THAT(entries[0].manifest->members, IsEmpty());
  EXPECT_THAT(entries[0].manifest->blocks, IsEmpty());
  EXPECT_EQ(entries[0].manifest->members.capacity(), 0);
  EXPECT_THAT(ReadWholeManifest(store_, entries[0])->members, SizeIs(2));
  store_.Remove("a.tar.xz");
  EXPECT_THROW(ReadWholeManifest(store_, entries[0]), Error);
}

TEST_F(ArchiveListTest, AStoppedRunEndsIt) {
  store_.Put("a.tar.xz", SmallArchive(0));
  test_.stop.request_stop();
  try {
    ListArchives(store_, test_.run);
    ADD_FAILURE() << "it went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
}

TEST_F(ArchiveListTest, LiveOnesAreAllVersionsOfNamesThatAreNotDeleted) {
  versions_.Put("a.tar.xz", "1");
  versions_.Put("a.tar.xz", "2");
  versions_.Put("b.tar.xz", "3");
  versions_.Put("note.txt", "4");
  versions_.Remove("b.tar.xz");
  std::vector<std::string> found;
  for (const ObjectInfo& object : LiveArchives(versions_)) found.push_back(DescribeObject(object));
  EXPECT_THAT(found, ElementsAre("a.tar.xz", "a.tar.xz (version v1)"));
}

TEST_F(ArchiveListTest, WhatWasDeletedIsKnownWhereVersionsAreKept) {
  EXPECT_FALSE(HoldsDeletedArchives(versions_));
  versions_.Put("note.txt", "1");
  versions_.Remove("note.txt");
  EXPECT_FALSE(HoldsDeletedArchives(versions_));
  versions_.Put("a.tar.xz", "2");
  versions_.Remove("a.tar.xz");
  EXPECT_TRUE(HoldsDeletedArchives(versions_));
  EXPECT_FALSE(HoldsDeletedArchives(store_));
}

TEST_F(ArchiveListTest, OfTheVersionsOnlyTheNewestAreRead) {
  CountingStore store(versions_);
  for (int day = 0; day < 30; ++day) {
    const std::string name = "backup.day" + std::to_string(day % 10) + ".tar.xz";
    versions_.Put(name, SmallArchive(day), NoonOfDay(day));
  }
  versions_.Put("cut.tar.xz", CutOff(SmallArchive(30)), NoonOfDay(30));
  versions_.Remove("cut.tar.xz");
  const VersionList list = ListArchiveVersions(store, 4, test_.run);
  EXPECT_TRUE(list.keeps_versions);
  EXPECT_EQ(list.total, 32u);
  ASSERT_THAT(Names(list.newest),
              ElementsAre("cut.tar.xz", "cut.tar.xz", "backup.day9.tar.xz", "backup.day8.tar.xz"));
  EXPECT_EQ(list.newest[0].state, ArchiveState::kDeleteMarker);
  EXPECT_TRUE(list.newest[0].object.current);
  EXPECT_EQ(list.newest[1].state, ArchiveState::kDamaged);
  EXPECT_FALSE(list.newest[1].object.current);
  EXPECT_EQ(list.newest[2].state, ArchiveState::kComplete);
  EXPECT_EQ(list.newest[2].object.version, "v30");
  EXPECT_EQ(store.opened(), 3);
}

TEST_F(ArchiveListTest, AVersionIsNoOlderThanThoseThatItReplaced) {
  versions_.Put("a.tar.xz", SmallArchive(0), NoonOfDay(1));
  versions_.Put("a.tar.xz", SmallArchive(0), NoonOfDay(1) - std::chrono::milliseconds(700));
  versions_.Put("b.tar.xz", SmallArchive(0), NoonOfDay(0));
  const VersionList list = ListArchiveVersions(versions_, 20, test_.run);
  ASSERT_THAT(Names(list.newest), ElementsAre("a.tar.xz", "a.tar.xz", "b.tar.xz"));
  EXPECT_TRUE(list.newest[0].object.current);
  EXPECT_FALSE(list.newest[1].object.current);
}

TEST_F(ArchiveListTest, WithoutVersionsTheyAreTheArchives) {
  store_.Put("a.tar.xz", SmallArchive(0), NoonOfDay(0));
  store_.Put("b.tar.xz", "no archive of ours", NoonOfDay(1));
  const VersionList list = ListArchiveVersions(store_, 20, test_.run);
  EXPECT_FALSE(list.keeps_versions);
  EXPECT_EQ(list.total, 2u);
  EXPECT_THAT(Names(list.newest), ElementsAre("b.tar.xz", "a.tar.xz"));
}

}  // namespace
}  // namespace oxbackup
