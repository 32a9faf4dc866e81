#include "mysql/swap.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "mysql/accounts_dump.h"
#include "mysql/accounts_restore.h"
#include "mysql/quote.h"
#include "mysql/restore_session.h"

namespace oxbackup::mysql {

std::set<std::string> ListTables(Session& session, const std::string& database) {
  std::set<std::string> tables;
  for (const Row& row :
       session.Query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE<>'VIEW' "
                     "AND " +
                     NameIs("TABLE_SCHEMA", database))) {
    tables.insert(row[0].value_or(""));
  }
  return tables;
}

Swapper::Swapper(RecordBook& book, Warnings& warnings, StepHook on_step, std::string own_user)
    : book_(book),
      warnings_(warnings),
      on_step_([hook = std::move(on_step)](std::string_view step) {
        if (hook) hook(step);
      }),
      own_user_(std::move(own_user)) {}

// A table's place tells whether its move is done: an old one has arrived in the old schema, a new
// one has left the shadow schema. Old tables go first, so that their names are free.
std::vector<Swapper::Move> Swapper::MovesLeft(const SwapRecord& record) {
  std::vector<Move> moves;
  std::vector<Move> new_moves;
  for (const SwapDatabase& database : record.databases) {
    const std::set<std::string> live = ListTables(session(), database.name);
    const std::set<std::string> shadow = ListTables(session(), database.shadow);
    const std::set<std::string> old = ListTables(session(), database.old);
    const std::set<std::string> incoming(database.new_tables.begin(), database.new_tables.end());
    for (const std::string& table : database.old_tables) {
      const bool is_new_one = incoming.contains(table) && !shadow.contains(table);
      if (live.contains(table) && !old.contains(table) && !is_new_one) {
        moves.push_back({database.name, database.old, table});
      }
    }
    for (const std::string& table : database.new_tables) {
      if (shadow.contains(table)) new_moves.push_back({database.shadow, database.name, table});
    }
  }
  moves.insert(moves.end(), new_moves.begin(), new_moves.end());
  return moves;
}

std::vector<Swapper::Move> Swapper::MovesBack(const SwapRecord& record) {
  std::vector<Move> moves;
  std::vector<Move> old_moves;
  const bool swapped = IsSwapped(record);
  for (const SwapDatabase& database : record.databases) {
    const std::set<std::string> live = ListTables(session(), database.name);
    const std::set<std::string> shadow = ListTables(session(), database.shadow);
    const std::set<std::string> old = ListTables(session(), database.old);
    const std::set<std::string> incoming(database.new_tables.begin(), database.new_tables.end());
    const std::set<std::string> had(database.old_tables.begin(), database.old_tables.end());
    for (const std::string& table : live) {
      // After a whole swap everything there came with it or after it. A new table that the site
      // has dropped is not in the shadow schema either, and the old one may be back already.
      const bool is_back = had.contains(table) && !old.contains(table);
      const bool arrived = incoming.contains(table) && !shadow.contains(table) && !is_back;
      if (swapped || arrived) moves.push_back({database.name, database.shadow, table});
    }
    for (const std::string& table : old) {
      old_moves.push_back({database.old, database.name, table});
    }
  }
  moves.insert(moves.end(), old_moves.begin(), old_moves.end());
  return moves;
}

bool Swapper::IsSwapped(const SwapRecord& record) { return MovesLeft(record).empty(); }

void Swapper::Rename(const std::vector<Move>& moves) {
  if (moves.empty()) return;
  std::string sql;
  for (const Move& move : moves) {
    sql += sql.empty() ? "RENAME TABLE " : ", ";
    sql += QuoteName(move.from_database, move.table) + " TO " +
           QuoteName(move.to_database, move.table);
  }
  on_step_("rename");
  if (const std::optional<ServerError> refused = TryWithRetry(session(), sql)) {
    throw ToError(fmt::format("MySQL refused to put {} in place",
                              FormatCounted(moves.size(), "table", "tables")),
                  *refused);
  }
}

