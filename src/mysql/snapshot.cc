#include "mysql/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/pause.h"
#include "base/text.h"
#include "mysql/quote.h"

namespace oxbackup::mysql {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kLockTries = 3;
constexpr int kNoMovementTries = 10;
constexpr std::string_view kPatience = "SET SESSION lock_wait_timeout=600";

void PauseUnlessStopped(const RunContext& run, milliseconds duration) {
  Pause(run.stop, duration);
  run.ThrowIfStopped();
}

milliseconds Since(steady_clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
}

/// Tries the methods one after the other.
class SnapshotTaker {
 public:
  SnapshotTaker(const ConnectOptions& connect, const SnapshotOptions& options,
                const std::vector<std::string>& databases, std::unique_ptr<Session> control,
                const RunContext& run)
      : connect_(connect), options_(options), databases_(databases), run_(run) {
    snapshot_.control = std::move(control);
  }

  Snapshot Take() {
    Control().Execute(fmt::format("SET SESSION lock_wait_timeout={}", LockWaitSeconds()));
    LockInstance();
    // With the instance lock no table comes or goes any more. Without it the list is read again
    // after the moment; it is needed now to lock the tables one by one.
    ReadCatalog();
    ConnectReaders(std::max(options_.readers, 1));
    if (!options_.single_transaction) {
      ReadWithoutTransaction();
    } else if (!TryParallel()) {
      UseOneReader();
    }
    if (!snapshot_.instance_locked) ReadCatalog();
    // What is still locked against the copy now (an ALTER that began before) may take its time.
    Control().Execute(kPatience);
    return std::move(snapshot_);
  }

 private:
  Session& Control() { return *snapshot_.control; }

  bool TryParallel() {
    if (options_.readers <= 1) return false;
    return (Allowed(SnapshotMethod::kGlobalReadLock) && TryGlobalReadLock()) ||
           (Allowed(SnapshotMethod::kTableLocks) && TryTableLocks()) ||
           (Allowed(SnapshotMethod::kNoMovement) && TryNoMovement());
  }

  bool Allowed(SnapshotMethod method) const {
    return std::find(options_.without.begin(), options_.without.end(), method) ==
           options_.without.end();
  }

  int64_t LockWaitSeconds() const {
    return std::max<int64_t>(1, (options_.lock_wait.count() + 999) / 1000);
  }

  void ReadCatalog() {
    snapshot_.databases.clear();
    for (const std::string& name : databases_) {
      snapshot_.databases.push_back(ReadDatabase(Control(), name));
    }
  }

  void ConnectReaders(int count) {
    for (int i = 0; i < count; ++i) {
      snapshot_.readers.push_back(std::make_unique<Session>(connect_, run_.stop));
      snapshot_.readers.back()->Execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    }
  }

  void StartTransactions() {
    for (const std::unique_ptr<Session>& reader : snapshot_.readers) {
      reader->Execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    }
    snapshot_.moment = run_.clock.Now();
  }

  void LockInstance() {
    if (!Control().server().IsMySqlFrom(80000)) return;
    const auto refused = Control().TryExecute("LOCK INSTANCE FOR BACKUP");
    snapshot_.instance_locked = !refused;
    if (refused) Refused("LOCK INSTANCE FOR BACKUP", *refused);
  }

  void Refused(std::string_view what, const ServerError& refused) {
    run_.log.Info("mysql: {} was refused: {} ({})", what, refused.message, refused.number);
    if (!tried_.empty()) tried_ += ", ";
    tried_ += fmt::format("{} ({})", what, refused.number);
  }

  // FLUSH TABLES WITH READ LOCK has to wait until every open table is closed. A statement that runs
  // for minutes therefore blocks everybody behind the lock, and its own table stays blocked even
  // after the lock's timeout (seen on MySQL 9.7): so the lock is tried only while none runs.
  bool WaitForLongStatements() {
    const steady_clock::time_point start = steady_clock::now();
    while (true) {
      ServerError refused;
      const auto rows = Control().TryQuery(
          "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND"
          " TIME >= 1 AND COMMAND NOT IN ('Sleep', 'Daemon', 'Binlog Dump', 'Binlog Dump GTID',"
          " 'Connect', 'Slave_IO', 'Slave_SQL', 'Slave_worker') AND USER <> 'system user'",
          refused);
      if (!rows || rows->empty() || (*rows)[0][0] == "0") return true;
      if (Since(start) > 5 * options_.lock_wait) return false;
      PauseUnlessStopped(run_, milliseconds(250));
    }
  }

