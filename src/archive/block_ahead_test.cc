// Blocks that are fetched before somebody waits for them.
#include "archive/block_ahead.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/task_group.h"

namespace oxbackup {
namespace {

using testing::ElementsAre;

// Blocks of ten bytes each, all of the block's number. Fetches can be held back, and are written
// down.
class FakeLine final : public RangedSource {
 public:
  explicit FakeLine(size_t blocks) : blocks_(blocks) {}

  uint64_t Size() const override { return blocks_ * 10; }
  void ReadAt(uint64_t offset, char* buffer, size_t size) const override {
    const size_t block = static_cast<size_t>(offset / 10);
    std::unique_lock lock(mutex_);
    asked_.push_back(block);
    most_ = std::max(most_, ++under_way_);
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_ || let_through_.contains(block); });
    --under_way_;
    if (block == broken_) throw Error(ErrorKind::kStore, "the line broke");
    std::fill_n(buffer, size, static_cast<char>('a' + block));
  }
  std::string Name() const override { return "a line"; }

  void Hold() { open_ = false; }
  void LetThrough(size_t block) {
    const std::lock_guard lock(mutex_);
    let_through_.insert(block);
    changed_.notify_all();
  }
  void LetAllThrough() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Break(size_t block) { broken_ = block; }
  // Blocks in the order in which they were asked for, once there are so many.
  std::vector<size_t> AwaitAsked(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_.size() >= count; });
    return asked_;
  }
  size_t most() const {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  const size_t blocks_;
  size_t broken_ = SIZE_MAX;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable std::vector<size_t> asked_;  // guarded by mutex_, like all that follow
  mutable size_t under_way_ = 0;
  mutable size_t most_ = 0;
  std::set<size_t> let_through_;
  bool open_ = true;
};

class BlockAheadTest : public testing::Test {
 protected:
  BlockAheadTest() {
    manifest_.blocks.assign(kBlocks, BlockEntry{10, 100, ""});
    layout_ = std::make_unique<ArchiveLayout>(manifest_, 0);
  }
  ~BlockAheadTest() override { line_.LetAllThrough(); }

  static constexpr size_t kBlocks = 20;
  FakeLine line_{kBlocks};
  Manifest manifest_;
  std::unique_ptr<ArchiveLayout> layout_;
  std::stop_source stop_;
};

TEST_F(BlockAheadTest, AsksForWhatEachReaderNeedsNextBeforeWhatItNeedsThen) {
  const std::vector<std::vector<size_t>> works = {{0, 1, 2}, {3, 4}, {5}, {6}};
  BlockAhead ahead(line_, *layout_, works, 2, 5);
  ASSERT_EQ(ahead.NextWork(0), 0u);
  ASSERT_EQ(ahead.NextWork(1), 1u);
  line_.Hold();
  std::vector<std::jthread> fetchers;
  for (size_t i = 1; i <= 5; ++i) {
    fetchers.emplace_back([&] { ahead.Run(stop_.get_token()); });
    line_.AwaitAsked(i);
  }
  // Both in step: 0 and 3, 1 and 4, 2 and, since the second one has come to its end, 5.
  EXPECT_THAT(line_.AwaitAsked(5), ElementsAre(0, 3, 1, 4, 2));
  line_.LetThrough(0);
  EXPECT_EQ(ahead.Take(0, 0, stop_.get_token()), "aaaaaaaaaa");
  EXPECT_THAT(line_.AwaitAsked(6), ElementsAre(0, 3, 1, 4, 2, 5));
  stop_.request_stop();
  line_.LetAllThrough();
}

TEST_F(BlockAheadTest, AReaderFetchesWhatNobodyHasBegun) {
  const std::vector<std::vector<size_t>> works = {{0, 1}};
  BlockAhead ahead(line_, *layout_, works, 1, 0);
  ASSERT_EQ(ahead.NextWork(0), 0u);
  EXPECT_EQ(ahead.Take(0, 1, stop_.get_token()), "bbbbbbbbbb");
  EXPECT_FALSE(ahead.NextWork(0));
  EXPECT_THAT(line_.AwaitAsked(1), ElementsAre(1));
}

