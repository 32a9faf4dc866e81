#include "mysql/table_digest.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/error.h"
#include "base/task_group.h"
#include "mysql/key_ranges.h"
#include "mysql/quote.h"
#include "mysql/row_format.h"

namespace oxbackup::mysql {
namespace {

constexpr uint64_t kRowsPerReport = 20'000;

struct Piece {
  size_t table;
  std::string where;  // SQL; empty: all rows
  uint64_t bytes;     // a guess, for the order
};

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
    std::vector<std::string> ranges =
        RangeConditions(tables[i], FindBorders(*sessions[0], tables[i]));
    const uint64_t bytes = tables[i].data_bytes / ranges.size();
    for (std::string& where : ranges) pieces.push_back({i, std::move(where), bytes});
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
