#include "mysql/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "mysql/quote.h"
#include "mysql/shadow_names.h"
#include "mysql/visibility.h"

namespace oxbackup::mysql {
namespace {

// Which tables an information_schema query is about.
struct Scope {
  std::string database;
  std::string table;  // empty: all

  std::string Where(std::string_view schema_column, std::string_view table_column) const {
    std::string where = " WHERE " + NameIs(schema_column, database);
    if (!table.empty()) where += " AND " + NameIs(table_column, table);
    return where;
  }
};

std::set<std::string> TransactionalEngines(Session& session) {
  std::set<std::string> engines;
  for (const Row& row :
       session.Query("SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES'")) {
    engines.insert(TextOf(row, 0));
  }
  return engines;
}

// Tables and views by name (bytewise); views have no engine and are told by `kind`.
struct Relation {
  Table table;
  bool is_view = false;
};
using Relations = std::map<std::string, Relation>;

Relations ReadRelations(Session& session, const Scope& scope) {
  const std::set<std::string> transactional = TransactionalEngines(session);
  Relations relations;
  for (Row& row :
       session.Query("SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH, TABLE_COMMENT"
                     " FROM information_schema.TABLES" +
                     scope.Where("TABLE_SCHEMA", "TABLE_NAME"))) {
    const std::string& type = TextOf(row, 1);
    if (type == "TEMPORARY") continue;
    Relation relation;
    relation.is_view = type == "VIEW" || type == "SYSTEM VIEW";
    Table& table = relation.table;
    table.database = scope.database;
    table.name = TextOf(row, 0);
    table.engine = type == "SEQUENCE" ? type : TextOf(row, 2);
    table.row_estimate = ToNumber(TextOf(row, 3));
    table.data_bytes = ToNumber(TextOf(row, 4));
    table.system_versioned = type == "SYSTEM VERSIONED";
    table.transactional = transactional.contains(table.engine) || type == "SEQUENCE";
    if (!relation.is_view && table.engine.empty()) {
      throw Error(ErrorKind::kSource, fmt::format("the table {}.{} cannot be opened by the server",
                                                  table.database, table.name))
          .Cause(TextOf(row, 5))
          .Hint("repair the table or drop it (CHECK TABLE says more), then run the command again");
    }
    std::string name = table.name;
    relations.emplace(std::move(name), std::move(relation));
  }
  return relations;
}

// Key columns by the server's own mark: without a primary key it marks the unique key that the rows
// are stored in the order of.
using PrimaryColumns = std::map<std::string, std::set<std::string>>;

PrimaryColumns ReadColumns(Session& session, const Scope& scope, Relations& relations) {
  PrimaryColumns primary;
  for (Row& row : session.Query(
           "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME,"
           " IS_NULLABLE, EXTRA, COLUMN_KEY FROM information_schema.COLUMNS" +
           scope.Where("TABLE_SCHEMA", "TABLE_NAME") + " ORDER BY TABLE_NAME, ORDINAL_POSITION")) {
    const auto found = relations.find(TextOf(row, 0));
    if (found == relations.end()) continue;
    const std::string& extra = TextOf(row, 6);
    const auto has = [&](std::string_view word) { return extra.find(word) != std::string::npos; };
    Column column;
    column.name = TextOf(row, 1);
    column.data_type = TextOf(row, 2);
    column.type = TextOf(row, 3);
    column.charset = TextOf(row, 4);
    column.nullable = TextOf(row, 5) == "YES";
    column.generated =
        has("VIRTUAL GENERATED") || has("STORED GENERATED") || has("PERSISTENT GENERATED");
    column.auto_increment = has("auto_increment");
    if (TextOf(row, 7) == "PRI") primary[found->first].insert(column.name);
    found->second.table.columns.push_back(std::move(column));
  }
  return primary;
}

void ReadKeys(Session& session, const Scope& scope, const PrimaryColumns& primary,
              Relations& relations) {
  // Table and key name -> columns in the key's order; no columns for a key that cannot be used.
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> keys;
  std::set<std::pair<std::string, std::string>> unusable;
  for (Row& row :
       session.Query("SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART, INDEX_TYPE"
                     " FROM information_schema.STATISTICS" +
                     scope.Where("TABLE_SCHEMA", "TABLE_NAME") +
                     " AND NON_UNIQUE = 0 ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX")) {
    const std::pair<std::string, std::string> id(TextOf(row, 0), TextOf(row, 1));
    const auto marked = primary.find(id.first);
    const bool usable = marked != primary.end() && row[2] && marked->second.contains(*row[2]) &&
                        !row[3] && TextOf(row, 4) == "BTREE";
    if (!usable) unusable.insert(id);
    keys[id].push_back(TextOf(row, 2));
  }
  for (const auto& [id, names] : keys) {
    const auto found = relations.find(id.first);
    if (found == relations.end() || unusable.contains(id)) continue;
    Table& table = found->second.table;
    const bool better = table.key_name.empty() || id.second == "PRIMARY";
    if (!better || names.size() != primary.at(id.first).size()) continue;
    table.key_name = id.second;
    table.key.clear();
    for (const std::string& name : names) {
      const auto column = std::find_if(table.columns.begin(), table.columns.end(),
                                       [&](const Column& c) { return c.name == name; });
      table.key.push_back(static_cast<size_t>(column - table.columns.begin()));
    }
  }
}

Relations ReadAllRelations(Session& session, const Scope& scope) {
  Relations relations = ReadRelations(session, scope);
  const PrimaryColumns primary = ReadColumns(session, scope, relations);
  ReadKeys(session, scope, primary, relations);
  return relations;
}

std::vector<NamedObject> ReadTriggers(Session& session, const std::string& database) {
  struct Found {
    NamedObject trigger;
    std::string event;
    uint64_t order;
  };
  std::vector<Found> found;
  for (const Row& row :
       session.Query("SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION,"
                     " ACTION_ORDER FROM information_schema.TRIGGERS" +
                     Scope{database, ""}.Where("TRIGGER_SCHEMA", ""))) {
    found.push_back({{database, TextOf(row, 0), TextOf(row, 1), "TRIGGER"},
                     TextOf(row, 2) + TextOf(row, 3),
                     ToNumber(TextOf(row, 4))});
  }
  // Triggers of one event run in the order in which they are created.
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return std::tie(a.trigger.table, a.event, a.order, a.trigger.name) <
           std::tie(b.trigger.table, b.event, b.order, b.trigger.name);
  });
  std::vector<NamedObject> triggers;
  for (Found& one : found) triggers.push_back(std::move(one.trigger));
  return triggers;
}

