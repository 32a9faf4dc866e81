#include "mysql/swap_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "mysql/quote.h"
#include "mysql/shadow_names.h"

namespace oxbackup::mysql {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<SwapRecord::State, std::string_view>, 5> kStateNames = {{
    {SwapRecord::State::kOpen, "open"},
    {SwapRecord::State::kUndoing, "undoing"},
    {SwapRecord::State::kUndone, "undone"},
    {SwapRecord::State::kClosing, "closing"},
    {SwapRecord::State::kKept, "kept"},
}};
constexpr std::array<std::pair<ObjectScript::Kind, std::string_view>, 3> kKindNames = {{
    {ObjectScript::Kind::kView, "view"},
    {ObjectScript::Kind::kTriggers, "triggers"},
    {ObjectScript::Kind::kPost, "post"},
}};

template <class Names, class Value>
std::string NameOf(const Names& names, Value value) {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const auto& entry) { return entry.first == value; });
  return std::string(found->second);
}

template <class Names>
auto ValueOf(const Names& names, const std::string& name) {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const auto& entry) { return entry.second == name; });
  if (found == names.end()) {
    throw Error(ErrorKind::kCorrupt, "the record of a restore has the unknown word " + name);
  }
  return found->first;
}

// JSON holds Unicode alone, but SQL from old dumps may be in any charset.
std::string BytesToText(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xc0 | (byte >> 6));
      text += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return text;
}

std::string TextToBytes(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80 || i + 1 == text.size()) {
      bytes += text[i];
    } else {
      ++i;
      bytes += static_cast<char>((byte << 6) | (static_cast<unsigned char>(text[i]) & 0x3f));
    }
  }
  return bytes;
}

json ToJson(const SwapDatabase& database) {
  json loose_keys = json::object();
  for (const auto& [table, keys] : database.loose_keys) {
    json& list = loose_keys[table] = json::array();
    for (const std::string& key : keys) list.push_back(BytesToText(key));
  }
  return {{"name", database.name},
          {"shadow", database.shadow},
          {"old", database.old},
          {"existed", database.existed},
          {"new_charset", database.new_charset},
          {"new_collation", database.new_collation},
          {"old_charset", database.old_charset},
          {"old_collation", database.old_collation},
          {"new_tables", database.new_tables},
          {"old_tables", database.old_tables},
          {"loose_keys", std::move(loose_keys)}};
}

SwapDatabase DatabaseFrom(const json& object) {
  SwapDatabase database;
  object.at("name").get_to(database.name);
  object.at("shadow").get_to(database.shadow);
  object.at("old").get_to(database.old);
  object.at("existed").get_to(database.existed);
  object.at("new_charset").get_to(database.new_charset);
  object.at("new_collation").get_to(database.new_collation);
  object.at("old_charset").get_to(database.old_charset);
  object.at("old_collation").get_to(database.old_collation);
  object.at("new_tables").get_to(database.new_tables);
  object.at("old_tables").get_to(database.old_tables);
  for (const auto& [table, keys] : object.at("loose_keys").items()) {
    for (const json& key : keys) {
      database.loose_keys[table].push_back(TextToBytes(key.get<std::string>()));
    }
  }
  return database;
}

json ToJson(const std::vector<ObjectScript>& scripts) {
  json list = json::array();
  for (const ObjectScript& script : scripts) {
    list.push_back({{"kind", NameOf(kKindNames, script.kind)},
                    {"database", script.database},
                    {"name", script.name},
                    {"sql", BytesToText(script.sql)}});
  }
  return list;
}

std::vector<ObjectScript> ScriptsFrom(const json& list) {
  std::vector<ObjectScript> scripts;
  for (const json& object : list) {
    scripts.push_back({ValueOf(kKindNames, object.at("kind").get<std::string>()),
                       object.at("database").get<std::string>(),
                       object.at("name").get<std::string>(),
                       TextToBytes(object.at("sql").get<std::string>())});
  }
  return scripts;
}

std::string TableName(std::string_view table) { return QuoteName(kRecordDatabase, table); }

// Columns tell our tables from somebody else's of the same names.
constexpr std::string_view kRestoresColumns = "run_id,state,record";
constexpr std::string_view kSchemasColumns = "name";
constexpr std::string_view kAppliedColumns = "id,applied";

