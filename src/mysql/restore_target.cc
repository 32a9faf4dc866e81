#include "mysql/restore_target.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "mysql/accounts_dump.h"
#include "mysql/applied_record.h"
#include "mysql/live_removal.h"
#include "mysql/load.h"
#include "mysql/load_crew.h"
#include "mysql/object_rehearsal.h"
#include "mysql/quote.h"
#include "mysql/restore_plan.h"
#include "mysql/restore_session.h"
#include "mysql/shadow_names.h"
#include "mysql/shadow_site.h"
#include "mysql/swap.h"
#include "mysql/swap_record.h"
#include "mysql/verify.h"

namespace oxbackup::mysql {
namespace {

constexpr std::string_view kLockName = "'openedx_backup.restore'";

class Target final : public RestoreTarget {
 public:
  Target(const ConnectOptions& connect, const RestoreOptions& options, const RunContext& run)
      : connect_(connect), options_(options), run_(run), site_(options.databases) {}

  std::string_view name() const override { return "mysql"; }

  std::optional<OpenSwap> FindOpenSwap() override {
    std::optional<SwapRecord> record = book().Read();
    if (!record || record->state == SwapRecord::State::kKept) return std::nullopt;
    // It may be the record of a restore that is running: after the lock it tells what became of it.
    Lock();
    record = book().Read();
    if (!record || record->state == SwapRecord::State::kKept) {
      Unlock();
      return std::nullopt;
    }
    return Describe(*record);
  }

  std::optional<OpenSwap> PeekOpenSwap() override {
    const std::optional<SwapRecord> record = book().Read();
    if (!record || record->state == SwapRecord::State::kKept) return std::nullopt;
    return Describe(*record);
  }

  std::optional<SwapIntent> FindKeptSwap() override {
    const std::optional<SwapRecord> record = book().Read();
    if (!record || record->state != SwapRecord::State::kKept) return std::nullopt;
    return record->intent;
  }

  void PrepareUndo(const SwapIntent& intent, bool begun) override {
    Lock();
    std::optional<SwapRecord> record = book().Read();
    if (!record || record->intent.run_id != intent.run_id) return;
    if (record->state == SwapRecord::State::kKept) swapper().PrepareBack(*record);
    const SwapRecord::State state = begun ? SwapRecord::State::kUndoing : SwapRecord::State::kKept;
    if (record->state == state && record->intent == intent) return;
    record->intent = intent;
    record->state = state;
    book().Write(*record);
  }

  void DropKept() override {
    Lock();
    std::optional<SwapRecord> record = book().Read();
    if (record && record->state == SwapRecord::State::kKept) swapper().Close(*record, false);
    Unlock();
  }

  void CompleteSwap() override {
    Lock();
    record_ = book().Read();
    if (!record_) throw Error(ErrorKind::kNotFound, "MySQL has no restore to finish");
    switch (record_->state) {
      case SwapRecord::State::kOpen:
      case SwapRecord::State::kUndoing:
        swapper().Forward(*record_);
        return;
      case SwapRecord::State::kUndone:
        // What was loaded may be gone already: there is no way forward.
        run_.warnings.Add("MySQL: the restore of " + record_->intent.archive +
                          " had been taken back before it was interrupted; the old data stay");
        swapper().Back(*record_);
        record_.reset();
        return;
      case SwapRecord::State::kClosing:  // the old data are being removed; all else is done
      case SwapRecord::State::kKept:
        return;
    }
  }

  void UndoSwap(const std::string& run_id) override {
    Lock();
    std::optional<SwapRecord> record = book().Read();
    if (!run_id.empty() && (!record || record->intent.run_id != run_id)) return;
    if (!record) throw Error(ErrorKind::kNotFound, "MySQL has no restore to undo");
    if (record->state == SwapRecord::State::kClosing) {
      throw Error(ErrorKind::kNotFound, "the data from before the restore of " +
                                            record->intent.archive + " are being removed already")
          .Hint("run the command without --undo to finish, then restore an older archive");
    }
    swapper().Back(*record);
    record_.reset();
    // What this run has loaded is its own until Abandon has removed it.
    if (site_.databases.empty()) Unlock();
  }

  std::optional<AppliedArchive> Applied() override {
    const std::optional<SwapRecord> record = book().Read();
    const bool open = record && (record->state == SwapRecord::State::kOpen ||
                                 record->state == SwapRecord::State::kUndoing);
    const auto applied = ParseAppliedRecord(open ? "" : book().ReadApplied());
    const bool holds =
        applied && applied->scope == ScopeOf(options_) && IsStillThere(*session_, *applied);
    return holds ? std::optional(applied->archive) : std::nullopt;
  }

  RestorePlan Plan(const Manifest* manifest, RestoreRoom room) override {
    Session session(connect_, run_.stop);
    return MakePlan(session, options_, manifest, room, run_);
  }