// Tables cannot be moved while views and triggers name them. When the move fails, `objects` are
// what was there.
void Swapper::RenameWithoutObjects(const SwapRecord& record, const std::vector<Move>& moves,
                                   const std::vector<ObjectScript>& objects) {
  try {
    for (const SwapDatabase& database : record.databases) {
      ThrowIfAny(DropObjects(session(), database.name, ObjectsToDrop::kViewsAndTriggers, on_step_),
                 "to drop");
    }
    Rename(moves);
  } catch (const Error&) {
    WarnOfLost(CreateMissingObjects(session(), objects, on_step_));
    throw;
  }
}

// Whether anything live may have changed: the old schemas are made before.
bool Swapper::HasBegun(const SwapRecord& record) {
  const std::vector<std::string> own = book_.OwnSchemas();
  return IsSwapped(record) ||
         std::ranges::any_of(record.databases, [&](const SwapDatabase& database) {
           return std::ranges::find(own, database.old) != own.end();
         });
}

// Whether any table of the swap is at its new place.
bool Swapper::HasMoved(const SwapRecord& record) {
  return std::ranges::any_of(record.databases, [&](const SwapDatabase& database) {
    const std::set<std::string> shadow = ListTables(session(), database.shadow);
    return !ListTables(session(), database.old).empty() ||
           !std::ranges::all_of(database.new_tables,
                                [&](const std::string& table) { return shadow.contains(table); });
  });
}

// The tables have moved: what the server refuses to drop stays, so that everything else comes to
// its place and the record can be closed.
void Swapper::DropAllObjects(const std::string& database) {
  for (const RefusedObject& object :
       DropObjects(session(), database, ObjectsToDrop::kAll, on_step_)) {
    warnings_.Add(fmt::format(
        "{} could not be dropped and stays as it is: {} ({}); look at it with an account that may "
        "drop it ({})",
        object.what, object.why.message, object.why.number, object.statement));
  }
}

// Their definitions are nowhere else, so the warning has them.
void Swapper::WarnOfLost(const std::vector<RefusedObject>& refused) {
  for (const RefusedObject& object : refused) {
    warnings_.Add(fmt::format(
        "{}, which was there before the restore, could not be created again: {} ({}); create it "
        "with an account that may: {}",
        object.what, object.why.message, object.why.number, object.statement));
  }
}

// The site may have made and dropped tables since the record was written: what is live in the
// moment of the swap are the old data.
void Swapper::NoteLiveTables(SwapRecord& record) {
  bool changed = false;
  for (SwapDatabase& database : record.databases) {
    const std::set<std::string> live = ListTables(session(), database.name);
    const std::set<std::string> known(database.old_tables.begin(), database.old_tables.end());
    if (live == known) continue;
    database.old_tables.assign(live.begin(), live.end());
    changed = true;
  }
  if (changed) book_.Write(record);
}

void Swapper::MoveForward(SwapRecord& record) {
  for (const SwapDatabase& database : record.databases) {
    on_step_("create " + database.old);
    book_.CreateSchema(database.old, "");
  }
  if (!HasMoved(record)) NoteLiveTables(record);
  RenameWithoutObjects(record, MovesLeft(record), record.old_objects);
}

void Swapper::AddLooseKeys(const SwapRecord& record) {
  for (const SwapDatabase& database : record.databases) {
    for (const auto& [table, keys] : database.loose_keys) {
      const std::string name = QuoteName(database.name, table);
      ServerError refused;
      const auto rows = session().TryQuery("SHOW CREATE TABLE " + name, refused);
      // The site may have dropped it since the tables were moved.
      if (!rows) continue;
      const std::string present = rows->at(0).at(1).value_or("");
      for (const std::string& key : keys) {
        // "ADD CONSTRAINT `name` FOREIGN KEY …", of which "CONSTRAINT `name` " is there already
        // when the last run came as far as this.
        const size_t begin = key.find("CONSTRAINT");
        const size_t end = key.find("FOREIGN KEY");
        if (begin < end && present.find(key.substr(begin, end - begin)) != std::string::npos) {
          continue;
        }
        on_step_("foreign key of " + database.name + "." + table);
        session().Execute("USE " + QuoteName(database.name));
        if (const auto error = TryWithRetry(session(), "ALTER TABLE " + name + " " + key)) {
          warnings_.Add(fmt::format(
              "a foreign key of {}.{} to a table that does not exist was not restored: {}",
              database.name, table, error->message));
        }
      }
    }
  }
}

