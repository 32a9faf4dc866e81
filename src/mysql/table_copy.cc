#include "mysql/table_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <optional>
#include <utility>

#include "archive/group_builder.h"
#include "base/hash.h"
#include "base/task_group.h"
#include "base/text.h"
#include "mysql/json_text.h"
#include "mysql/key_ranges.h"
#include "mysql/member_path.h"
#include "mysql/quote.h"

namespace oxbackup::mysql {
namespace {

// Tables below share jobs and groups of members.
constexpr uint64_t kSmallTableBytes = uint64_t{1} << 20;
// One table in so many ends a batch of small tables.
constexpr uint64_t kTablesPerBatch = 16;

std::string FullName(const Table& table) { return table.database + "." + table.name; }

/// What both kinds of output share.
class MemberOutput : public ChunkOutput {
 public:
  MemberOutput(TableCopy& copy, const RunContext& run) : copy_(copy), run_(run) {}

 protected:
  Member MakeMember(RowChunk& chunk) {
    Member member;
    member.info.path =
        FormatMemberPath({MemberKind::kRows, copy_.table.database, copy_.table.name}, chunk.name);
    member.content = std::move(chunk.content);
    copy_.AddMember(member.info.path);
    run_.progress.Add("mysql", member.content.size(), chunk.rows, FullName(copy_.table));
    return member;
  }

  TableCopy& copy_;
  const RunContext& run_;
};

/// Each chunk is a group of its own.
class SingleOutput final : public MemberOutput {
 public:
  SingleOutput(TableCopy& copy, ArchiveWriter& writer, const RunContext& run)
      : MemberOutput(copy, run), writer_(writer) {}

  void Begin() override { reservation_ = run_.budget.Take(kMaxChunkBytes, run_.stop); }
  void Add(RowChunk chunk) override {
    MemberGroup group;
    group.members.push_back(MakeMember(chunk));
    reservation_.Resize(group.members[0].content.size());
    group.reservation = std::move(reservation_);
    writer_.Add(std::move(group));
  }

 private:
  ArchiveWriter& writer_;
  Reservation reservation_;
};

/// Chunks of small tables, which share groups.
class GroupedOutput final : public MemberOutput {
 public:
  GroupedOutput(TableCopy& copy, GroupBuilder& builder, const RunContext& run)
      : MemberOutput(copy, run), builder_(builder) {}

  void Begin() override { builder_.Reserve(); }
  void Add(RowChunk chunk) override { builder_.Add(MakeMember(chunk)); }

 private:
  GroupBuilder& builder_;
};

// A row's JSON documents, each with what the server says of it.
void CountLostTypes(TableCopy& copy, const RowStream& row) {
  const RowFormatter& formatter = copy.formatter;
  for (size_t i = 0; i < copy.lost_types.size(); ++i) {
    const size_t check = formatter.column_count() + i;
    const size_t column = formatter.json_columns()[i];
    if (row.values()[check] == nullptr || row.values()[column] == nullptr) continue;
    const std::string_view number = row.Value(check);
    uint64_t true_strings = 0;
    std::from_chars(number.data(), number.data() + number.size(), true_strings);
    if (ReadJsonText(row.Value(column)).strings > true_strings) ++copy.lost_types[i];
  }
}

void CopyPart(Session& session, const CopyJob::Part& part, ChunkOutput& output) {
  TableCopy& copy = *part.copy;
  ServerError refused;
  std::optional<RowStream> rows = session.TryStream(SelectStatement(part), refused);
  if (!rows) throw ToTableError(FullName(copy.table), refused);
  RowChunks chunks(copy.table, copy.formatter, copy.totals, output);
  // That a table was altered after the snapshot is told when the first row is asked for.
  while (rows->TryNext(refused)) {
    CountLostTypes(copy, *rows);
    chunks.Add(rows->values(), rows->lengths());
  }
  if (refused.number != 0) throw ToTableError(FullName(copy.table), refused);
  chunks.Finish();
}

void RunJob(Session& session, bool transaction, const CopyJob& job, ArchiveWriter& writer,
            const RunContext& run) {
  // Going back to a savepoint lets go of the tables' metadata locks, which otherwise hold every
  // ALTER, and whoever waits behind it, until the last table is copied. The view stays the same.
  if (transaction) session.Execute("SAVEPOINT openedx_backup");
  std::optional<GroupBuilder> builder;
  if (job.grouped) builder.emplace(writer, run, kMaxChunkBytes);
  for (const CopyJob::Part& part : job.parts) {
    WithContext([&] { return "copying the table " + FullName(part.copy->table); },
                [&] {
                  if (builder) {
                    GroupedOutput output(*part.copy, *builder, run);
                    CopyPart(session, part, output);
                  } else {
                    SingleOutput output(*part.copy, writer, run);
                    CopyPart(session, part, output);
                  }
                });
  }
  if (builder) builder->Flush();
  if (transaction) session.Execute("ROLLBACK TO SAVEPOINT openedx_backup");
}

}  // namespace

void TableCopy::AddMember(std::string path) {
  const std::lock_guard lock(mutex_);
  members_.push_back(std::move(path));
}

std::vector<std::string> TableCopy::Members() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> members = members_;
  std::sort(members.begin(), members.end());
  return members;
}