  void PrepareRemoval(ArchiveReader& reader) override {
    Lock();
    RemoveLeftovers();
    replaced_ = ReplacedDatabases(reader, site_, run_);
    RefuseReadOnlyDatabases(*session_, replaced_);
    RefuseForeignKeysInto(*session_, replaced_);
  }

  void RemoveLive(const AppliedArchive& awaited) override {
    run_.progress.Begin("mysql", "remove", 0);
    book().WriteApplied(SerializeRemoval(awaited));
    DropLiveDatabases(book().session(), replaced_, options_.on_step);
  }

  std::optional<AppliedArchive> Awaited() override { return ParseRemoval(book().ReadApplied()); }

  void ForgetAwaited() override {
    if (!Awaited()) return;
    Lock();
    // The restore that it waits for may just have ended.
    if (Awaited()) {
      book().WriteApplied("");
      book().RemoveWhenEmpty();
    }
    Unlock();
  }

  void Load(ArchiveReader& reader) override {
    Lock();
    if (logs_what_it_loads_) {
      run_.warnings.Add(
          "the user may not switch the binary log off: what is restored is written there too and "
          "takes about as much space again (grant SYSTEM_VARIABLES_ADMIN)");
    }
    RemoveLeftovers();
    LoadCrew crew(connect_, std::max(options_.workers, 1) + kIndexBuilders, options_.binlog, run_);
    LoadArchive(reader, site_, crew, book(), run_);
    if (!options_.accounts) site_.accounts.clear();
    std::vector<SwapDatabase> databases;
    for (const auto& [name, database] : site_.databases) {
      SwapDatabase& one = databases.emplace_back();
      one.name = name;
      one.shadow = database.shadow;
    }
    RehearseObjects(*session_, site_.objects, databases);
    RehearseLiveObjects(*session_, databases);
  }

  void Verify(const ComponentManifest* expected) override {
    VerifyShadow(connect_, options_.workers, site_, expected, run_);
  }

  void WriteIntent(const SwapIntent& intent) override {
    std::vector<std::string> names;
    for (const auto& [name, database] : site_.databases) names.push_back(name);
    RefuseReadOnlyDatabases(*session_, names);
    RefuseForeignKeysInto(*session_, names);
    // Only one restore can be undone: the newest.
    if (std::optional<SwapRecord> kept = book().Read()) swapper().DropKept(*kept);
    SwapRecord record;
    record.intent = intent;
    record.flush_logs = options_.flush_logs;
    record.old_applied = book().ReadApplied();
    record.new_objects = site_.objects;
    record.new_accounts = site_.accounts;
    record.routine_rights = RoutineRightsText(*session_, names, run_.warnings);
    if (!site_.accounts.empty()) {
      NullLog log;
      Warnings unheard(log);
      record.old_accounts = AccountsText(*session_, unheard);
      if (record.old_accounts.empty()) {
        run_.warnings.Add(
            "MySQL's accounts stay as they are: this user may not read them, so an undo could not "
            "bring them back");
        record.new_accounts.clear();
      }
    }
    for (const auto& [name, database] : site_.databases) {
      record.databases.push_back(Describe(database));
      for (ObjectScript& script : ReadObjects(*session_, name)) {
        record.old_objects.push_back(std::move(script));
      }
    }
    record.new_applied = SerializeAppliedRecord(BroughtBy(record));
    book().Write(record);
    record_ = std::move(record);
  }

  void Swap() override {
    run_.progress.Begin("mysql", "swap", 0);
    swapper().Forward(*record_);
    swap_ms_ = swapper_->held_ms();
  }

  void CloseSwap(bool keep_old) override {
    // Of old data that are being removed already there is nothing to keep.
    const bool keep = keep_old && record_ && record_->state != SwapRecord::State::kClosing;
    if (record_) swapper().Close(*record_, keep);
    run_.progress.Done("mysql");
    Unlock();
  }

  void Abandon() override {
    // What is there belongs to the restore that kept this one away.
    if (!locked_) return;
    for (const auto& [name, database] : site_.databases) book().DropSchema(database.shadow);
    site_ = ShadowSite(options_.databases);
    book().RemoveWhenEmpty();
    Unlock();
  }

  int64_t swap_ms() const override { return swap_ms_; }

 private:
  /// The session of records and swaps. It does not stop when the run is asked to: a swap runs to
  /// its end.
  RecordBook& book() {
    if (!session_) {
      session_ = std::make_unique<Session>(connect_, std::stop_token());
      logs_what_it_loads_ = !PrepareForLoad(*session_, options_.binlog);
      book_.emplace(*session_);
    }
    return *book_;
  }

  Swapper& swapper() {
    if (!swapper_) {
      RecordBook& book = this->book();
      const std::string user = session_->QueryValue("SELECT CURRENT_USER()");
      swapper_.emplace(book, run_.warnings, options_.on_step, user.substr(0, user.rfind('@')));
    }
    return *swapper_;
  }

