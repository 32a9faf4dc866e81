// The writer under pressure: many producers, little memory, failing sinks and sources.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "archive/archive_check.h"
#include "archive/archive_testing.h"
#include "base/error.h"
#include "base/run_context_testing.h"
#include "base/task_group.h"
#include "stream/block_codec.h"

namespace oxbackup {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

// Adds what `producers` threads make: chunks of all sizes and files that are streamed.
void AddFromManyThreads(ArchiveWriter& writer, int producers, int chunks, const RunContext& run) {
  TaskGroup group(run.stop);
  for (int producer = 0; producer < producers; ++producer) {
    group.Run([&, producer](const std::stop_token& stop) {
      for (int chunk = 0; chunk < chunks; ++chunk) {
        const std::string path = "data/" + std::to_string(producer) + "/" + std::to_string(chunk);
        const uint64_t size = (static_cast<uint64_t>(producer * 7 + chunk * 3) % 5) * 300'000 + 10;
        const std::string content = SqlText(size, static_cast<uint32_t>(chunk));
        if (chunk % 4 == 3) {
          MemoryByteSource source(content);
          writer.AddStream(MakeFile(path, content).info, source);
          continue;
        }
        MemberGroup members;
        members.reservation = run.budget.Take(size, stop);
        members.members.push_back(MakeFile(path, content));
        writer.Add(std::move(members));
      }
    });
  }
  group.Wait();
}

class SmallBudget : public testing::TestWithParam<uint64_t> {};

INSTANTIATE_TEST_SUITE_P(Mebibytes, SmallBudget, testing::Values(1, 4, 17, 40, 64));

TEST_P(SmallBudget, ManyProducersFinishAndNothingStaysReserved) {
  TestRun test(GetParam() * kMiB);
  StringSink sink;
  {
    ArchiveWriter writer(sink, {ParseCompression("zstd:1"), 4}, test.run);
    AddFromManyThreads(writer, 6, 8, test.run);
    writer.Finish(Manifest{});
  }
  EXPECT_EQ(test.budget.used(), 0);
  EXPECT_EQ(ReadMembers(sink.bytes(), 2, test.run).size(), 48);
  CheckWholeArchive(MemoryRangedSource(sink.bytes()), 2, {}, test.run);
  EXPECT_EQ(test.budget.used(), 0);
}

TEST(ArchiveWriter, StaysInsideTheBudget) {
  for (const char* const compression : {"xz:0", "xz", "zstd", "none"}) {
    TestRun test(64 * kMiB);
    StringSink sink;
    ArchiveWriter writer(sink, {ParseCompression(compression), 8}, test.run);
    AddFromManyThreads(writer, 4, 4, test.run);
    writer.Finish(Manifest{});
    EXPECT_LE(test.budget.peak(), test.budget.limit()) << compression;
    EXPECT_TRUE(test.warnings.All().empty());
  }
}

TEST(ArchiveWriter, SaysSoWhenTheBudgetIsTooSmallForOneEncoder) {
  TestRun test(kMiB);
  StringSink sink;
  const ArchiveWriter writer(sink, {ParseCompression("xz:9"), 4}, test.run);
  ASSERT_EQ(test.warnings.All().size(), 1);
  EXPECT_THAT(test.warnings.All()[0], testing::HasSubstr("less memory than compression"));
}

TEST(ArchiveWriter, MakesTheDictionarySmallerBeforeItOverrunsTheBudget) {
  TestRun test(96 * kMiB);
  StringSink sink;
  ArchiveWriter writer(sink, {ParseCompression("xz:9"), 4}, test.run);
  EXPECT_TRUE(test.warnings.All().empty());
  EXPECT_LE(test.budget.used(), test.budget.limit() / 2);
  writer.Finish(Manifest{});
}

TEST(ArchiveWriter, TakesAGroupThatIsLargerThanTheBudget) {
  TestRun test(8 * kMiB);
  StringSink sink;
  ArchiveWriter writer(sink, {ParseCompression("zstd:1"), 2}, test.run);
  MemberGroup group;
  group.reservation = test.budget.Take(20 * kMiB, {});
  group.members.push_back(MakeFile("data/row", SqlText(20 * kMiB, 1)));
  writer.Add(std::move(group));
  writer.Finish(Manifest{});
  EXPECT_EQ(ReadMembers(sink.bytes(), 1, test.run).at("data/row").content.size(), 20 * kMiB);
}

std::multiset<std::string> Digests(const std::string& archive) {
  const auto manifest = ReadManifest(MemoryRangedSource(archive));
  std::multiset<std::string> digests;
  for (const BlockEntry& block : manifest->blocks) digests.insert(block.digest);
  return digests;
}

TEST(ArchiveWriter, SameDataMakeTheSameBlocksWhateverTheThreadsDo) {
  for (const char* const compression : {"xz", "zstd", "none"}) {
    std::vector<std::multiset<std::string>> runs;
    for (const int workers : {1, 3}) {
      TestRun test;
      StringSink sink;
      ArchiveWriter writer(sink, {ParseCompression(compression), workers}, test.run);
      AddFromManyThreads(writer, 4, 4, test.run);
      writer.Finish(Manifest{});
      runs.push_back(Digests(sink.bytes()));
    }
    EXPECT_EQ(runs[0], runs[1]) << compression;
  }
}

TEST(ArchiveWriter, ChangedMembersChangeTheirOwnBlocksOnly) {
  TestRun test;
  std::vector<std::vector<Member>> groups;
  for (int i = 0; i < 10; ++i) {
    groups.push_back({MakeFile("data/" + std::to_string(i), SqlText(200'000, 3))});
  }
  const std::string before = WriteArchive("xz", groups, test.run);
  groups[4][0].content += "one row more";
  const std::string after = WriteArchive("xz", groups, test.run);
  const BlockDiff diff = DiffBlocks(*ReadManifest(MemoryRangedSource(before)),
                                    *ReadManifest(MemoryRangedSource(after)));
  EXPECT_EQ(diff.blocks, 11);
  EXPECT_EQ(diff.shared_blocks, 10);
  EXPECT_LT(diff.shared_bytes, diff.stored_bytes);
}

// Takes so many bytes and then fails.
class FailingSink final : public ByteSink {
 public:
  explicit FailingSink(uint64_t room) : room_(room) {}
  void Write(std::string_view bytes) override {
    if (bytes.size() > room_) throw Error(ErrorKind::kStore, "the disk is full");
    room_ -= bytes.size();
  }
  void Finish() override { finished = true; }
  bool finished = false;

 private:
  uint64_t room_;
};

TEST(ArchiveWriter, AFailingSinkEndsEveryProducerWithItsError) {
  for (const uint64_t room : {0, 100, 5'000, 100'000, 400'000, 1'000'000, 6'000'000}) {
    TestRun test(24 * kMiB);
    FailingSink sink(room);
    try {
      ArchiveWriter writer(sink, {ParseCompression("none"), 3}, test.run);
      AddFromManyThreads(writer, 5, 8, test.run);
      writer.Finish(Manifest{});
      FAIL() << room;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kStore) << error.what();
      EXPECT_STREQ(error.what(), "the disk is full");
    }
    EXPECT_FALSE(sink.finished);
    EXPECT_EQ(test.budget.used(), 0);
  }
}

// Fails as soon as every producer waits for memory.
class SinkThatFailsLate final : public ByteSink {
 public:
  SinkThatFailsLate(const std::atomic<int>& waiting, int producers)
      : waiting_(waiting), producers_(producers) {}
  void Write(std::string_view) override {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (int seen = 0; seen < 20 && std::chrono::steady_clock::now() < give_up;) {
      seen = waiting_ == producers_ ? seen + 1 : 0;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw Error(ErrorKind::kStore, "the disk is full");
  }
  void Finish() override {}

 private:
  const std::atomic<int>& waiting_;
  const int producers_;
};

TEST(ArchiveWriter, AFailingSinkWakesProducersThatWaitForMemory) {
  constexpr int kProducers = 3;
  TestRun test(40 * kMiB);
  std::atomic<int> waiting = 0;
  std::atomic<bool> ended = false;
  std::jthread watchdog([&](const std::stop_token& stop) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    if (!ended) test.stop.request_stop();
  });
  SinkThatFailsLate sink(waiting, kProducers);
  try {
    ArchiveWriter writer(sink, {ParseCompression("none"), 1}, test.run);
    TaskGroup group(test.run.stop);
    for (int producer = 0; producer < kProducers; ++producer) {
      group.Run([&, producer](const std::stop_token&) {
        for (int chunk = 0;; ++chunk) {
          MemberGroup members;
          ++waiting;
          // As the sources do: by the run's token, which a failure of the writer does not stop.
          members.reservation = test.budget.Take(8 * kMiB, test.run.stop);
          --waiting;
          const std::string path = std::to_string(producer) + "/" + std::to_string(chunk);
          members.members.push_back(MakeFile("data/" + path, std::string(7 * kMiB, 'x')));
          writer.Add(std::move(members));
        }
      });
    }
    group.Wait();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the disk is full");
  }
  ended = true;
  EXPECT_EQ(test.budget.used(), 0);
}

class FailingSource final : public ByteSource {
 public:
  explicit FailingSource(uint64_t good) : good_(good) {}
  size_t Read(char* buffer, size_t size) override {
    if (good_ == 0) throw Error(ErrorKind::kSource, "the disk has a bad sector");
    const size_t now = static_cast<size_t>(std::min<uint64_t>(size, good_));
    std::fill(buffer, buffer + now, 'x');
    good_ -= now;
    return now;
  }

 private:
  uint64_t good_;
};

TEST(ArchiveWriter, ASourceThatFailsInsideAMemberEndsTheArchive) {
  TestRun test;
  StringSink sink;
  ArchiveWriter writer(sink, {ParseCompression("zstd:1"), 2}, test.run);
  FailingSource source(20 * kMiB);
  MemberInfo info = MakeFile("data/big", "").info;
  info.size = 40 * kMiB;
  EXPECT_THROW(writer.AddStream(info, source), Error);
  try {
    writer.Add(MakeGroup({MakeFile("data/next", "x")}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the disk has a bad sector");
  }
  EXPECT_THROW(writer.Finish(Manifest{}), Error);
  EXPECT_FALSE(sink.finished());
}

TEST(ArchiveWriter, RefusesFilesThatGrowOrShrinkWhileTheyAreRead) {
  TestRun test;
  StringSink sink;
  ArchiveWriter writer(sink, {ParseCompression("none"), 1}, test.run);
  for (const uint64_t told : {9, 11}) {
    MemoryByteSource source("ten bytes.");
    MemberInfo info = MakeFile("data/f" + std::to_string(told), "").info;
    info.size = told;
    try {
      writer.AddStream(info, source);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kSource);
      EXPECT_FALSE(error.hint().empty());
    }
  }
  // Nothing of them was written, so the archive is not lost.
  writer.Finish(Manifest{});
  EXPECT_TRUE(ReadMembers(sink.bytes(), 1, test.run).empty());
}

TEST(ArchiveWriter, StopsWhenTheRunIsStopped) {
  TestRun test;
  StringSink sink;
  ArchiveWriter writer(sink, {ParseCompression("zstd:1"), 2}, test.run);
  test.stop.request_stop();
  try {
    writer.Add(MakeGroup({MakeFile("data/a", "x")}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  EXPECT_THROW(writer.Finish(Manifest{}), Error);
  EXPECT_FALSE(sink.finished());
}

TEST(ArchiveWriter, RefusesWhatReadersWouldRefuse) {
  TestRun test;
  StringSink sink;
  ArchiveWriter writer(sink, {ParseCompression("none"), 1}, test.run);
  for (const char* const path : {"", "/etc/passwd", "../x", "data/../../x", "data/.."}) {
    EXPECT_THROW(writer.Add(MakeGroup({MakeFile(path, "x")})), Error) << path;
  }
  writer.Add(MakeGroup({MakeFile("data/..x", "x"), MakeFile("data/twice", "x")}));
  writer.Add(MakeGroup({MakeFile("data/twice", "x")}));
  EXPECT_THROW(writer.Finish(Manifest{}), Error);
  EXPECT_FALSE(sink.finished());
}

TEST(ArchiveWriter, MembersCountAgainstTheBudgetUpToAQuarterOfIt) {
  constexpr uint64_t kManyMembers = 5000;
  TestRun test(32 * kMiB);
  StringSink sink;
  ArchiveWriter writer(sink, {ParseCompression("none"), 1}, test.run);
  const uint64_t before = test.budget.used();
  const std::string prefix(200, 'p');
  for (uint64_t i = 0; i < kManyMembers; ++i) {
    writer.Add(MakeGroup({MakeFile(prefix + std::to_string(i), "")}));
  }
  EXPECT_GE(test.budget.used(), before + kManyMembers * (sizeof(MemberEntry) + 200));
  for (uint64_t i = 0; i < 8 * kManyMembers; ++i) {
    writer.Add(MakeGroup({MakeFile("q" + prefix + std::to_string(i), "")}));
  }
  // The format member counts too.
  EXPECT_LE(test.budget.used(), before + test.budget.limit() / 4);
  EXPECT_GE(test.budget.used(), before + test.budget.limit() / 4 - kMiB);
  writer.Finish({});
  EXPECT_EQ(ReadManifest(MemoryRangedSource(sink.bytes()))->members.size(), 9 * kManyMembers + 1);
}

}  // namespace
}  // namespace oxbackup
