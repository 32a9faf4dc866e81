#include "mysql/schema_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "mysql/quote.h"
#include "mysql/row_chunks.h"

namespace oxbackup::mysql {
namespace {

// A delimiter that the statement does not contain.
std::string_view DelimiterFor(std::string_view statement) {
  constexpr std::array<std::string_view, 4> kDelimiters = {";;", "$$", "//", "@@end@@"};
  for (const std::string_view delimiter : kDelimiters) {
    if (statement.find(delimiter) == std::string_view::npos) return delimiter;
  }
  return "@@end-of-statement@@";
}

void ReplaceHead(std::string& text, std::string_view head, std::string_view with) {
  if (text.starts_with(head)) text.replace(0, head.size(), with);
}

}  // namespace

/// A stored program or view with what it has to be created under.
struct SchemaDump::Definition {
  std::string drop;  // "DROP TRIGGER IF EXISTS `t`"
  std::string create;
  std::string sql_mode;   // empty: none is kept
  std::string time_zone;  // events only
  std::string client_charset;
  std::string connection_collation;
  std::string database_collation;  // empty: none is kept
};

void SchemaDump::Use(const std::string& database) {
  // Without a default database the server names every object with its own.
  session_.Execute("USE " + QuoteName(database));
}

// The texts of programs and views come in the bytes they were sent in, which is what the character
// sets of their creation, set again before them, expect.
Rows SchemaDump::RawQuery(const std::string& sql) {
  session_.Execute("SET character_set_results = NULL");
  ServerError refused;
  std::optional<Rows> rows = session_.TryQuery(sql, refused);
  session_.Execute("SET character_set_results = utf8mb4");
  if (!rows) throw ToError("MySQL refused " + sql, refused);
  return std::move(*rows);
}

std::string SchemaDump::DatabaseText(const std::string& database) {
  const Rows rows = session_.Query("SHOW CREATE DATABASE IF NOT EXISTS " + QuoteName(database));
  return fmt::format("{}{};\n", kPreamble, TextOf(rows.at(0), 1));
}

std::string SchemaDump::TableText(const Table& table) {
  Use(table.database);
  const std::string name = QuoteName(table.name);
  const bool sequence = table.engine == "SEQUENCE";
  const std::string_view kind = sequence ? "SEQUENCE" : "TABLE";
  ServerError refused;
  const auto rows = session_.TryQuery(fmt::format("SHOW CREATE {} {}", kind, name), refused);
  if (!rows) throw ToTableError(table.database + "." + table.name, refused);
  std::string text =
      fmt::format("{}DROP {} IF EXISTS {};\n{};\n", kPreamble, kind, name, TextOf(rows->at(0), 1));
  if (sequence) {
    text += fmt::format("DO SETVAL({}, {}, 0);\n", name,
                        session_.QueryValue("SELECT next_not_cached_value FROM " + name));
  }
  return text;
}

std::string SchemaDump::InItsContext(const std::string& database, const Definition& definition) {
  std::string settings = fmt::format("character_set_client={}, collation_connection={}",
                                     definition.client_charset, definition.connection_collation);
  if (!definition.time_zone.empty()) {
    settings += ", time_zone=" + QuoteString(definition.time_zone);
  }
  const std::string_view delimiter = DelimiterFor(definition.create);
  const std::string present =
      session_.QueryValue("SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE " +
                          NameIs("SCHEMA_NAME", database));
  const bool other_default =
      !definition.database_collation.empty() && definition.database_collation != present;
  std::string text;
  // A program keeps the database's collation of its creation; the database's may have changed
  // since.
  if (other_default) {
    text += fmt::format("ALTER DATABASE COLLATE {};\n", definition.database_collation);
  }
  text += fmt::format("SET {};\n", settings);
  if (!definition.drop.empty()) {
    // MariaDB drops a package only in the mode that it is created in.
    text +=
        fmt::format("SET sql_mode={};\n{};\n", QuoteString(definition.sql_mode), definition.drop);
  }
  // On a line of its own: the text may end in a comment.
  text += fmt::format("DELIMITER {0}\n{1}\n{0}\nDELIMITER ;\n", delimiter, definition.create);
  if (other_default) text += fmt::format("ALTER DATABASE COLLATE {};\n", present);
  return text + std::string(kPreamble);
}

std::string SchemaDump::ViewText(const ViewName& view) {
  Use(view.database);
  const std::string name = QuoteName(view.name);
  const Row row = RawQuery("SHOW CREATE VIEW " + name).at(0);
  ServerError refused;
  const bool works = session_.TryQuery("SELECT 1 FROM " + name + " LIMIT 0", refused).has_value();
  constexpr unsigned kViewInvalid = 1356;
  std::string create = TextOf(row, 1);
  if (!works && refused.number == kViewInvalid) {
    warnings_.Add(
        fmt::format("the view {}.{} does not work on the server ({}): it is in the backup "
                    "as a comment and will not be restored",
                    view.database, view.name, refused.message));
    left_out_.insert({view.database, "VIEW", view.name});
    std::string comment = "-- This view did not work when it was copied:\n-- ";
    for (const char c : create) {
      comment += c;
      if (c == '\n') comment += "-- ";
    }
    return std::string(kPreamble) + comment + "\n";
  }
  ReplaceHead(create, "CREATE ", "CREATE OR REPLACE ");
  Definition definition;
  definition.create = std::move(create);
  definition.client_charset = TextOf(row, 2);
  definition.connection_collation = TextOf(row, 3);
  return std::string(kPreamble) + InItsContext(view.database, definition);
}

std::string SchemaDump::TriggersText(const std::vector<NamedObject>& triggers) {
  std::string text(kPreamble);
  for (const NamedObject& trigger : triggers) {
    Use(trigger.database);
    const std::string name = QuoteName(trigger.name);
    const Row row = RawQuery("SHOW CREATE TRIGGER " + name).at(0);
    Definition definition;
    definition.drop = "DROP TRIGGER IF EXISTS " + name;
    definition.sql_mode = TextOf(row, 1);
    definition.create = TextOf(row, 2);
    definition.client_charset = TextOf(row, 3);
    definition.connection_collation = TextOf(row, 4);
    definition.database_collation = TextOf(row, 5);
    text += InItsContext(trigger.database, definition);
  }
  return text;
}

std::string SchemaDump::RoutineText(const NamedObject& routine) {
  const std::string name = QuoteName(routine.name);
  const Row row = RawQuery(fmt::format("SHOW CREATE {} {}", routine.kind, name)).at(0);
  if (!row[2]) {
    warnings_.Add(fmt::format(
        "the {} {}.{} is not in the backup: {} may not read its text (grant SHOW_ROUTINE)",
        routine.kind, routine.database, routine.name, session_.where()));
    left_out_.insert({routine.database, routine.kind, routine.name});
    return "";
  }
  Definition definition;
  definition.drop = fmt::format("DROP {} IF EXISTS {}", routine.kind, name);
  definition.sql_mode = TextOf(row, 1);
  definition.create = *row[2];
  definition.client_charset = TextOf(row, 3);
  definition.connection_collation = TextOf(row, 4);
  definition.database_collation = TextOf(row, 5);
  return InItsContext(routine.database, definition);
}

std::string SchemaDump::EventText(const NamedObject& event) {
  const std::string name = QuoteName(event.name);
  const Row row = RawQuery("SHOW CREATE EVENT " + name).at(0);
  Definition definition;
  definition.drop = "DROP EVENT IF EXISTS " + name;
  definition.sql_mode = TextOf(row, 1);
  definition.time_zone = TextOf(row, 2);
  definition.create = TextOf(row, 3);
  definition.client_charset = TextOf(row, 4);
  definition.connection_collation = TextOf(row, 5);
  definition.database_collation = TextOf(row, 6);
  return InItsContext(event.database, definition);
}

std::string SchemaDump::PostText(const Database& database) {
  std::string text(kPreamble);
  Use(database.name);
  for (const NamedObject& routine : database.routines) text += RoutineText(routine);
  for (const NamedObject& event : database.events) text += EventText(event);
  return text;
}

bool SchemaDump::LeftOut(const NamedObject& object) const {
  return left_out_.contains({object.database, object.kind, object.name});
}

bool ViewMayUse(std::string_view definition, std::string_view relation) {
  const std::string name = QuoteName(relation);
  for (size_t at = definition.find(name); at != std::string_view::npos;
       at = definition.find(name, at + 1)) {
    const std::string_view before = definition.substr(0, at);
    const std::string_view after = definition.substr(at + name.size());
    // `name`.`column` and "… AS `name`" name columns and aliases, not a relation.
    if (!after.starts_with('.') && !before.ends_with(" AS ")) return true;
  }
  return false;
}

std::vector<ViewName> SchemaDump::ViewOrder(const std::vector<Database>& databases) {
  struct Found {
    ViewName name;
    std::string text;
    bool visited = false;
  };
  std::vector<Found> views;
  for (const Database& database : databases) {
    if (!database.views.empty()) Use(database.name);
    for (const std::string& view : database.views) {
      const Rows rows = session_.Query("SHOW CREATE VIEW " + QuoteName(view));
      views.push_back({{database.name, view}, TextOf(rows.at(0), 1)});
    }
  }
  std::vector<ViewName> order;
  const std::function<void(Found&)> visit = [&](Found& view) {
    if (std::exchange(view.visited, true)) return;
    for (Found& other : views) {
      if (&other != &view && ViewMayUse(view.text, other.name.name)) visit(other);
    }
    order.push_back(view.name);
  };
  for (Found& view : views) visit(view);
  return order;
}

}  // namespace oxbackup::mysql
