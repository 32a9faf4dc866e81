// Loading from an archive that gives its members once, in order: ours from a pipe, or a foreign one
// with mysqldump's script.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "archive/archive_reader.h"
#include "base/bounded_queue.h"
#include "base/run_context.h"
#include "base/task_group.h"
#include "mysql/load_crew.h"
#include "mysql/shadow_site.h"
#include "mysql/statement.h"
#include "mysql/swap_record.h"

namespace oxbackup::mysql {

/// One thread reads and creates tables; the crew's sessions run the INSERTs. A table is created
/// when its first rows come, whose size tells whether its indexes can wait.
class StreamLoad {
 public:
  StreamLoad(ArchiveReader& reader, ShadowSite& site, LoadCrew& crew, RecordBook& book,
             const RunContext& run);

  /// Loads all rows and builds all indexes, not the foreign keys. Called once.
  void Run();

 private:
  struct Job {
    ShadowTable* table;
    // Looked up by the reading thread, which adds databases while others run.
    std::string shadow;
    LoadSettings settings;
    std::string sql;
  };

  void NoteWarnings(Session& session, const ShadowTable& table);
  void WarnOfChangedValues();
  void RunInserts(const std::stop_token& stop);
  void TakeMember(const MemberInfo& info, ByteSource& content);
  void TakeRows(const MemberPath& path, uint64_t size, ByteSource& content);
  void TakeScript(ByteSource& content);
  void TakeStatement(std::string_view text);
  void TakeSet(std::string_view text);
  void TakeInsert(const Statement& statement, std::string_view text);
  void TakeObject(ObjectScript::Kind kind, const Statement& statement, std::string_view text);
  void Push(ShadowTable& table, std::string sql);
  void CreateDatabase(const std::string& name);
  void CreateTable(ShadowTable& table, uint64_t first_bytes);
  void Finish();

  ArchiveReader& reader_;
  ShadowSite& site_;
  LoadCrew& crew_;
  RecordBook& book_;
  RunContext run_;
  BoundedQueue<Job> queue_;

  std::mutex mutex_;
  // Guarded by mutex_: how many warnings a table's INSERTs left, and the first.
  std::map<std::string, std::pair<uint64_t, std::string>> changed_;

  // The script's state.
  bool own_layout_ = false;  // members of ours came, so the script only names them
  std::string database_;     // that USE chose
  LoadSettings settings_;
  std::string saved_time_zone_;
  std::vector<std::string> pending_settings_;  // SETs that the next object needs
  bool skipped_system_tables_ = false;

  // Last member: joined before what the tasks use goes away.
  TaskGroup inserters_;
};

}  // namespace oxbackup::mysql
