#include "mysql/dump.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "archive/group_builder.h"
#include "base/text.h"
#include "mysql/accounts_dump.h"
#include "mysql/archive_fit.h"
#include "mysql/create_table.h"
#include "mysql/hand_script.h"
#include "mysql/member_path.h"
#include "mysql/named_objects.h"
#include "mysql/packet_size.h"
#include "mysql/schema_dump.h"
#include "mysql/swap_record.h"
#include "mysql/table_copy.h"
#include "mysql/visibility.h"

namespace oxbackup::mysql {
namespace {

constexpr char kComponent[] = "mysql";

class MySqlSource final : public BackupSource {
 public:
  MySqlSource(ConnectOptions connect, DumpOptions options, const RunContext& run)
      : connect_(std::move(connect)), options_(std::move(options)), run_(run) {}

  std::string_view name() const override { return kComponent; }
  void Prepare() override;
  void TakeSnapshot() override;
  bool moment_is_end_of_copy() const override { return !options_.snapshot.single_transaction; }
  void Copy(ArchiveWriter& writer) override;
  ComponentManifest Finish() override;

 private:
  void FlushLogs();
  void WarnOfUnsafeTables();
  void WarnOfLongStatements();
  void CopySchema(ArchiveWriter& writer, SchemaDump& schema);
  void CopyPrograms(GroupBuilder& members, SchemaDump& schema);
  void CopyViews(GroupBuilder& members, SchemaDump& schema);
  std::string CopyAccounts(GroupBuilder& members);
  std::string AddMember(GroupBuilder& members, const MemberPath& path, std::string content);
  void AddObject(const NamedObject& object, uint64_t bytes, bool restorable = true);

