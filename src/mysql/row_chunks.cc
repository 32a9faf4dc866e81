#include "mysql/row_chunks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace oxbackup::mysql {
namespace {

// Large statements load fast; far below every server's default max_allowed_packet.
constexpr uint64_t kMaxStatementBytes = uint64_t{1} << 20;
constexpr uint64_t kSeparatorBytes = 2;

}  // namespace

const std::string_view kPreamble =
    "SET NAMES utf8mb4, time_zone='+00:00', sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES',"
    " foreign_key_checks=0, unique_checks=0;\n";

std::string TableTotals::UniqueName(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const int count = ++names_[name];
  return count == 1 ? name : fmt::format("{}-{}", name, count);
}

void TableTotals::Add(const ContentDigest& digest, uint64_t raw_bytes, uint64_t longest_statement) {
  const std::lock_guard lock(mutex_);
  digest_.Merge(digest);
  raw_bytes_ += raw_bytes;
  longest_statement_ = std::max(longest_statement_, longest_statement);
}

ContentDigest TableTotals::digest() const {
  const std::lock_guard lock(mutex_);
  return digest_;
}

uint64_t TableTotals::raw_bytes() const {
  const std::lock_guard lock(mutex_);
  return raw_bytes_;
}

uint64_t TableTotals::longest_statement() const {
  const std::lock_guard lock(mutex_);
  return longest_statement_;
}

bool HasIntegerKey(const Table& table) {
  return table.key.size() == 1 && IsInteger(table.columns[table.key[0]]) &&
         !table.columns[table.key[0]].generated;
}

std::string IntegerChunkName(std::string_view number) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  return fmt::format("{}{:0>20}", negative ? "m" : "", number);
}

RowChunks::RowChunks(const Table& table, const RowFormatter& formatter, TableTotals& totals,
                     ChunkOutput& output)
    : formatter_(formatter),
      totals_(totals),
      output_(output),
      integer_key_(HasIntegerKey(table)),
      expected_bytes_(std::min(table.data_bytes, kMaxChunkBytes / 2)) {
  for (const size_t column : table.key) key_.push_back(formatter.Position(column));
  for (const size_t place : key_) {
    if (place == formatter.column_count()) {
      key_.clear();  // a generated column: not among the selected ones
      break;
    }
  }
}

void RowChunks::Add(std::span<const char* const> values, std::span<const unsigned long> lengths) {
  if (!in_chunk_) StartChunk();
  std::string& content = chunk_.content;
  const size_t before = content.size();
  const bool first_of_statement = statement_bytes_ == 0;
  content += first_of_statement ? std::string_view(formatter_.insert_head()) : ",\n";
  size_t row_at = content.size();
  formatter_.AppendRow(values, lengths, content);
  const uint64_t row_bytes = content.size() - row_at + kSeparatorBytes;

  if (cutter_.CutBefore(row_bytes)) {
    const std::string row = content.substr(row_at);
    content.resize(before);
    EndChunk();
    StartChunk();
    content += formatter_.insert_head();
    row_at = content.size();
    content += row;
  } else if (!first_of_statement && statement_bytes_ + row_bytes > kMaxStatementBytes) {
    const std::string between = ";\n" + formatter_.insert_head();
    content.replace(before, row_at - before, between);
    row_at = before + between.size();
    statement_bytes_ = 0;
  }
  // Such a row is in a statement of its own.
  if (row_bytes > kMaxStatementBytes) {
    longest_statement_ =
        std::max<uint64_t>(longest_statement_, formatter_.insert_head().size() + row_bytes);
  }
  const std::string_view row = std::string_view(content).substr(row_at);
  if (chunk_.rows == 0) chunk_.name = totals_.UniqueName(NameOf(row, values, lengths));
  digest_.Add(row);
  statement_bytes_ += row_bytes;
  ++chunk_.rows;
  if (cutter_.CutAfter(CutKey(row, values, lengths), row_bytes)) EndChunk();
}

void RowChunks::Finish() {
  if (in_chunk_) EndChunk();
  totals_.Add(digest_, raw_bytes_, longest_statement_);
}

void RowChunks::StartChunk() {
  output_.Begin();
  chunk_ = RowChunk();
  chunk_.content.reserve(expected_bytes_);
  chunk_.content = kPreamble;
  statement_bytes_ = 0;
  cutter_.Reset();
  in_chunk_ = true;
}

void RowChunks::EndChunk() {
  if (statement_bytes_ > 0) chunk_.content += ";\n";
  raw_bytes_ += chunk_.content.size();
  in_chunk_ = false;
  statement_bytes_ = 0;
  output_.Add(std::move(chunk_));
}

std::string RowChunks::NameOf(std::string_view row, std::span<const char* const> values,
                              std::span<const unsigned long> lengths) const {
  if (!integer_key_) return fmt::format("h{:016x}", Xxh3_64(row));
  return IntegerChunkName({values[key_[0]], lengths[key_[0]]});
}

std::string_view RowChunks::CutKey(std::string_view row, std::span<const char* const> values,
                                   std::span<const unsigned long> lengths) {
  if (key_.empty()) return row;
  if (key_.size() == 1) return {values[key_[0]], lengths[key_[0]]};
  key_text_.clear();
  for (const size_t place : key_) {
    key_text_.append(values[place], lengths[place]);
    key_text_ += '\0';
  }
  return key_text_;
}

}  // namespace oxbackup::mysql