// Of a table of ours; nothing for any other name.
std::optional<std::string_view> ColumnsOf(std::string_view table) {
  if (table == "restores") return kRestoresColumns;
  if (table == "schemas") return kSchemasColumns;
  if (table == "applied") return kAppliedColumns;
  return std::nullopt;
}

}  // namespace

std::string SerializeRecord(const SwapRecord& record) {
  json databases = json::array();
  for (const SwapDatabase& database : record.databases) databases.push_back(ToJson(database));
  return json({{"state", NameOf(kStateNames, record.state)},
               {"intent", json::parse(SerializeIntent(record.intent))},
               {"databases", std::move(databases)},
               {"new_objects", ToJson(record.new_objects)},
               {"old_objects", ToJson(record.old_objects)},
               {"new_accounts", BytesToText(record.new_accounts)},
               {"old_accounts", BytesToText(record.old_accounts)},
               {"routine_rights", BytesToText(record.routine_rights)},
               {"flush_logs", record.flush_logs},
               {"new_applied", record.new_applied},
               {"old_applied", record.old_applied}})
      .dump();
}

SwapRecord ParseRecord(std::string_view text) {
  try {
    const json object = json::parse(text);
    SwapRecord record;
    record.state = ValueOf(kStateNames, object.at("state").get<std::string>());
    record.intent = ParseIntent(object.at("intent").dump());
    for (const json& database : object.at("databases")) {
      record.databases.push_back(DatabaseFrom(database));
    }
    record.new_objects = ScriptsFrom(object.at("new_objects"));
    record.old_objects = ScriptsFrom(object.at("old_objects"));
    record.new_accounts = TextToBytes(object.at("new_accounts").get<std::string>());
    record.old_accounts = TextToBytes(object.at("old_accounts").get<std::string>());
    record.routine_rights = TextToBytes(object.value("routine_rights", ""));
    object.at("flush_logs").get_to(record.flush_logs);
    record.new_applied = object.value("new_applied", "");
    record.old_applied = object.value("old_applied", "");
    return record;
  } catch (const json::exception& error) {
    throw Error(ErrorKind::kCorrupt, "MySQL's record of an interrupted restore cannot be read")
        .Cause(error.what());
  }
}

std::map<std::string, std::string> RecordBook::Tables() {
  std::map<std::string, std::string> tables;
  for (const Row& row : session_.Query(
           "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE " +
           NameIs("TABLE_SCHEMA", kRecordDatabase) + " ORDER BY TABLE_NAME, ORDINAL_POSITION")) {
    std::string& columns = tables[row[0].value_or("")];
    columns += (columns.empty() ? "" : ",") + row[1].value_or("");
  }
  return tables;
}

bool RecordBook::Has(const std::vector<std::string>& ours) {
  const std::map<std::string, std::string> tables = Tables();
  return std::ranges::all_of(ours, [&](const std::string& name) {
    const auto found = tables.find(name);
    return found != tables.end() && found->second == ColumnsOf(name);
  });
}

void RecordBook::RefuseStranger() {
  const std::map<std::string, std::string> tables = Tables();
  bool has_ours = tables.empty();
  bool has_others = false;
  for (const auto& [name, columns] : tables) {
    const std::optional<std::string_view> own_columns = ColumnsOf(name);
    if (own_columns) (columns == *own_columns ? has_ours : has_others) = true;
  }
  if (has_ours && !has_others) return;
  throw Error(ErrorKind::kSource, "the server has a database " + std::string(kRecordDatabase) +
                                      ", where restores keep their records, that is not theirs")
      .Hint("rename it (no table in it is touched until then)");
}

