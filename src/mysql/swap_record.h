// What a restore writes down in the server that it changes: which schemas are its own, and what a
// swap moves, so that any later run can finish it or undo it from the record and the state alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/component.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// A view, a table's triggers, or a database's routines and events: SQL as the archive has it.
struct ObjectScript {
  enum class Kind { kView, kTriggers, kPost };
  Kind kind = Kind::kPost;
  std::string database;
  std::string name;  ///< view or table; empty for kPost
  std::string sql;

  friend bool operator==(const ObjectScript&, const ObjectScript&) = default;
};

/// One database of a swap.
struct SwapDatabase {
  std::string name;
  std::string shadow;
  std::string old;
  bool existed = true;  ///< live before the swap
  std::string new_charset;
  std::string new_collation;
  std::string old_charset;  ///< meaningful when `existed`
  std::string old_collation;
  std::vector<std::string> new_tables;  ///< move from `shadow` to `name`
  std::vector<std::string> old_tables;  ///< move from `name` to `old`
  /// Of new tables, by name: foreign keys to tables that do not exist, "ADD CONSTRAINT …". Such a
  /// key would not follow its table's move, so it is added after it.
  std::map<std::string, std::vector<std::string>> loose_keys;

  friend bool operator==(const SwapDatabase&, const SwapDatabase&) = default;
};

struct SwapRecord {
  enum class State {
    kOpen,     ///< announced; done or not
    kUndoing,  ///< being taken back
    kUndone,   ///< taken back; what was loaded is being removed
    kClosing,  ///< done for good; the old data are being removed
    kKept,     ///< done; the old data wait for an undo
  };
  State state = State::kOpen;
  SwapIntent intent;
  std::vector<SwapDatabase> databases;
  std::vector<ObjectScript> new_objects;
  std::vector<ObjectScript> old_objects;
  std::string new_accounts;  ///< a script; may be empty
  std::string old_accounts;
  std::string routine_rights;  ///< a script: what accounts may do with single routines (old ones)
  bool flush_logs = true;
  /// What is written down about the data (RecordBook::WriteApplied) once they are in, and what was
  /// about the old ones.
  std::string new_applied;
  std::string old_applied;

  friend bool operator==(const SwapRecord&, const SwapRecord&) = default;
};

/// JSON. SQL text may hold any bytes; they are written as the code points U+0000 to U+00FF.
std::string SerializeRecord(const SwapRecord& record);
/// Throws Error(kCorrupt).
SwapRecord ParseRecord(std::string_view json);

/// The tables of kRecordDatabase. Each change is one statement, so a record is always whole.
/// One thread at a time. `session` must outlive it.
class RecordBook {
 public:
  explicit RecordBook(Session& session) : session_(session) {}

  /// Throws Error(kSource) when the database kRecordDatabase holds tables but none of ours, or
  /// tables of others that are called as ours.
  void RefuseStranger();
  /// The same, then creates database and tables when they are missing.
  void Prepare();
  /// The record, when there is one; there is at most one.
  [[nodiscard]] std::optional<SwapRecord> Read();
  void Write(const SwapRecord& record);
  void Remove(const SwapRecord& record);

  /// What is written down about the data that are live (AppliedRecord); empty when nothing is. It
  /// holds only while there is no record that is kOpen or kUndoing.
  std::string ReadApplied();
  /// Replaces it; empty: nothing is known of what is live.
  void WriteApplied(const std::string& applied);

  /// Schemas that were made by a restore.
  std::vector<std::string> OwnSchemas();
  /// Creates a schema after noting it as ours. `options`: what follows the name in CREATE DATABASE.
  /// Throws Error(kSource) when one of that name exists that is not ours.
  void CreateSchema(const std::string& name, std::string_view options);
  /// Drops a schema of ours; nothing happens when it is not noted as ours.
  void DropSchema(const std::string& name);
  /// Databases that are called as a restore calls its own and are none: nobody copies them, so
  /// somebody has to be told.
  std::vector<std::string> StrangersWithReservedNames();
  /// Removes our tables when there is nothing in them, and then the database when it is empty.
  void RemoveWhenEmpty();
  /// The session that the book writes with.
  Session& session() { return session_; }

 private:
  /// Whether these tables are there and ours.
  bool Has(const std::vector<std::string>& ours);
  bool Exists() { return Has({"restores", "schemas"}); }
  /// Names of the tables in kRecordDatabase, whosever they are, and of their columns, "a,b".
  std::map<std::string, std::string> Tables();

  Session& session_;
};

}  // namespace oxbackup::mysql
