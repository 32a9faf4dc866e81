#include "mysql/row_chunks.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

namespace oxbackup::mysql {
namespace {

const ServerInfo kServer{false, "8.4.0", 80400};

class KeptChunks final : public ChunkOutput {
 public:
  void Begin() override { ++begun; }
  void Add(RowChunk chunk) override { chunks.push_back(std::move(chunk)); }
  int begun = 0;
  std::vector<RowChunk> chunks;
};

Table MakeTable(bool with_key, const std::string& key_type = "int") {
  Table table;
  table.name = "t";
  table.columns.resize(2);
  table.columns[0].name = "id";
  table.columns[0].data_type = key_type;
  table.columns[1].name = "v";
  table.columns[1].data_type = "text";
  table.columns[1].charset = "utf8mb4";
  if (with_key) table.key = {0};
  return table;
}

struct TestRow {
  std::string id;
  std::string text;
};

struct Result {
  std::vector<RowChunk> chunks;
  ContentDigest digest;
  uint64_t raw_bytes = 0;
};

Result Cut(const Table& table, const std::vector<TestRow>& rows) {
  const RowFormatter formatter(table, kServer);
  TableTotals totals;
  KeptChunks output;
  RowChunks chunks(table, formatter, totals, output);
  for (const TestRow& row : rows) {
    const char* values[] = {row.id.data(), row.text.data()};
    const unsigned long lengths[] = {row.id.size(), row.text.size()};
    chunks.Add(values, lengths);
  }
  chunks.Finish();
  EXPECT_EQ(output.begun, static_cast<int>(output.chunks.size()));
  return {std::move(output.chunks), totals.digest(), totals.raw_bytes()};
}

std::vector<TestRow> ManyRows(int count, size_t bytes) {
  std::mt19937 random(7);
  std::vector<TestRow> rows;
  for (int i = 0; i < count; ++i) {
    rows.push_back({std::to_string(i), std::string(bytes, static_cast<char>('a' + random() % 26))});
  }
  return rows;
}

// The rows of a chunk by the rule that readers use: a line that begins with '('.
std::vector<std::string> RowLines(const std::string& content) {
  std::vector<std::string> rows;
  size_t at = 0;
  while (at < content.size()) {
    const size_t end = content.find('\n', at);
    if (content[at] == '(') rows.push_back(content.substr(at, end - at - 1));
    at = end + 1;
  }
  return rows;
}

TEST(RowChunksTest, NoRowsMakeNoChunk) {
  const Result result = Cut(MakeTable(true), {});
  EXPECT_TRUE(result.chunks.empty());
  EXPECT_EQ(result.digest, ContentDigest());
}

TEST(RowChunksTest, AMemberIsAPreambleAndInsertsWithARowALine) {
  const Result result = Cut(MakeTable(true), {{"1", "a\nb"}, {"2", "c"}});
  ASSERT_EQ(result.chunks.size(), 1U);
  EXPECT_EQ(result.chunks[0].name, "00000000000000000001");
  EXPECT_EQ(result.chunks[0].rows, 2U);
  EXPECT_EQ(result.chunks[0].content, std::string(kPreamble) +
                                          "INSERT INTO `t` (`id`,`v`) VALUES\n"
                                          "(1,'a\\nb'),\n(2,'c');\n");
  EXPECT_EQ(result.raw_bytes, result.chunks[0].content.size());
}

TEST(RowChunksTest, TheDigestIsThatOfTheRowLines) {
  const Result result = Cut(MakeTable(true), ManyRows(30000, 300));
  ASSERT_GT(result.chunks.size(), 1U);
  ContentDigest digest;
  for (const RowChunk& chunk : result.chunks) {
    const std::vector<std::string> rows = RowLines(chunk.content);
    EXPECT_EQ(rows.size(), chunk.rows);
    for (const std::string& row : rows) digest.Add(row);
  }
  EXPECT_EQ(digest, result.digest);
}

TEST(RowChunksTest, StatementsStayNearAMegabyteAndOneLargerRowStandsAlone) {
  std::vector<TestRow> rows = ManyRows(5000, 1000);
  rows.insert(rows.begin() + 2500, {"250000", std::string(3 << 20, 'x')});
  for (const RowChunk& chunk : Cut(MakeTable(true), rows).chunks) {
    size_t at = chunk.content.find("INSERT");
    while (at != std::string::npos) {
      const size_t next = chunk.content.find(";\nINSERT", at);
      const size_t end = next == std::string::npos ? chunk.content.size() : next + 2;
      const std::string statement = chunk.content.substr(at, end - at);
      EXPECT_TRUE(statement.size() < (1 << 20) + 100 || RowLines(statement).size() == 1)
          << statement.size();
      at = next == std::string::npos ? next : next + 2;
    }
  }
}

TEST(RowChunksTest, ARowThatDoesNotFitBeginsAChunk) {
  std::vector<TestRow> rows = {{"1", std::string(9 << 20, 'x')}, {"2", std::string(9 << 20, 'y')}};
  const Result result = Cut(MakeTable(true), rows);
  ASSERT_EQ(result.chunks.size(), 2U);
  EXPECT_EQ(result.chunks[1].name, "00000000000000000002");
  EXPECT_EQ(RowLines(result.chunks[1].content).size(), 1U);
}

TEST(RowChunksTest, AChangedRowChangesItsOwnChunkOnly) {
  std::vector<TestRow> rows = ManyRows(60000, 500);
  const Result before = Cut(MakeTable(true), rows);
  rows[30000].text += "changed, and longer";
  const Result after = Cut(MakeTable(true), rows);
  std::set<std::string> known;
  for (const RowChunk& chunk : before.chunks) known.insert(chunk.name + chunk.content);
  size_t changed = 0;
  for (const RowChunk& chunk : after.chunks) changed += !known.contains(chunk.name + chunk.content);
  EXPECT_GT(after.chunks.size(), 3U);
  EXPECT_EQ(changed, 1U);
}

TEST(RowChunksTest, WithoutAnIntegerKeyTheFirstRowsHashIsTheName) {
  const Result result = Cut(MakeTable(true, "varchar"), {{"x", "y"}});
  ASSERT_EQ(result.chunks.size(), 1U);
  EXPECT_EQ(
      result.chunks[0].name, "h" + [] {
        char hex[17];
        std::snprintf(hex, sizeof hex, "%016lx", Xxh3_64("('x','y')"));
        return std::string(hex);
      }());
}

TEST(RowChunksTest, EqualFirstRowsOfATableWithoutAKeyGetNamesOfTheirOwn) {
  std::vector<TestRow> rows(9, TestRow{"1", std::string(9 << 20, 'x')});
  std::set<std::string> names;
  const Result result = Cut(MakeTable(false), rows);
  for (const RowChunk& chunk : result.chunks) names.insert(chunk.name);
  EXPECT_EQ(result.chunks.size(), 9U);
  EXPECT_EQ(names.size(), 9U);
  EXPECT_TRUE(names.contains(result.chunks[0].name + "-9"));
}

TEST(RowChunksTest, IntegerNamesSortAndHoldEveryKey) {
  EXPECT_EQ(IntegerChunkName("0"), "00000000000000000000");
  EXPECT_EQ(IntegerChunkName("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(IntegerChunkName("-9223372036854775808"), "m09223372036854775808");
  EXPECT_EQ(IntegerChunkName("00042"), "00000000000000000042");
}

}  // namespace
}  // namespace oxbackup::mysql
