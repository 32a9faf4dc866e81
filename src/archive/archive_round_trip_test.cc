// What is written comes back, with every codec, as a file and from a pipe.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/archive_check.h"
#include "archive/archive_testing.h"
#include "base/error.h"
#include "base/run_context_testing.h"

namespace oxbackup {
namespace {

class RoundTrip : public testing::TestWithParam<const char*> {
 protected:
  TestRun test_;
  const RunContext& run_ = test_.run;
};

INSTANTIATE_TEST_SUITE_P(Codecs, RoundTrip, testing::Values("xz", "xz:0", "zstd", "none"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, ':');
                           return name;
                         });

void ExpectSame(const Member& expected, const ReadMember& got) {
  EXPECT_EQ(got.content, expected.content) << expected.info.path;
  EXPECT_EQ(got.info.type, expected.info.type);
  EXPECT_EQ(got.info.size, expected.content.size());
  EXPECT_EQ(got.info.link_target, expected.info.link_target);
  EXPECT_EQ(got.info.mode, expected.info.mode);
  EXPECT_EQ(got.info.uid, expected.info.uid);
  EXPECT_EQ(got.info.gid, expected.info.gid);
  EXPECT_EQ(got.info.user, expected.info.user);
  EXPECT_EQ(got.info.group, expected.info.group);
  EXPECT_EQ(got.info.mtime_seconds, expected.info.mtime_seconds);
  EXPECT_EQ(got.info.mtime_nanoseconds, expected.info.mtime_nanoseconds);
  EXPECT_EQ(got.info.xattrs, expected.info.xattrs) << expected.info.path;
}

void ExpectAll(const std::vector<Member>& expected, const std::map<std::string, ReadMember>& got) {
  EXPECT_EQ(got.size(), expected.size());
  for (const Member& member : expected) {
    ASSERT_TRUE(got.contains(member.info.path)) << member.info.path;
    ExpectSame(member, got.at(member.info.path));
  }
}

TEST_P(RoundTrip, EveryKindOfMember) {
  const std::vector<Member> members = EveryKindOfMember();
  const std::string archive = WriteArchive(GetParam(), {members}, run_);
  const auto reader = OpenBytes(archive, run_);
  EXPECT_TRUE(reader->random_access());
  ASSERT_NE(reader->manifest(), nullptr);
  EXPECT_EQ(reader->manifest()->host, "host");
  ExpectAll(members, ReadMembers(*reader, 2, run_));

  const auto pipe = OpenPipe(archive);
  EXPECT_FALSE(pipe->random_access());
  EXPECT_EQ(pipe->manifest(), nullptr);
  ExpectAll(members, ReadMembers(*pipe, 1, run_));
  ASSERT_NE(pipe->manifest(), nullptr);
  EXPECT_EQ(pipe->manifest()->members.size(), members.size() + 1);
}

TEST_P(RoundTrip, SizesAroundEveryBorder) {
  std::vector<Member> members;
  for (const uint64_t size : {0, 1, 511, 512, 513, 65535, 65536, 65537, 131072, 1048575, 1048576,
                              8388608 - 512, 8388609}) {
    members.push_back(
        MakeFile("data/x/" + std::to_string(size), SqlText(size, static_cast<uint32_t>(size))));
  }
  const std::string archive = WriteArchive(GetParam(), {members}, run_);
  ExpectAll(members, ReadMembers(archive, 3, run_));
  ExpectAll(members, ReadMembers(*OpenPipe(archive), 1, run_));
}

TEST_P(RoundTrip, DataThatDoNotCompress) {
  const std::vector<Member> members = {MakeFile("data/a", RandomBytes(9'000'000, 1)),
                                       MakeFile("data/b", RandomBytes(100'000, 2))};
  const std::string archive = WriteArchive(GetParam(), {members}, run_);
  ExpectAll(members, ReadMembers(archive, 2, run_));
  CheckWholeArchive(MemoryRangedSource(archive), 2, {}, run_);
}

TEST_P(RoundTrip, NothingButTheFormatMember) {
  const std::string archive = WriteArchive(GetParam(), {}, run_);
  EXPECT_TRUE(ReadMembers(archive, 1, run_).empty());
  EXPECT_TRUE(ReadMembers(*OpenPipe(archive), 1, run_).empty());
  CheckWholeArchive(MemoryRangedSource(archive), 1, {}, run_);
}

TEST_P(RoundTrip, OneMemberOfManyIsReadWithoutTheOthersBlocks) {
  std::vector<std::vector<Member>> groups;
  for (int i = 0; i < 5; ++i) {
    groups.push_back({MakeFile("data/" + std::to_string(i), RandomBytes(1'500'000, 9))});
  }
  const std::string archive = WriteArchive(GetParam(), std::move(groups), run_);
  const auto reader = OpenBytes(archive, run_);
  for (int again = 0; again < 2; ++again) {
    std::vector<std::string> seen;
    reader->Read([](const std::string& path) { return path == "data/3"; },
                 [&](const MemberInfo& info, ByteSource&) { seen.push_back(info.path); }, 4, run_);
    EXPECT_THAT(seen, testing::ElementsAre("data/3"));
  }
}

TEST_P(RoundTrip, StreamedFilesMakeTheSameBlocksAsFilesInMemory) {
  const std::string content = SqlText(9'000'000, 5);
  const std::string in_memory = WriteArchive(GetParam(), {{MakeFile("data/big", content)}}, run_);
  StringSink sink;
  ArchiveWriter writer(sink, {ParseCompression(GetParam()), 2}, run_);
  MemoryByteSource source(content);
  writer.AddStream(MakeFile("data/big", content).info, source);
  Manifest manifest;
  manifest.tool_version = "test";
  manifest.host = "host";
  const ArchiveTotals totals = writer.Finish(manifest);
  EXPECT_EQ(sink.bytes(), in_memory);
  EXPECT_TRUE(sink.finished());
  EXPECT_EQ(totals.stored_bytes, in_memory.size());
  EXPECT_EQ(writer.stored_bytes(), in_memory.size());
}

TEST_P(RoundTrip, VerificationHandsOutEveryMember) {
  const std::vector<Member> members = EveryKindOfMember();
  const std::string archive = WriteArchive(GetParam(), {members}, run_);
  std::mutex mutex;
  size_t count = 0;
  CheckWholeArchive(
      MemoryRangedSource(archive), 2,
      [&](const MemberInfo&, ByteSource&) {
        const std::lock_guard lock(mutex);
        ++count;
      },
      run_);
  EXPECT_EQ(count, members.size() + 1);
  CheckStoredBytes(MemoryRangedSource(archive), run_);
}

}  // namespace
}  // namespace oxbackup