  bool TryGlobalReadLock() {
    for (int attempt = 0; attempt < kLockTries; ++attempt) {
      if (!WaitForLongStatements()) {
        run_.log.Info("mysql: a statement runs too long to wait for; no global read lock");
        break;
      }
      const steady_clock::time_point start = steady_clock::now();
      if (const auto refused = Control().TryExecute("FLUSH TABLES WITH READ LOCK")) {
        Refused("FLUSH TABLES WITH READ LOCK", *refused);
        if (refused->number != kLockWaitTimeout) return false;
        continue;
      }
      StartUnderLock(SnapshotMethod::kGlobalReadLock, start, "the global read lock");
      return true;
    }
    return false;
  }

  bool TryTableLocks() {
    std::string list;
    for (const Database& database : snapshot_.databases) {
      for (const Table& table : database.tables) {
        if (!HasOwnRows(table)) continue;
        list += (list.empty() ? "" : ", ") + QuoteName(database.name, table.name) + " READ";
      }
    }
    if (list.empty()) return false;
    for (int attempt = 0; attempt < kLockTries; ++attempt) {
      const steady_clock::time_point start = steady_clock::now();
      if (const auto refused = Control().TryExecute("LOCK TABLES " + list)) {
        Refused("LOCK TABLES", *refused);
        if (refused->number != kLockWaitTimeout) return false;
        continue;
      }
      StartUnderLock(SnapshotMethod::kTableLocks, start, "read locks on all tables");
      return true;
    }
    return false;
  }

  void StartUnderLock(SnapshotMethod method, steady_clock::time_point start,
                      std::string_view what) {
    StartTransactions();
    ReadPositions();
    Control().Execute("UNLOCK TABLES");
    snapshot_.method = method;
    snapshot_.lock_ms = Since(start).count();
    snapshot_.consistency = fmt::format("{} that began while {} held writers for {}", Readers(),
                                        what, FormatDuration(milliseconds(snapshot_.lock_ms)));
    AddInstanceLock();
  }

  std::string Readers() const {
    return FormatCounted(snapshot_.readers.size(), "reader in a transaction",
                         "readers in transactions");
  }

  void AddInstanceLock() {
    if (snapshot_.instance_locked) snapshot_.consistency += "; DDL was held off for the whole copy";
  }

  /// Readers that begin while nothing is committed see the same. MySQL: the executed set must be
  /// the same before and after, and no transaction may be between being logged and being visible,
  /// which only GTIDs tell (gtid_owned). MariaDB tells each snapshot's own position.
  bool TryNoMovement() {
    const bool mariadb = Control().server().mariadb;
    if (!mariadb && !TellsMovement()) return false;
    for (int attempt = 0; attempt < kNoMovementTries; ++attempt) {
      // Right after a try that failed the next one would meet the same transactions.
      if (attempt > 0) PauseUnlessStopped(run_, milliseconds(20 * attempt));
      const std::optional<std::string> before = mariadb ? std::nullopt : MovementMark();
      if (!mariadb && !before) continue;
      for (const std::unique_ptr<Session>& reader : snapshot_.readers) reader->Execute("ROLLBACK");
      // Before the moment: replaying from here can only repeat what the copy has, never miss any.
      ReadPositions();
      StartTransactions();
      bool provable = true;
      if (mariadb ? ReadersAgree(provable) : MovementMark() == before) {
        TakePositionOf(*snapshot_.readers.front());
        snapshot_.method = SnapshotMethod::kNoMovement;
        snapshot_.consistency =
            fmt::format("{} that began without a lock while nothing was committed", Readers());
        AddInstanceLock();
        return true;
      }
      if (!provable) return false;
    }
    tried_ += tried_.empty() ? "" : ", ";
    tried_ += fmt::format("unlocked start (the position moved {} times)", kNoMovementTries);
    return false;
  }

  // Without a binary log clients' transactions get no GTID, and the set stands still.
  bool TellsMovement() {
    ServerError refused;
    const auto rows = Control().TryQuery("SELECT @@GLOBAL.gtid_mode, @@GLOBAL.log_bin", refused);
    return rows && !rows->empty() && (*rows)[0][0] == "ON" && (*rows)[0][1] == "1";
  }