TEST_F(BlockAheadTest, NothingIsFetchedAheadBeforeEachReaderHasBegunOrHasNoWork) {
  const std::vector<std::vector<size_t>> works = {{0, 1}};
  BlockAhead ahead(line_, *layout_, works, 2, 1);
  line_.Hold();
  const std::jthread fetcher([&] {
    ahead.AwaitReaders(stop_.get_token());
    ahead.Run(stop_.get_token());
  });
  ASSERT_EQ(ahead.NextWork(0), 0u);
  const std::jthread reader([&] { ahead.Take(0, 0, stop_.get_token()); });
  EXPECT_THAT(line_.AwaitAsked(1), ElementsAre(0));
  EXPECT_FALSE(ahead.NextWork(1));
  EXPECT_THAT(line_.AwaitAsked(2), ElementsAre(0, 1));
  stop_.request_stop();
  line_.LetAllThrough();
}

TEST_F(BlockAheadTest, WhatBrokeIsToldToTheReaderThatNeedsIt) {
  const std::vector<std::vector<size_t>> works = {{0, 1}};
  line_.Break(1);
  BlockAhead ahead(line_, *layout_, works, 1, 3);
  ahead.Run(stop_.get_token());  // returns, since there is room and nothing left to fetch
  ASSERT_EQ(ahead.NextWork(0), 0u);
  EXPECT_EQ(ahead.Take(0, 0, stop_.get_token()), "aaaaaaaaaa");
  EXPECT_THROW(ahead.Take(0, 1, stop_.get_token()), Error);
}

TEST_F(BlockAheadTest, AReaderThatIsToStopDoesNotWaitForALineThatHangs) {
  const std::vector<std::vector<size_t>> works = {{0}};
  BlockAhead ahead(line_, *layout_, works, 1, 1);
  line_.Hold();
  const std::jthread fetcher([&] { ahead.Run(stop_.get_token()); });
  line_.AwaitAsked(1);
  ASSERT_EQ(ahead.NextWork(0), 0u);
  const std::jthread stopper([&] { stop_.request_stop(); });
  EXPECT_THROW(ahead.Take(0, 0, stop_.get_token()), Error);
  line_.LetAllThrough();
}

TEST_F(BlockAheadTest, EveryBlockIsFetchedOnceAndNeverMoreAreHeldThanAllowed) {
  constexpr size_t kReaders = 3;
  constexpr size_t kAhead = 4;
  const std::vector<std::vector<size_t>> works = {
      {0, 1, 2, 3, 4, 5, 6, 7}, {8}, {9}, {10, 11}, {12, 13, 14, 15}, {16}, {17, 18}, {19}};
  BlockAhead ahead(line_, *layout_, works, kReaders, kAhead);
  TaskGroup group(stop_.get_token());
  std::atomic<size_t> taken = 0;
  for (size_t reader = 0; reader < kReaders; ++reader) {
    group.Run([&, reader](const std::stop_token& stop) {
      while (const auto work = ahead.NextWork(reader)) {
        for (const size_t block : works[*work]) {
          EXPECT_EQ(ahead.Take(reader, block, stop),
                    std::string(10, static_cast<char>('a' + block)));
          ++taken;
        }
      }
    });
  }
  for (size_t i = 0; i < kAhead; ++i) {
    group.Run([&](const std::stop_token& stop) { ahead.Run(stop); });
  }
  group.Wait();
  EXPECT_EQ(taken, kBlocks);
  std::vector<size_t> asked = line_.AwaitAsked(kBlocks);
  std::ranges::sort(asked);
  EXPECT_EQ(std::ranges::unique(asked).size(), 0u);
  EXPECT_EQ(asked.size(), kBlocks);
  EXPECT_LE(line_.most(), kReaders + kAhead);
}

}  // namespace
}  // namespace oxbackup