  const ConnectOptions connect_;
  const DumpOptions options_;
  const RunContext run_;
  std::vector<std::string> databases_;
  std::unique_ptr<Session> control_;  // until the snapshot takes it over
  ServerInfo server_;
  Snapshot snapshot_;
  std::vector<std::unique_ptr<TableCopy>> copies_;
  std::vector<ScriptDatabase> script_;  // one for each database, in their order
  std::vector<ScriptView> script_views_;
  std::vector<ObjectEntry> objects_;
  std::map<std::string, std::string> unseen_;  // as in ComponentManifest
  std::map<std::pair<std::string, std::string>, std::string> tablespaces_;  // by table
};

void MySqlSource::Prepare() {
  control_ = std::make_unique<Session>(connect_, run_.stop);
  server_ = control_->server();
  for (const std::string& name : options_.databases) {
    if (name == "mysql") {
      run_.log.Info("mysql: of the system database 'mysql' the accounts and rights are copied");
      continue;
    }
    if (IsOwnOrSystemDatabase(name)) {
      run_.warnings.Add(
          fmt::format("the database '{}' belongs to the server or to a restore: it is "
                      "not copied",
                      name));
      continue;
    }
    databases_.push_back(name);
  }
  if (databases_.empty() && !options_.databases.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("the list of MySQL databases has none that can be "
                                               "backed up: {}",
                                               fmt::join(options_.databases, ", ")))
        .Hint(
            "list the site's databases (MYSQL_DATABASES), or none for all of them; accounts and "
            "rights come along by themselves");
  }
  if (options_.databases.empty()) {
    databases_ = ListDatabases(*control_);
    for (const std::string& name : RecordBook(*control_).StrangersWithReservedNames()) {
      run_.warnings.Add(fmt::format(
          "the database '{}' is not in the backup: restores keep such names for themselves, "
          "rename it",
          name));
    }
    if (databases_.empty()) {
      run_.warnings.Add(fmt::format(
          "MySQL at {} holds no databases to back up: is it the right server?", control_->where()));
    }
  }
  std::sort(databases_.begin(), databases_.end());
  databases_.erase(std::unique(databases_.begin(), databases_.end()), databases_.end());
  CheckDatabases(*control_, databases_);
  const std::vector<Invisible> invisible = FindInvisible(*control_, databases_);
  WarnOfInvisible(invisible, control_->where(), run_.warnings);
  for (const Invisible& one : invisible) {
    std::string& kinds = unseen_[one.database];
    kinds += (kinds.empty() ? "" : ", ") + one.kind;
  }
}

// As mysqldump's --flush-logs: the binary logs of before the backup then end with a file. Nothing
// in the archive depends on it, so a server that forbids it (a hosted one) is no reason for a
// warning.
void MySqlSource::FlushLogs() {
  if (!options_.flush_logs) return;
  if (const std::optional<ServerError> refused = control_->TryExecute("FLUSH LOGS")) {
    run_.log.Info("mysql: the server refuses FLUSH LOGS: {}", refused->message);
  }
}

void MySqlSource::TakeSnapshot() {
  FlushLogs();
  snapshot_ =
      mysql::TakeSnapshot(connect_, options_.snapshot, databases_, std::move(control_), run_);
  std::string position;
  if (const auto file = snapshot_.positions.find("binlog_file");
      file != snapshot_.positions.end()) {
    position = fmt::format("; {}:{}", file->second, snapshot_.positions["binlog_position"]);
  }
  run_.progress.Note("MySQL", snapshot_.consistency + position);
  run_.log.Info("MySQL: {}{}", snapshot_.consistency, position);
  WarnOfUnsafeTables();
}

void MySqlSource::WarnOfUnsafeTables() {
  std::vector<std::string> unsafe;
  for (const Database& database : snapshot_.databases) {
    for (const Table& table : database.tables) {
      if (table.system_versioned) {
        run_.warnings.Add(
            fmt::format("of the system-versioned table {}.{} the present rows are "
                        "copied, not the history",
                        database.name, table.name));
      }
      if (HasRowsElsewhere(table)) {
        run_.warnings.Add(fmt::format(
            "of the table {}.{} the definition alone is copied: the rows of a table of the engine "
            "{} lie elsewhere",
            database.name, table.name, table.engine));
      } else if (HasOwnRows(table) && !table.transactional) {
        unsafe.push_back(database.name + "." + table.name);
      }
    }
  }
  if (unsafe.empty() || snapshot_.method == SnapshotMethod::kNone) return;
  constexpr size_t kNamed = 5;
  std::string names;
  for (size_t i = 0; i < std::min(unsafe.size(), kNamed); ++i) {
    names += (i == 0 ? "" : ", ") + unsafe[i];
  }
  if (unsafe.size() > kNamed) names += fmt::format(" and {} more", unsafe.size() - kNamed);
  run_.warnings.Add(
      fmt::format("tables of engines without transactions are not part of the one "
                  "moment: {} (ALTER TABLE … ENGINE=InnoDB makes them so)",
                  names));
}

// Text takes up to twice what a value does, so a row that came in need not go in again.
void MySqlSource::WarnOfLongStatements() {
  const uint64_t limit = StatementLimit(*snapshot_.control);
  for (const auto& copy : copies_) {
    const uint64_t longest = copy->totals.longest_statement();
    if (longest <= limit) continue;
    run_.warnings.Add(fmt::format(
        "the table {}.{} has a row that takes an INSERT of {}, more than this server's "
        "max_allowed_packet: a restore needs {} first",
        copy->table.database, copy->table.name, FormatBytes(longest), RoomFor(longest)));
  }
}

void MySqlSource::Copy(ArchiveWriter& writer) {
  uint64_t expected = 0;
  for (const Database& database : snapshot_.databases) {
    for (const Table& table : database.tables) {
      copies_.push_back(std::make_unique<TableCopy>(table, server_));
      if (HasOwnRows(table)) expected += table.data_bytes;
    }
  }
  run_.progress.Begin(kComponent, "dump", expected);
  SchemaDump schema(*snapshot_.control, run_.warnings);
  CopySchema(writer, schema);
  RunJobs(snapshot_, PlanJobs(*snapshot_.control, copies_), writer, run_);
  for (const auto& copy : copies_) copy->WarnOfLostTypes(run_.warnings);
  WarnOfLongStatements();

  size_t at = 0;
  for (size_t d = 0; d < snapshot_.databases.size(); ++d) {
    for (size_t t = 0; t < snapshot_.databases[d].tables.size(); ++t) {
      const std::vector<std::string> members = copies_[at++]->Members();
      script_[d].rows.insert(script_[d].rows.end(), members.begin(), members.end());
    }
  }
  GroupBuilder members(writer, run_);
  CopyPrograms(members, schema);
  CopyViews(members, schema);
  const std::string accounts = CopyAccounts(members);
  Member script;
  script.info.path = kScriptPath;
  script.content = HandScript(script_, script_views_, accounts);
  members.Add(std::move(script));
  members.Flush();
  // Files may take hours yet: nobody's DDL waits for them, nor the server's clearing of old rows.
  snapshot_.readers.clear();
  snapshot_.control.reset();
  run_.progress.Done(kComponent);
}

std::string MySqlSource::AddMember(GroupBuilder& members, const MemberPath& path,
                                   std::string content) {
  Member member;
  member.info.path = FormatMemberPath(path);
  member.content = std::move(content);
  std::string name = member.info.path;
  members.Add(std::move(member));
  return name;
}

void MySqlSource::AddObject(const NamedObject& object, uint64_t bytes, bool restorable) {
  ObjectEntry entry;
  entry.database = object.database;
  entry.name = object.name;
  entry.kind = ManifestKind(object.kind);
  entry.raw_bytes = bytes;
  if (!restorable) entry.details[kStateDetail] = kNotRestorable;
  objects_.push_back(std::move(entry));
}

void MySqlSource::CopySchema(ArchiveWriter& writer, SchemaDump& schema) {
  GroupBuilder members(writer, run_);
  for (const Database& database : snapshot_.databases) {
    ScriptDatabase& script = script_.emplace_back();
    script.name = database.name;
    script.create = AddMember(members, {MemberKind::kDatabase, database.name, ""},
                              schema.DatabaseText(database.name));
    for (const Table& table : database.tables) {
      std::string text = schema.TableText(table);
      if (const std::set<std::string> names = TablespacesOf(text); !names.empty()) {
        tablespaces_[{database.name, table.name}] = fmt::format("{}", fmt::join(names, ","));
      }
      script.tables.push_back(
          AddMember(members, {MemberKind::kTable, database.name, table.name}, std::move(text)));
    }
  }
  members.Flush();
}

void MySqlSource::CopyPrograms(GroupBuilder& members, SchemaDump& schema) {
  for (size_t i = 0; i < snapshot_.databases.size(); ++i) {
    const Database& database = snapshot_.databases[i];
    for (auto first = database.triggers.begin(); first != database.triggers.end();) {
      const auto last = std::find_if(first, database.triggers.end(), [&](const NamedObject& other) {
        return other.table != first->table;
      });
      const std::vector<NamedObject> of_table(first, last);
      script_[i].triggers.push_back(AddMember(members,
                                              {MemberKind::kTriggers, database.name, first->table},
                                              schema.TriggersText(of_table)));
      for (const NamedObject& trigger : of_table) AddObject(trigger, 0);
      first = last;
    }
    if (database.routines.empty() && database.events.empty()) continue;
    script_[i].post =
        AddMember(members, {MemberKind::kPost, database.name, ""}, schema.PostText(database));
    for (const NamedObject& routine : database.routines) {
      AddObject(routine, 0, !schema.LeftOut(routine));
    }
    for (const NamedObject& event : database.events) AddObject(event, 0);
  }
}

void MySqlSource::CopyViews(GroupBuilder& members, SchemaDump& schema) {
  for (const ViewName& view : schema.ViewOrder(snapshot_.databases)) {
    std::string text = schema.ViewText(view);
    const NamedObject object{view.database, view.name, "", "VIEW"};
    AddObject(object, text.size(), !schema.LeftOut(object));
    script_views_.push_back(
        {view.database,
         AddMember(members, {MemberKind::kView, view.database, view.name}, std::move(text))});
  }
}

std::string MySqlSource::CopyAccounts(GroupBuilder& members) {
  if (!options_.accounts) return "";
  std::string text = AccountsText(*snapshot_.control, run_.warnings);
  if (text.empty()) return "";
  return AddMember(members, {MemberKind::kAccounts, "", ""}, std::move(text));
}

ComponentManifest MySqlSource::Finish() {
  ComponentManifest manifest;
  manifest.name = kComponent;
  manifest.server_flavour = server_.flavour();
  manifest.server_version = server_.version;
  manifest.consistency = snapshot_.consistency;
  manifest.positions = snapshot_.positions;
  manifest.moment = snapshot_.moment;
  manifest.lock_ms = snapshot_.lock_ms;
  manifest.unseen = std::move(unseen_);
  for (const std::unique_ptr<TableCopy>& copy : copies_) {
    ObjectEntry entry;
    entry.database = copy->table.database;
    entry.name = copy->table.name;
    entry.kind = copy->table.engine == "SEQUENCE" ? "sequence" : "table";
    const ContentDigest digest = copy->totals.digest();
    entry.items = digest.count();
    entry.raw_bytes = copy->totals.raw_bytes();
    entry.digest = digest.Hex();
    entry.details["engine"] = copy->table.engine;
    if (const uint64_t longest = copy->totals.longest_statement(); longest > 0) {
      entry.details[kLongestStatement] = std::to_string(longest);
    }
    if (const auto lies_in = tablespaces_.find({entry.database, entry.name});
        lies_in != tablespaces_.end()) {
      entry.details[kTablespaces] = lies_in->second;
    }
    objects_.push_back(std::move(entry));
  }
  std::sort(objects_.begin(), objects_.end(), [](const ObjectEntry& a, const ObjectEntry& b) {
    return std::tie(a.database, a.name, a.kind) < std::tie(b.database, b.name, b.kind);
  });
  manifest.objects = std::move(objects_);
  copies_.clear();
  snapshot_ = Snapshot();
  return manifest;
}

}  // namespace

std::unique_ptr<BackupSource> MakeBackupSource(ConnectOptions connect, DumpOptions options,
                                               const RunContext& run) {
  return std::make_unique<MySqlSource>(std::move(connect), std::move(options), run);
}

}  // namespace oxbackup::mysql