void TableCopy::WarnOfLostTypes(Warnings& warnings) const {
  for (size_t i = 0; i < lost_types.size(); ++i) {
    if (lost_types[i] == 0) continue;
    size_t column = 0;
    while (formatter.Position(column) != formatter.json_columns()[i]) ++column;
    warnings.Add(fmt::format(
        "{}: the JSON column {} has {} with a date, a time or binary data, which JSON text does "
        "not have: they will be strings after a restore, and the comparison of contents takes "
        "them for such",
        FullName(table), table.columns[column].name, FormatCounted(lost_types[i], "row", "rows")));
  }
}

std::string SelectStatement(const CopyJob::Part& part) {
  const Table& table = part.copy->table;
  std::string sql = fmt::format(
      "SELECT /*!40001 SQL_NO_CACHE */ {}{} FROM {}", part.copy->formatter.select_list(),
      part.copy->formatter.json_check_list(), QuoteName(table.database, table.name));
  if (!table.key.empty()) sql += fmt::format(" FORCE INDEX ({})", QuoteName(table.key_name));
  if (!part.condition.empty()) sql += " WHERE " + part.condition;
  for (size_t i = 0; i < table.key.size(); ++i) {
    sql += (i == 0 ? " ORDER BY " : ", ") + QuoteName(table.columns[table.key[i]].name);
  }
  return sql;
}

std::vector<CopyJob> PlanJobs(Session& session,
                              const std::vector<std::unique_ptr<TableCopy>>& copies) {
  std::vector<CopyJob> jobs;
  CopyJob batch;
  batch.grouped = true;
  for (const std::unique_ptr<TableCopy>& copy : copies) {
    const Table& table = copy->table;
    if (!HasOwnRows(table)) continue;
    if (table.data_bytes < kSmallTableBytes) {
      batch.parts.push_back({copy.get(), ""});
      batch.bytes += table.data_bytes;
      if (Xxh3_64(FullName(table)) % kTablesPerBatch == 0) {
        jobs.push_back(std::exchange(batch, CopyJob{{}, 0, true}));
      }
      continue;
    }
    const std::vector<std::string> borders = FindBorders(session, table);
    for (std::string& condition : RangeConditions(table, borders)) {
      CopyJob job;
      job.parts.push_back({copy.get(), std::move(condition)});
      job.bytes = table.data_bytes / (borders.size() + 1);
      jobs.push_back(std::move(job));
    }
  }
  if (!batch.parts.empty()) jobs.push_back(std::move(batch));
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const CopyJob& a, const CopyJob& b) { return a.bytes > b.bytes; });
  return jobs;
}

void RunJobs(Snapshot& snapshot, const std::vector<CopyJob>& jobs, ArchiveWriter& writer,
             const RunContext& run) {
  std::atomic<size_t> next = 0;
  const bool transaction = snapshot.method != SnapshotMethod::kNone;
  TaskGroup group(run.stop);
  for (const std::unique_ptr<Session>& reader : snapshot.readers) {
    group.Run([&, session = reader.get()](const std::stop_token& stop) {
      const RunContext task = run.WithStop(stop);
      // The session itself knows the run's token alone; the group also stops when a reader fails.
      const std::stop_callback interrupt(stop, [session] { session->Interrupt(); });
      for (size_t job = next++; job < jobs.size(); job = next++) {
        task.ThrowIfStopped();
        RunJob(*session, transaction, jobs[job], writer, task);
      }
    });
  }
  group.Wait();
}

}  // namespace oxbackup::mysql
