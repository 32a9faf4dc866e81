// What a server holds: databases, tables with their columns and keys, views, routines, events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/session.h"

namespace oxbackup::mysql {

struct Column {
  std::string name;
  std::string data_type;  ///< lower case, without sizes: "int", "varchar", "json"
  std::string type;       ///< as SHOW COLUMNS has it: "int unsigned", "enum('a','')"
  std::string charset;    ///< of character types; "binary" or empty for others
  bool nullable = false;
  bool generated = false;  ///< VIRTUAL or STORED: computed by the server, never loaded
  bool auto_increment = false;
};

struct Table {
  std::string database;
  std::string name;
  std::string engine;           ///< "InnoDB"; "SEQUENCE" for MariaDB's sequences
  std::vector<Column> columns;  ///< all of them, in their order; invisible ones too
  /// Columns of the key that rows are read in the order of: the primary key, else the first unique
  /// key whose columns are all NOT NULL and whole. Indexes into `columns`; empty without such a
  /// key.
  std::vector<size_t> key;
  std::string key_name;           ///< "PRIMARY" or the unique key's
  uint64_t row_estimate = 0;      ///< the engine's guess
  uint64_t data_bytes = 0;        ///< the engine's: the clustered index's pages
  bool transactional = true;      ///< false: rows are not part of a transaction's snapshot
  bool system_versioned = false;  ///< MariaDB: older versions of rows exist too
};

/// One object of the others. Triggers have the table they belong to.
struct NamedObject {
  std::string database;
  std::string name;
  std::string table;  ///< triggers only
  std::string kind;   ///< "PROCEDURE", "FUNCTION", "PACKAGE", "PACKAGE BODY", "EVENT", "TRIGGER"
};

struct Database {
  std::string name;
  std::vector<Table> tables;          ///< by name
  std::vector<std::string> views;     ///< by name
  std::vector<NamedObject> triggers;  ///< by table, then in the order of execution
  std::vector<NamedObject> routines;  ///< by kind, then name
  std::vector<NamedObject> events;    ///< by name
};

/// True for TINYINT to BIGINT, signed or not.
bool IsInteger(const Column& column);

/// True for a MERGE table, whose rows are those of the tables that it is made of.
bool IsMerge(const Table& table);
/// True for a FEDERATED, SPIDER or CONNECT table, whose rows lie on another server or in a file:
/// loading them would change what is there.
bool HasRowsElsewhere(const Table& table);
/// False for both, and for a MariaDB sequence, whose value is part of its definition. Of such a
/// table the definition alone is copied and restored.
bool HasOwnRows(const Table& table);

/// True for the servers' own schemas and for the ones that hold our restores' tables
/// ("…__restore", "…__old") or its records ("openedx_backup").
bool IsOwnOrSystemDatabase(std::string_view name);

/// Names of the databases that are copied when none is listed, sorted bytewise.
std::vector<std::string> ListDatabases(Session& session);

/// Reads one database with a handful of queries. Throws Error(kUsage) when it does not exist (or
/// may not be seen).
Database ReadDatabase(Session& session, const std::string& name);

/// Its views, triggers, routines and events alone; none when it does not exist.
Database ReadNamedObjects(Session& session, const std::string& name);

/// Reads one table; nothing when there is none of that name (or it is a view).
[[nodiscard]] std::optional<Table> ReadTable(Session& session, const std::string& database,
                                             const std::string& name);

}  // namespace oxbackup::mysql
