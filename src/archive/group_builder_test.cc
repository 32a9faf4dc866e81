#include "archive/group_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/archive_check.h"
#include "archive/archive_testing.h"
#include "base/run_context_testing.h"

namespace oxbackup {
namespace {

std::vector<Member> SmallFiles(int count) {
  std::vector<Member> members;
  for (int i = 0; i < count; ++i) {
    members.push_back(MakeFile("data/media/" + std::to_string(100000 + i),
                               RandomBytes(static_cast<uint64_t>(i % 7) * 900, 1)));
  }
  return members;
}

Manifest Build(std::vector<Member> members, const RunContext& run) {
  StringSink sink;
  ArchiveWriter writer(sink, {ParseCompression("none"), 2}, run);
  GroupBuilder builder(writer, run);
  for (Member& member : members) builder.Add(std::move(member));
  builder.Flush();
  writer.Finish(Manifest{});
  return *ReadManifest(MemoryRangedSource(sink.bytes()));
}

TEST(GroupBuilder, ANewMemberChangesItsOwnGroupOnly) {
  TestRun test;
  std::vector<Member> members = SmallFiles(2000);
  const Manifest before = Build(members, test.run);
  ASSERT_GT(before.blocks.size(), 20);
  members.insert(members.begin() + 777, MakeFile("data/media/new", "something new"));
  const BlockDiff diff = DiffBlocks(before, Build(members, test.run));
  EXPECT_LE(diff.blocks - diff.shared_blocks, 2);
}

TEST(GroupBuilder, TheSameMembersMakeTheSameGroups) {
  TestRun test;
  const BlockDiff diff =
      DiffBlocks(Build(SmallFiles(500), test.run), Build(SmallFiles(500), test.run));
  EXPECT_EQ(diff.shared_blocks, diff.blocks);
}

TEST(GroupBuilder, LargeMembersStandAlone) {
  TestRun test;
  std::vector<Member> members = SmallFiles(3);
  members.push_back(MakeFile("data/media/large", RandomBytes(GroupBuilder::kSingleMemberBytes, 3)));
  members.push_back(MakeFile("data/media/small", "x"));
  const Manifest manifest = Build(std::move(members), test.run);
  const MemberEntry& large = manifest.members[4];
  EXPECT_EQ(large.path, "data/media/large");
  EXPECT_NE(manifest.members[3].block, large.block);
  EXPECT_NE(manifest.members[5].block, large.block);
}

TEST(GroupBuilder, GivesTheBudgetBack) {
  TestRun test(uint64_t{32} << 20);
  Build(SmallFiles(300), test.run);
  EXPECT_EQ(test.budget.used(), 0);
  EXPECT_LE(test.budget.peak(), test.budget.limit());
}

}  // namespace
}  // namespace oxbackup
