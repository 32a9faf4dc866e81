#include "mysql/table_digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "base/task_group.h"
#include "mysql/quote.h"
#include "mysql/row_format.h"

namespace oxbackup::mysql {
namespace {

constexpr uint64_t kSplitFromBytes = uint64_t{64} << 20;
constexpr uint64_t kRowsPerReport = 20'000;

struct Piece {
  size_t table;
  std::string where;  // SQL; empty: all rows
  uint64_t bytes;     // a guess, for the order
};

bool IsInteger(const Column& column) {
  return column.data_type.ends_with("int") || column.data_type == "integer";
}

std::optional<int64_t> ToInteger(const std::optional<std::string>& text) {
  int64_t number = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

// Cuts a large table into ranges of equal width of its key; others stay whole.
std::vector<Piece> Cut(Session& session, const Table& table, size_t index, size_t parts) {
  std::vector<Piece> pieces = {{index, "", table.data_bytes}};
  if (parts < 2 || table.data_bytes < kSplitFromBytes || table.key.size() != 1 ||
      !IsInteger(table.columns[table.key[0]])) {
    return pieces;
  }
  const std::string key = QuoteName(table.columns[table.key[0]].name);
  const Rows ends = session.Query(fmt::format("SELECT MIN({0}), MAX({0}) FROM {1}", key,
                                              QuoteName(table.database, table.name)));
  const std::optional<int64_t> least = ToInteger(ends.at(0).at(0));
  const std::optional<int64_t> most = ToInteger(ends.at(0).at(1));
  if (!least || !most) return pieces;
  const uint64_t width = (static_cast<uint64_t>(*most) - static_cast<uint64_t>(*least)) / parts + 1;
  pieces.clear();
  // The outer ranges are open, so that every row falls into one.
  for (size_t i = 0; i < parts; ++i) {
    const auto from = static_cast<int64_t>(static_cast<uint64_t>(*least) + width * i);
    const auto to = static_cast<int64_t>(static_cast<uint64_t>(*least) + width * (i + 1));
    std::string where;
    if (i > 0) where = fmt::format("{} >= {}", key, from);
    if (i + 1 < parts) where += fmt::format("{}{} < {}", i > 0 ? " AND " : "", key, to);
    pieces.push_back({index, where, table.data_bytes / parts});
    if (i + 1 < parts && to > *most) {
      pieces.back().where = fmt::format("{} >= {}", key, from);
      if (i == 0) pieces.back().where.clear();
      break;
    }
  }
  return pieces;
}

ContentDigest DigestPiece(Session& session, const Table& table, const std::string& where,
                          const RunContext& run) {
  const RowFormatter formatter(table, session.server());
  std::string sql =
      "SELECT " + formatter.select_list() + " FROM " + QuoteName(table.database, table.name);
  if (!where.empty()) sql += " WHERE " + where;
  ContentDigest digest;
  RowStream rows = session.Stream(sql);
  std::string text;
  uint64_t bytes = 0;
  uint64_t unreported = 0;
  const auto report = [&] {
    run.progress.Add("mysql", bytes, unreported, table.database + "." + table.name);
    bytes = unreported = 0;
  };
  while (rows.Next()) {
    text.clear();
    formatter.AppendRow(rows.values(), rows.lengths(), text);
    digest.Add(text);
    bytes += text.size();
    if (++unreported == kRowsPerReport) report();
  }
  report();
  return digest;
}

}  // namespace

std::vector<ContentDigest> DigestTables(const std::vector<std::unique_ptr<Session>>& sessions,
                                        const std::vector<Table>& tables, const RunContext& run) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < tables.size(); ++i) {
    for (Piece& piece : Cut(*sessions[0], tables[i], i, sessions.size())) {
      pieces.push_back(std::move(piece));
    }
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.bytes > b.bytes; });
  std::vector<ContentDigest> digests(tables.size());
  std::mutex mutex;  // guards digests
  std::atomic<size_t> next{0};
  TaskGroup group(run.stop);
  for (const std::unique_ptr<Session>& session : sessions) {
    group.Run([&](const std::stop_token& stop) {
      for (size_t at = next++; at < pieces.size() && !stop.stop_requested(); at = next++) {
        const Table& table = tables[pieces[at].table];
        const ContentDigest digest =
            WithContext([&] { return "reading " + table.database + "." + table.name; },
                        [&] { return DigestPiece(*session, table, pieces[at].where, run); });
        const std::lock_guard lock(mutex);
        digests[pieces[at].table].Merge(digest);
      }
    });
  }
  group.Wait();
  return digests;
}

}  // namespace oxbackup::mysql
