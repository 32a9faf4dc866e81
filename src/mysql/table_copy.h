// Plans and runs the reading of all tables' rows.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "archive/archive_writer.h"
#include "base/run_context.h"
#include "mysql/row_chunks.h"
#include "mysql/snapshot.h"

namespace oxbackup::mysql {

/// One table's copy: what it is and what came of it.
struct TableCopy {
  TableCopy(const Table& which, const ServerInfo& server)
      : table(which), formatter(which, server), lost_types(formatter.json_columns().size()) {}

  void AddMember(std::string path);
  /// Paths of its data members, sorted.
  std::vector<std::string> Members() const;
  /// Adds a warning for each column that has rows in `lost_types`.
  void WarnOfLostTypes(Warnings& warnings) const;

  const Table& table;
  const RowFormatter formatter;
  TableTotals totals;
  /// For each of formatter.json_columns(): rows whose JSON holds a value of a type that JSON text
  /// does not have, so that it comes back as a string.
  std::vector<std::atomic<uint64_t>> lost_types;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> members_;  // guarded by mutex_
};

/// A piece of work for one reader: a range of one big table, or several small tables.
struct CopyJob {
  struct Part {
    TableCopy* copy;
    std::string condition;  ///< of WHERE; empty: all rows
  };
  std::vector<Part> parts;
  uint64_t bytes = 0;    ///< an estimate
  bool grouped = false;  ///< small tables: their members share groups
};

/// Cuts the tables (in the order of database and name) into jobs, biggest first.
std::vector<CopyJob> PlanJobs(Session& session,
                              const std::vector<std::unique_ptr<TableCopy>>& copies);

/// Reads all jobs with all of the snapshot's readers and hands the members to `writer`. Returns
/// when all is handed over; the first error of any reader ends the others and is thrown.
void RunJobs(Snapshot& snapshot, const std::vector<CopyJob>& jobs, ArchiveWriter& writer,
             const RunContext& run);

/// The statement that reads a part: rows in key order, of the formatter's select_list() and
/// json_check_list().
std::string SelectStatement(const CopyJob::Part& part);

}  // namespace oxbackup::mysql
