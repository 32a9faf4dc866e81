// Old data out, new data in; and back.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "mysql/object_scripts.h"
#include "mysql/session.h"
#include "mysql/swap_record.h"

namespace oxbackup::mysql {

/// Carries out what a record says. Every method looks at what is there and does what is left to do,
/// so it can be called again after the process or the server died at any point.
/// One thread at a time. All arguments must outlive it.
class Swapper {
 public:
  /// `own_user`: whose account is never touched.
  Swapper(RecordBook& book, Warnings& warnings, StepHook on_step, std::string own_user);

  /// Brings the new data to their place: one RENAME TABLE for all tables of all databases, then
  /// everything that is not rows. When the server refuses the RENAME, the live databases are as
  /// they were and Error is thrown; after it, an error leaves the record open for the next run.
  /// What the server refuses of views, triggers, routines and events then, as it would every time,
  /// is a warning: the rest is in its place. The same holds for Back. REQUIRES: the record's state
  /// is kOpen or kUndoing.
  void Forward(SwapRecord& record);
  /// Has to come before anybody writes down that kept data are on their way back: drops what a
  /// restore that broke off has left in their shadow schemas, and throws Error(kNotFound) when
  /// tables of a finished swap's old data are not there any more.
  void PrepareBack(const SwapRecord& record);
  /// Brings the old data back and removes the new ones and the record. Throws as PrepareBack does.
  void Back(SwapRecord& record);
  /// Drops the old data and the record, or only notes that the old data are kept.
  void Close(SwapRecord& record, bool keep_old);
  /// Drops the old data of a finished swap and its record. The shadow schemas are left: another
  /// restore may have loaded into schemas of the same names. REQUIRES: the record's state is kKept.
  void DropKept(SwapRecord& record);
  /// True when no table is left to be moved.
  bool IsSwapped(const SwapRecord& record);
  /// From the first change that others notice to the last of the last Forward, milliseconds.
  int64_t held_ms() const { return held_ms_; }

 private:
  struct Move {
    std::string from_database;
    std::string to_database;
    std::string table;
  };
  std::vector<Move> MovesLeft(const SwapRecord& record);
  std::vector<Move> MovesBack(const SwapRecord& record);
  bool HasBegun(const SwapRecord& record);
  bool HasMoved(const SwapRecord& record);
  void NoteLiveTables(SwapRecord& record);
  void Rename(const std::vector<Move>& moves);
  void RenameWithoutObjects(const SwapRecord& record, const std::vector<Move>& moves,
                            const std::vector<ObjectScript>& objects);
  void DropAllObjects(const std::string& database);
  void WarnOfLost(const std::vector<RefusedObject>& refused);
  void MoveForward(SwapRecord& record);
  void AddLooseKeys(const SwapRecord& record);
  void MoveBack(const SwapRecord& record);
  void DropWhenMadeBySwap(const SwapDatabase& database);
  void RemoveRecord(const SwapRecord& record);
  void SetCharset(const std::string& database, const std::string& charset,
                  const std::string& collation);
  void DropSchema(const std::string& name);
  Session& session() { return book_.session(); }

  RecordBook& book_;
  Warnings& warnings_;
  StepHook on_step_;
  std::string own_user_;
  int64_t held_ms_ = 0;
};

/// Names of all tables (not views) of a database, sorted; none when there is no such database.
std::set<std::string> ListTables(Session& session, const std::string& database);

}  // namespace oxbackup::mysql
