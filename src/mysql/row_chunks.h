// Cuts the rows of a table into archive members.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "archive/chunk_cutter.h"
#include "base/hash.h"
#include "mysql/catalog.h"
#include "mysql/row_format.h"

namespace oxbackup::mysql {

/// First line of every SQL member: with it one member alone can be fed to the stock client.
extern const std::string_view kPreamble;

/// One finished member of a table.
struct RowChunk {
  std::string name;  ///< the part of its path between table and ".sql"
  std::string content;
  uint64_t rows = 0;
};

/// Gets the chunks of a table.
class ChunkOutput {
 public:
  virtual ~ChunkOutput() = default;
  /// Called before a chunk is begun: reserves the memory that it may need.
  virtual void Begin() = 0;
  virtual void Add(RowChunk chunk) = 0;
};

/// What is known of one table's rows so far, from all ranges of it. Thread-safe.
class TableTotals {
 public:
  /// Returns `name`, or with "-2", "-3", … appended when it was returned before.
  std::string UniqueName(const std::string& name);
  void Add(const ContentDigest& digest, uint64_t raw_bytes, uint64_t longest_statement);

  ContentDigest digest() const;
  uint64_t raw_bytes() const;
  /// Bytes of the longest INSERT; 0 where no row is longer than what statements are filled up to.
  uint64_t longest_statement() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int> names_;  // guarded by mutex_
  ContentDigest digest_;              // guarded by mutex_
  uint64_t raw_bytes_ = 0;            // guarded by mutex_
  uint64_t longest_statement_ = 0;    // guarded by mutex_
};

/// Turns rows that come in key order into chunks of INSERT statements, one row a line. Where chunks
/// end and what they are called depends on the rows alone (docs/format.md). One thread at a time.
class RowChunks {
 public:
  /// All must outlive it.
  RowChunks(const Table& table, const RowFormatter& formatter, TableTotals& totals,
            ChunkOutput& output);

  /// `values` and `lengths`: a row of formatter.select_list().
  void Add(std::span<const char* const> values, std::span<const unsigned long> lengths);
  /// Ends the last chunk and adds to the totals. Called once, last.
  void Finish();

 private:
  void StartChunk();
  void EndChunk();
  std::string NameOf(std::string_view row, std::span<const char* const> values,
                     std::span<const unsigned long> lengths) const;
  std::string_view CutKey(std::string_view row, std::span<const char* const> values,
                          std::span<const unsigned long> lengths);

  const RowFormatter& formatter_;
  TableTotals& totals_;
  ChunkOutput& output_;
  std::vector<size_t>
      key_;  // places of the key's columns in a row; empty: the whole row is the key
  bool integer_key_;
  uint64_t expected_bytes_;  // of a chunk; saves growing it step by step

  ChunkCutter cutter_;
  ContentDigest digest_;
  uint64_t raw_bytes_ = 0;
  uint64_t longest_statement_ = 0;
  RowChunk chunk_;
  bool in_chunk_ = false;
  uint64_t statement_bytes_ = 0;  // of the statement that is open; 0 when none is
  std::string key_text_;
};

/// True when the table's key is one integer column: its chunks are named by it.
bool HasIntegerKey(const Table& table);
/// "00000000000000000042", "m00000000000000000042" for -42.
std::string IntegerChunkName(std::string_view number);

}  // namespace oxbackup::mysql
