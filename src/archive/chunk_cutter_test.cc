#include "archive/chunk_cutter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace oxbackup {
namespace {

struct Row {
  uint64_t key = 0;
  uint64_t size = 0;
};

std::vector<Row> Rows(uint64_t count) {
  std::vector<Row> rows;
  for (uint64_t key = 0; key < count; ++key) rows.push_back({key, 400 + key * 37 % 900});
  return rows;
}

struct Chunk {
  uint64_t first_key = 0;
  uint64_t last_key = 0;
  uint64_t bytes = 0;

  auto operator<=>(const Chunk&) const = default;
};

std::vector<Chunk> Cut(const std::vector<Row>& rows) {
  ChunkCutter cutter;
  std::vector<Chunk> chunks;
  bool fresh = true;
  for (const Row& row : rows) {
    if (!fresh && cutter.CutBefore(row.size)) {
      cutter.Reset();
      fresh = true;
    }
    if (fresh) chunks.push_back({row.key, row.key, 0});
    chunks.back().last_key = row.key;
    chunks.back().bytes += row.size;
    fresh = cutter.CutAfter(std::to_string(row.key), row.size);
    if (fresh) cutter.Reset();
  }
  return chunks;
}

TEST(ChunkCutter, ChunksLieBetweenTheLeastAndTheGreatestSize) {
  const std::vector<Chunk> chunks = Cut(Rows(300'000));
  ASSERT_GT(chunks.size(), 20);
  uint64_t bytes = 0;
  for (size_t i = 0; i + 1 < chunks.size(); ++i) {
    EXPECT_GE(chunks[i].bytes, kMinChunkBytes);
    EXPECT_LE(chunks[i].bytes, kMaxChunkBytes);
    bytes += chunks[i].bytes;
  }
  const uint64_t average = bytes / (chunks.size() - 1);
  EXPECT_GT(average, kTargetChunkBytes / 2);
  EXPECT_LT(average, kTargetChunkBytes * 2);
}

TEST(ChunkCutter, TheSameRowsAreCutAlike) { EXPECT_EQ(Cut(Rows(50'000)), Cut(Rows(50'000))); }

TEST(ChunkCutter, RowsThatGrowOrGoMoveTheCutsAroundThemOnly) {
  std::vector<Row> rows = Rows(300'000);
  const std::vector<Chunk> before = Cut(rows);
  for (size_t i = 100'000; i < 100'300; ++i) rows[i].size += 50;
  rows.erase(rows.begin() + 100'100, rows.begin() + 100'200);
  const std::vector<Chunk> after = Cut(rows);
  const std::set<Chunk> known(before.begin(), before.end());
  const auto changed = std::count_if(after.begin(), after.end(),
                                     [&](const Chunk& chunk) { return !known.contains(chunk); });
  EXPECT_GE(changed, 1);
  EXPECT_LE(changed, 4) << "of " << after.size();
}

TEST(ChunkCutter, ARowLargerThanAChunkStandsAlone) {
  ChunkCutter cutter;
  EXPECT_FALSE(cutter.CutBefore(kMaxChunkBytes * 2));
  EXPECT_FALSE(cutter.CutAfter("small", 10));
  EXPECT_TRUE(cutter.CutBefore(kMaxChunkBytes * 2));
  cutter.Reset();
  EXPECT_TRUE(cutter.CutAfter("large", kMaxChunkBytes * 2));
}

}  // namespace
}  // namespace oxbackup