  /// Keeps two restores of one server apart, for as long as the session lives.
  void Lock() {
    book();
    if (locked_) return;
    if (session_->QueryValue("SELECT GET_LOCK(" + std::string(kLockName) + ", 5)") != "1") {
      throw Error(ErrorKind::kSource, "another restore into this MySQL server is running")
          .Hint("wait for its end; SHOW PROCESSLIST shows its connections");
    }
    locked_ = true;
  }
  void Unlock() {
    if (!locked_) return;
    static_cast<void>(session_->QueryValue("SELECT RELEASE_LOCK(" + std::string(kLockName) + ")"));
    locked_ = false;
  }

  void RemoveLeftovers() {
    book().Prepare();
    std::set<std::string> kept;
    if (const std::optional<SwapRecord> record = book().Read()) {
      if (record->state != SwapRecord::State::kKept) {
        throw Error(ErrorKind::kSource,
                    "an earlier restore of MySQL is unfinished: " + DescribeState(*record))
            .Hint("finish or undo it first");
      }
      for (const SwapDatabase& database : record->databases) kept.insert(database.old);
    }
    for (const std::string& schema : book().OwnSchemas()) {
      if (!kept.contains(schema)) book().DropSchema(schema);
    }
  }

  OpenSwap Describe(const SwapRecord& record) {
    OpenSwap swap{record.intent, DescribeState(record)};
    if (record.state == SwapRecord::State::kUndoing || record.state == SwapRecord::State::kUndone) {
      swap.stage = OpenSwap::Stage::kUndoing;
    } else if (record.state == SwapRecord::State::kClosing) {
      swap.stage = OpenSwap::Stage::kClosing;
    }
    return swap;
  }

  std::string DescribeState(const SwapRecord& record) {
    switch (record.state) {
      case SwapRecord::State::kUndoing:
        return "its undoing was interrupted";
      case SwapRecord::State::kUndone:
        return "taken back; removing what was loaded was interrupted";
      case SwapRecord::State::kClosing:
        return "swapped; removing the old data was interrupted";
      case SwapRecord::State::kKept:
        return "swapped; the old data are kept";
      case SwapRecord::State::kOpen:
        break;
    }
    return swapper().IsSwapped(record)
               ? "tables swapped; views, routines or accounts may be missing"
               : "announced; no table has been moved";
  }

  AppliedRecord BroughtBy(const SwapRecord& record) const {
    AppliedRecord applied{record.intent.Brings(), ScopeOf(options_), {}};
    for (const SwapDatabase& database : record.databases) {
      applied.tables[database.name] = database.new_tables;
    }
    return applied;
  }

  SwapDatabase Describe(const ShadowDatabase& database) {
    SwapDatabase swap;
    swap.name = database.name;
    swap.shadow = database.shadow;
    swap.old = OldName(database.name);
    swap.existed = false;
    const auto charset = [this](const std::string& schema) {
      return session_->Query(
          "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM "
          "information_schema.SCHEMATA WHERE " +
          NameIs("SCHEMA_NAME", schema));
    };
    const Rows fresh = charset(database.shadow);
    swap.new_charset = fresh.at(0).at(0).value_or("");
    swap.new_collation = fresh.at(0).at(1).value_or("");
    if (const Rows live = charset(database.name); !live.empty()) {
      swap.existed = true;
      swap.old_charset = live[0].at(0).value_or("");
      swap.old_collation = live[0].at(1).value_or("");
    }
    const std::set<std::string> new_tables = ListTables(*session_, database.shadow);
    const std::set<std::string> old_tables = ListTables(*session_, database.name);
    swap.new_tables.assign(new_tables.begin(), new_tables.end());
    swap.old_tables.assign(old_tables.begin(), old_tables.end());
    for (const auto& [name, table] : database.tables) {
      std::vector<std::string> keys = site_.LooseKeys(*table);
      if (!keys.empty()) swap.loose_keys.emplace(name, std::move(keys));
    }
    return swap;
  }

  ConnectOptions connect_;
  RestoreOptions options_;
  RunContext run_;
  ShadowSite site_;
  std::vector<std::string> replaced_;  // live databases that go before the load
  std::unique_ptr<Session> session_;
  std::optional<RecordBook> book_;  // uses session_
  std::optional<Swapper> swapper_;  // uses book_
  std::optional<SwapRecord> record_;
  bool locked_ = false;
  bool logs_what_it_loads_ = false;
  int64_t swap_ms_ = 0;
};

}  // namespace

std::unique_ptr<RestoreTarget> MakeRestoreTarget(const ConnectOptions& connect,
                                                 const RestoreOptions& options,
                                                 const RunContext& run) {
  return std::make_unique<Target>(connect, options, run);
}

}  // namespace oxbackup::mysql