void Swapper::SetCharset(const std::string& database, const std::string& charset,
                         const std::string& collation) {
  on_step_("alter " + database);
  ExecuteWithRetry(session(), fmt::format("ALTER DATABASE {} CHARACTER SET {} COLLATE {}",
                                          QuoteName(database), charset, collation));
}

void Swapper::Forward(SwapRecord& record) {
  const ShortLockWaits waits(session());
  const auto started = std::chrono::steady_clock::now();
  if (record.state == SwapRecord::State::kUndoing) {
    record.state = SwapRecord::State::kOpen;
    book_.Write(record);
  }
  for (const SwapDatabase& database : record.databases) {
    on_step_("create " + database.name);
    ExecuteWithRetry(
        session(),
        fmt::format("CREATE DATABASE IF NOT EXISTS {} CHARACTER SET {} COLLATE {}",
                    QuoteName(database.name), database.new_charset, database.new_collation));
  }
  if (!IsSwapped(record)) MoveForward(record);
  AddLooseKeys(record);
  for (const SwapDatabase& database : record.databases) {
    SetCharset(database.name, database.new_charset, database.new_collation);
    DropAllObjects(database.name);
  }
  on_step_("accounts");
  const std::set<std::string> told =
      ApplyAccounts(session(), record.new_accounts, own_user_, warnings_);
  for (const RefusedObject& object : CreateObjects(session(), record.new_objects, on_step_)) {
    warnings_.Add(fmt::format(
        "{} was not restored: {} ({}); create it from the archive (openedx-backup extract) with an "
        "account that may",
        object.what, object.why.message, object.why.number));
  }
  on_step_("rights");
  ApplyRoutineRights(session(), record.routine_rights, warnings_);
  ApplyRights(session(), record.new_accounts, own_user_, told, warnings_);
  held_ms_ = std::chrono::duration_cast<std::chrono::milliseconds>(
                 std::chrono::steady_clock::now() - started)
                 .count();
  if (!record.flush_logs) return;
  on_step_("flush logs");
  if (const std::optional<ServerError> refused = session().TryExecute("FLUSH LOGS")) {
    warnings_.Add("the server's logs were not flushed: " + refused->message);
  }
}

void Swapper::DropWhenMadeBySwap(const SwapDatabase& database) {
  if (database.existed || !ListTables(session(), database.name).empty()) return;
  on_step_("drop " + database.name);
  ExecuteWithRetry(session(), "DROP DATABASE IF EXISTS " + QuoteName(database.name));
}

void Swapper::MoveBack(const SwapRecord& record) {
  if (!HasBegun(record)) {
    for (const SwapDatabase& database : record.databases) DropWhenMadeBySwap(database);
    return;
  }
  std::vector<ObjectScript> live;
  for (const SwapDatabase& database : record.databases) {
    on_step_("create " + database.shadow);
    book_.CreateSchema(database.shadow, "");
    for (ObjectScript& script : ReadObjects(session(), database.name)) {
      live.push_back(std::move(script));
    }
  }
  RenameWithoutObjects(record, MovesBack(record), live);
  for (const SwapDatabase& database : record.databases) {
    DropAllObjects(database.name);
    if (database.existed) {
      SetCharset(database.name, database.old_charset, database.old_collation);
    }
    DropWhenMadeBySwap(database);
  }
  on_step_("accounts");
  DropNewAccounts(session(), record.new_accounts, record.old_accounts, own_user_, warnings_);
  const std::set<std::string> told =
      ApplyAccounts(session(), record.old_accounts, own_user_, warnings_);
  // One that could not be dropped is there.
  WarnOfLost(CreateMissingObjects(session(), record.old_objects, on_step_));
  on_step_("rights");
  ApplyRoutineRights(session(), record.routine_rights, warnings_);
  ApplyRights(session(), record.old_accounts, own_user_, told, warnings_);
  if (record.old_accounts.empty()) return;
  NullLog log;
  Warnings unheard(log);
  WarnOfRightsThatStay(AccountsText(session(), unheard), record.old_accounts, own_user_, warnings_);
}

