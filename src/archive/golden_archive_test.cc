// Archives of every format version that was ever written stay readable.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "archive/archive_check.h"
#include "archive/archive_testing.h"
#include "base/run_context_testing.h"

namespace oxbackup {
namespace {

class GoldenArchive : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Format1, GoldenArchive, testing::Values("tar.xz", "tar.zst", "tar"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '.');
                           return name;
                         });

TEST_P(GoldenArchive, ReadsAsOnTheDayItWasMade) {
  std::ifstream file(std::string(OPENEDX_BACKUP_FIXTURES "/format-1/golden.") + GetParam(),
                     std::ios::binary);
  ASSERT_TRUE(file.is_open());
  const std::string archive{std::istreambuf_iterator<char>(file), {}};
  TestRun test;
  CheckWholeArchive(MemoryRangedSource(archive), 2, {}, test.run);
  std::vector<Member> expected = EveryKindOfMember();
  expected.push_back(MakeFile("data/media/random", RandomBytes(40'000, 11)));
  for (const bool pipe : {false, true}) {
    const auto reader = pipe ? OpenPipe(archive) : OpenBytes(archive, test.run);
    const auto members = ReadMembers(*reader, 1, test.run);
    EXPECT_EQ(members.size(), expected.size());
    for (const Member& member : expected) {
      ASSERT_TRUE(members.contains(member.info.path)) << member.info.path;
      const ReadMember& got = members.at(member.info.path);
      EXPECT_EQ(got.content, member.content);
      EXPECT_EQ(got.info.type, member.info.type);
      EXPECT_EQ(got.info.link_target, member.info.link_target);
      EXPECT_EQ(got.info.mode, member.info.mode);
      EXPECT_EQ(got.info.uid, member.info.uid);
      EXPECT_EQ(got.info.mtime_nanoseconds, member.info.mtime_nanoseconds);
      EXPECT_EQ(got.info.xattrs, member.info.xattrs);
    }
    EXPECT_EQ(reader->manifest()->host, "host");
  }
}

}  // namespace
}  // namespace oxbackup