void RecordBook::Prepare() {
  RefuseStranger();
  session_.Execute("CREATE DATABASE IF NOT EXISTS " + QuoteName(kRecordDatabase) +
                   " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
  session_.Execute("CREATE TABLE IF NOT EXISTS " + TableName("schemas") +
                   " (name VARCHAR(64) PRIMARY KEY) ENGINE=InnoDB");
  session_.Execute("CREATE TABLE IF NOT EXISTS " + TableName("restores") +
                   " (run_id VARCHAR(190) PRIMARY KEY, state VARCHAR(20) NOT NULL,"
                   " record LONGBLOB NOT NULL) ENGINE=InnoDB");
  session_.Execute("CREATE TABLE IF NOT EXISTS " + TableName("applied") +
                   " (id TINYINT PRIMARY KEY, applied LONGBLOB NOT NULL) ENGINE=InnoDB");
}

std::optional<SwapRecord> RecordBook::Read() {
  if (!Exists()) return std::nullopt;
  const Rows rows = session_.Query("SELECT record FROM " + TableName("restores"));
  if (rows.empty()) return std::nullopt;
  return ParseRecord(rows[0][0].value_or(""));
}

void RecordBook::Write(const SwapRecord& record) {
  session_.Execute("REPLACE INTO " + TableName("restores") + " VALUES (" +
                   QuoteString(record.intent.run_id) + "," +
                   QuoteString(NameOf(kStateNames, record.state)) + ",_binary" +
                   QuoteString(SerializeRecord(record)) + ")");
}

void RecordBook::Remove(const SwapRecord& record) {
  session_.Execute("DELETE FROM " + TableName("restores") +
                   " WHERE run_id=" + QuoteString(record.intent.run_id));
}

std::string RecordBook::ReadApplied() {
  if (!Has({"applied"})) return "";
  const Rows rows = session_.Query("SELECT applied FROM " + TableName("applied"));
  return rows.empty() ? "" : rows[0][0].value_or("");
}

void RecordBook::WriteApplied(const std::string& applied) {
  if (applied.empty()) {
    if (Has({"applied"})) session_.Execute("DELETE FROM " + TableName("applied"));
    return;
  }
  session_.Execute("REPLACE INTO " + TableName("applied") + " VALUES (1,_binary" +
                   QuoteString(applied) + ")");
}

std::vector<std::string> RecordBook::OwnSchemas() {
  std::vector<std::string> names;
  if (!Exists()) return names;
  for (const Row& row : session_.Query("SELECT name FROM " + TableName("schemas"))) {
    // Whoever wrote it: what is called otherwise is never ours to drop.
    if (IsReservedName(row[0].value_or(""))) names.push_back(*row[0]);
  }
  return names;
}

void RecordBook::CreateSchema(const std::string& name, std::string_view options) {
  const std::vector<std::string> own = OwnSchemas();
  if (std::find(own.begin(), own.end(), name) == own.end()) {
    if (!session_
             .Query("SELECT 1 FROM information_schema.SCHEMATA WHERE " +
                    NameIs("SCHEMA_NAME", name))
             .empty()) {
      throw Error(ErrorKind::kSource,
                  "the database " + name + ", which this restore needs for itself, exists already")
          .Hint("rename or drop it: it was not made by a restore");
    }
    session_.Execute("INSERT INTO " + TableName("schemas") + " VALUES (" + QuoteString(name) + ")");
  }
  session_.Execute("CREATE DATABASE IF NOT EXISTS " + QuoteName(name) + " " + std::string(options));
}

void RecordBook::DropSchema(const std::string& name) {
  const std::vector<std::string> own = OwnSchemas();
  if (std::find(own.begin(), own.end(), name) == own.end()) return;
  session_.Execute("DROP DATABASE IF EXISTS " + QuoteName(name));
  session_.Execute("DELETE FROM " + TableName("schemas") + " WHERE name=" + QuoteString(name));
}

void RecordBook::RemoveWhenEmpty() {
  if (!Exists() || Read() || !OwnSchemas().empty() || !ReadApplied().empty()) return;
  session_.Execute("DROP TABLE IF EXISTS " + TableName("restores") + ", " + TableName("schemas") +
                   (Has({"applied"}) ? ", " + TableName("applied") : ""));
  // Somebody may have put things of theirs into it.
  for (const auto& [view, column] : {std::pair("TABLES", "TABLE_SCHEMA"),
                                     {"ROUTINES", "ROUTINE_SCHEMA"},
                                     {"EVENTS", "EVENT_SCHEMA"}}) {
    if (!session_
             .Query(fmt::format("SELECT 1 FROM information_schema.{} WHERE {} LIMIT 1", view,
                                NameIs(column, kRecordDatabase)))
             .empty()) {
      return;
    }
  }
  session_.Execute("DROP DATABASE IF EXISTS " + QuoteName(kRecordDatabase));
}

std::vector<std::string> RecordBook::StrangersWithReservedNames() {
  const std::vector<std::string> own = OwnSchemas();
  const bool has_records = Exists();
  std::vector<std::string> strangers;
  for (const Row& row : session_.Query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")) {
    const std::string name = row[0].value_or("");
    if (!IsReservedName(name) || std::find(own.begin(), own.end(), name) != own.end()) continue;
    if (name == kRecordDatabase && has_records) continue;
    strangers.push_back(name);
  }
  return strangers;
}

}  // namespace oxbackup::mysql