void Swapper::PrepareBack(const SwapRecord& record) {
  if (record.state == SwapRecord::State::kKept) {
    // Tables of another restore there would be taken for those of this one, which have left.
    for (const SwapDatabase& database : record.databases) DropSchema(database.shadow);
  }
  if (!IsSwapped(record)) return;
  for (const SwapDatabase& database : record.databases) {
    const std::set<std::string> old = ListTables(session(), database.old);
    for (const std::string& table : database.old_tables) {
      if (old.contains(table)) continue;
      throw Error(ErrorKind::kNotFound,
                  fmt::format("there is no way back: the old {}.{} is not in {} any more",
                              database.name, table, database.old))
          .Hint(
              "restore an older archive; what is left of the old data is in the databases that "
              "end in __old, and restore --drop-old removes it");
    }
  }
}

void Swapper::Back(SwapRecord& record) {
  // A table's place says whether it has moved only as long as both schemas are there. So that they
  // are being removed has to be written down first.
  if (record.state != SwapRecord::State::kUndone) {
    PrepareBack(record);
    const SwapRecord::State before = record.state;
    record.state = SwapRecord::State::kUndoing;
    book_.Write(record);
    try {
      const ShortLockWaits waits(session());
      MoveBack(record);
    } catch (const Error&) {
      // Nobody has to carry out later what an operator asked for now, over data that may be days
      // newer by then.
      if (before == SwapRecord::State::kKept && IsSwapped(record)) {
        record.state = before;
        book_.Write(record);
      }
      throw;
    }
    // While the record says kUndoing this is not looked at, whatever it holds.
    on_step_("note what is live again");
    book_.WriteApplied(record.old_applied);
    on_step_("undone");
    record.state = SwapRecord::State::kUndone;
    book_.Write(record);
  }
  for (const SwapDatabase& database : record.databases) {
    DropSchema(database.shadow);
    DropSchema(database.old);
  }
  RemoveRecord(record);
}

void Swapper::RemoveRecord(const SwapRecord& record) {
  on_step_("remove record");
  book_.Remove(record);
  book_.RemoveWhenEmpty();
}

void Swapper::DropSchema(const std::string& name) {
  on_step_("drop " + name);
  book_.DropSchema(name);
}

void Swapper::Close(SwapRecord& record, bool keep_old) {
  if (record.state == SwapRecord::State::kOpen) {
    // Before the state: until that is written, what is noted does not count.
    on_step_("note what is live now");
    book_.WriteApplied(record.new_applied);
  }
  on_step_("close");
  record.state = keep_old ? SwapRecord::State::kKept : SwapRecord::State::kClosing;
  book_.Write(record);
  for (const SwapDatabase& database : record.databases) {
    DropSchema(database.shadow);
    if (!keep_old) DropSchema(database.old);
  }
  if (!keep_old) RemoveRecord(record);
}

void Swapper::DropKept(SwapRecord& record) {
  on_step_("close");
  // Before the first of them goes: with a part of the old data there is no undo.
  record.state = SwapRecord::State::kClosing;
  book_.Write(record);
  for (const SwapDatabase& database : record.databases) DropSchema(database.old);
  on_step_("remove record");
  book_.Remove(record);
}

}  // namespace oxbackup::mysql