  // Nothing while a transaction is being committed. It leaves gtid_owned after it is visible and
  // executed: with gtid_owned read first none can slip through between the two.
  std::optional<std::string> MovementMark() {
    const Rows rows = Control().Query("SELECT @@GLOBAL.gtid_owned, @@GLOBAL.gtid_executed");
    if (rows.empty() || !rows[0][0].value_or("").empty()) return std::nullopt;
    return rows[0][1].value_or("");
  }

  // Where in the binary log a reader's view of the data lies, which MariaDB alone tells; nothing
  // without a binary log.
  static std::map<std::string, std::string> PositionOf(Session& reader) {
    std::map<std::string, std::string> position;
    for (const Row& row : reader.Query("SHOW STATUS LIKE 'binlog_snapshot_%'")) {
      if (row[1].value_or("").empty()) return {};
      if (row[0] == "Binlog_snapshot_file") position["binlog_file"] = *row[1];
      if (row[0] == "Binlog_snapshot_position") position["binlog_position"] = *row[1];
    }
    return position;
  }

  bool ReadersAgree(bool& provable) {
    const std::map<std::string, std::string> first = PositionOf(*snapshot_.readers.front());
    provable = !first.empty();
    return provable && std::ranges::all_of(snapshot_.readers, [&](const auto& reader) {
             return PositionOf(*reader) == first;
           });
  }

  // In the place of the position before the moment, the moment's own.
  void TakePositionOf(Session& reader) {
    if (!Control().server().mariadb) return;
    std::map<std::string, std::string> position = PositionOf(reader);
    if (position.empty()) return;
    ServerError refused;
    const auto gtid = Control().TryQuery(
        fmt::format("SELECT BINLOG_GTID_POS({}, {})", QuoteString(position["binlog_file"]),
                    position["binlog_position"]),
        refused);
    if (gtid && (*gtid).at(0)[0]) position["gtid_executed"] = *(*gtid)[0][0];
    snapshot_.positions = std::move(position);
  }

  void UseOneReader() {
    snapshot_.readers.resize(1);
    Session& reader = *snapshot_.readers.front();
    reader.Execute("ROLLBACK");
    // Before the moment: replaying from here can only repeat what the copy has, never miss any.
    ReadPositions();
    StartTransactions();
    TakePositionOf(reader);
    snapshot_.method = SnapshotMethod::kOneReader;
    snapshot_.consistency = "one reader in one transaction, without a lock";
    if (!tried_.empty() && options_.readers > 1) {
      snapshot_.consistency += " (tried before: " + tried_ + ")";
    }
    AddInstanceLock();
  }

  void ReadWithoutTransaction() {
    ReadPositions();
    snapshot_.moment = run_.clock.Now();
    snapshot_.method = SnapshotMethod::kNone;
    snapshot_.consistency = "none: each table as it was when it was read";
    run_.warnings.Add(
        "MySQL is read without a transaction (MYSQL_SINGLE_TRANSACTION is off): tables are not of "
        "one moment");
  }

  void ReadPositions() {
    snapshot_.positions.clear();
    Session& control = Control();
    const ServerInfo& server = control.server();
    ServerError refused;
    // Refused without the right REPLICATION CLIENT: the copy is as good without a position.
    const auto status = control.TryQuery(
        server.IsMySqlFrom(80200) ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS", refused);
    if (status && !status->empty()) {
      snapshot_.positions["binlog_file"] = (*status)[0][0].value_or("");
      snapshot_.positions["binlog_position"] = (*status)[0][1].value_or("");
    }
    const auto gtid = control.TryQuery(
        server.mariadb ? "SELECT @@GLOBAL.gtid_binlog_pos" : "SELECT @@GLOBAL.gtid_executed",
        refused);
    if (gtid && !gtid->empty() && !(*gtid)[0][0].value_or("").empty()) {
      std::string set = (*gtid)[0][0].value_or("");
      std::erase(set, '\n');
      snapshot_.positions["gtid_executed"] = std::move(set);
    }
  }

  const ConnectOptions& connect_;
  const SnapshotOptions& options_;
  const std::vector<std::string>& databases_;
  RunContext run_;
  Snapshot snapshot_;
  std::string tried_;
};

}  // namespace

Snapshot TakeSnapshot(const ConnectOptions& connect, const SnapshotOptions& options,
                      const std::vector<std::string>& databases, std::unique_ptr<Session> control,
                      const RunContext& run) {
  return WithContext(
      [&] { return "taking a consistent snapshot on " + Describe(connect); },
      [&] { return SnapshotTaker(connect, options, databases, std::move(control), run).Take(); });
}

}  // namespace oxbackup::mysql