std::vector<NamedObject> ReadNamed(Session& session, const std::string& database,
                                   const std::string& sql) {
  std::vector<NamedObject> objects;
  for (const Row& row : session.Query(sql)) {
    objects.push_back({database, TextOf(row, 0), "", TextOf(row, 1)});
  }
  std::sort(objects.begin(), objects.end(), [](const NamedObject& a, const NamedObject& b) {
    return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
  });
  return objects;
}

}  // namespace

bool IsInteger(const Column& column) {
  return column.data_type == "tinyint" || column.data_type == "smallint" ||
         column.data_type == "mediumint" || column.data_type == "int" ||
         column.data_type == "bigint";
}

bool IsMerge(const Table& table) {
  // MySQL says MRG_MYISAM, MariaDB MRG_MyISAM.
  return table.engine == "MRG_MYISAM" || table.engine == "MRG_MyISAM";
}

bool HasRowsElsewhere(const Table& table) {
  return table.engine == "FEDERATED" || table.engine == "SPIDER" || table.engine == "CONNECT";
}

bool HasOwnRows(const Table& table) {
  return table.engine != "SEQUENCE" && !IsMerge(table) && !HasRowsElsewhere(table);
}

bool IsOwnOrSystemDatabase(std::string_view name) {
  constexpr std::array<std::string_view, 5> kSystem = {"mysql", "information_schema",
                                                       "performance_schema", "sys", "ndbinfo"};
  return std::find(kSystem.begin(), kSystem.end(), name) != kSystem.end() || IsReservedName(name);
}

std::vector<std::string> ListDatabases(Session& session) {
  std::vector<std::string> names;
  for (const Row& row : session.Query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")) {
    if (!IsOwnOrSystemDatabase(TextOf(row, 0))) names.push_back(TextOf(row, 0));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Database ReadDatabase(Session& session, const std::string& name) {
  CheckDatabases(session, {name});
  Database database = ReadNamedObjects(session, name);
  for (auto& [table_name, relation] : ReadAllRelations(session, {name, ""})) {
    if (!relation.is_view) database.tables.push_back(std::move(relation.table));
  }
  return database;
}

Database ReadNamedObjects(Session& session, const std::string& name) {
  Database database;
  database.name = name;
  for (const NamedObject& view :
       ReadNamed(session, name,
                 "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES" +
                     Scope{name, ""}.Where("TABLE_SCHEMA", "") + " AND TABLE_TYPE='VIEW'")) {
    database.views.push_back(view.name);
  }
  database.triggers = ReadTriggers(session, name);
  database.routines =
      ReadNamed(session, name,
                "SELECT ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES" +
                    Scope{name, ""}.Where("ROUTINE_SCHEMA", ""));
  database.events = ReadNamed(session, name,
                              "SELECT EVENT_NAME, 'EVENT' FROM information_schema.EVENTS" +
                                  Scope{name, ""}.Where("EVENT_SCHEMA", ""));
  return database;
}

std::optional<Table> ReadTable(Session& session, const std::string& database,
                               const std::string& name) {
  Relations relations = ReadAllRelations(session, {database, name});
  const auto found = relations.find(name);
  if (found == relations.end() || found->second.is_view) return std::nullopt;
  return std::move(found->second.table);
}

}  // namespace oxbackup::mysql
