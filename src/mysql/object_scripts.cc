#include "mysql/object_scripts.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "mysql/catalog.h"
#include "mysql/quote.h"
#include "mysql/restore_session.h"
#include "mysql/schema_dump.h"

namespace oxbackup::mysql {
namespace {

std::vector<std::string> Names(Session& session, const std::string& query) {
  std::vector<std::string> names;
  for (const Row& row : session.Query(query)) names.push_back(row[0].value_or(""));
  return names;
}

bool SaysThatItExists(const ServerError& refused) {
  constexpr unsigned kTable = 1050;
  constexpr unsigned kRoutine = 1304;
  constexpr unsigned kTrigger = 1359;
  constexpr unsigned kEvent = 1537;
  return refused.number == kTable || refused.number == kRoutine || refused.number == kTrigger ||
         refused.number == kEvent;
}

std::vector<RefusedObject> Create(Session& session, const std::vector<ObjectScript>& scripts,
                                  const StepHook& on_step,
                                  const std::function<bool(const ServerError&)>& forgiven) {
  ScriptRun run;
  run.database_of = [](const ObjectScript& script) { return script.database; };
  run.edit = [](std::string_view text, const Statement&) { return std::string(text); };
  run.forgiven = forgiven;
  run.on_step = on_step;
  std::vector<RefusedObject> refused = RunScripts(session, scripts, run);
  for (const RefusedObject& object : refused) {
    if (object.why.MayPass()) throw ToError("MySQL refused " + object.what, object.why);
  }
  return refused;
}

}  // namespace

std::vector<ObjectScript> ReadObjects(Session& session, const std::string& name) {
  std::vector<ObjectScript> scripts;
  if (session
          .Query("SELECT 1 FROM information_schema.SCHEMATA WHERE " + NameIs("SCHEMA_NAME", name))
          .empty()) {
    return scripts;
  }
  // What cannot be read (a view that no longer works) cannot be brought back either; it is no news.
  NullLog log;
  Warnings unheard(log);
  SchemaDump dump(session, unheard);
  const Database database = ReadNamedObjects(session, name);
  scripts.push_back({ObjectScript::Kind::kPost, name, "", dump.PostText(database)});
  for (const ViewName& view : dump.ViewOrder({database})) {
    scripts.push_back({ObjectScript::Kind::kView, name, view.name, dump.ViewText(view)});
  }
  std::map<std::string, std::vector<NamedObject>> by_table;
  for (const NamedObject& trigger : database.triggers) by_table[trigger.table].push_back(trigger);
  for (const auto& [table, triggers] : by_table) {
    scripts.push_back({ObjectScript::Kind::kTriggers, name, table, dump.TriggersText(triggers)});
  }
  ResetScriptSettings(session);
  return scripts;
}

std::vector<RefusedObject> CreateObjects(Session& session, const std::vector<ObjectScript>& scripts,
                                         const StepHook& on_step) {
  return Create(session, scripts, on_step, [](const ServerError&) { return false; });
}

std::vector<RefusedObject> CreateMissingObjects(Session& session,
                                                const std::vector<ObjectScript>& scripts,
                                                const StepHook& on_step) {
  return Create(session, scripts, on_step, SaysThatItExists);
}

std::vector<RefusedObject> DropObjects(Session& session, const std::string& database,
                                       ObjectsToDrop which, const StepHook& on_step) {
  std::vector<RefusedObject> refused;
  const auto drop = [&](std::string_view kind, const std::string& name) {
    on_step(fmt::format("drop {} {}.{}", kind, database, name));
    const std::string sql = fmt::format("DROP {} IF EXISTS {}", kind, QuoteName(database, name));
    const std::optional<ServerError> why = TryWithRetry(session, sql);
    if (!why) return;
    RefusedObject object{fmt::format("the {} {}.{}", LowerCase(kind), database, name), sql, *why};
    if (why->MayPass()) throw ToError("MySQL refused to drop " + object.what, *why);
    refused.push_back(std::move(object));
  };
  // The last first: those that are left when the server refuses one still come before those that
  // are then made again.
  for (const std::string& name :
       Names(session, "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE " +
                          NameIs("TRIGGER_SCHEMA", database) + " ORDER BY ACTION_ORDER DESC")) {
    drop("TRIGGER", name);
  }
  for (const std::string& name :
       Names(session, "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE " +
                          NameIs("TABLE_SCHEMA", database))) {
    drop("VIEW", name);
  }
  if (which == ObjectsToDrop::kViewsAndTriggers) return refused;
  for (const std::string& name :
       Names(session, "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE " +
                          NameIs("EVENT_SCHEMA", database))) {
    drop("EVENT", name);
  }
  for (const std::string_view kind : {"PACKAGE", "PROCEDURE", "FUNCTION"}) {
    const std::vector<std::string> names =
        Names(session, fmt::format("SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE "
                                   "ROUTINE_TYPE='{}' AND {}",
                                   kind, NameIs("ROUTINE_SCHEMA", database)));
    // MariaDB knows packages in this mode alone.
    if (kind == "PACKAGE" && !names.empty()) session.Execute("SET SESSION sql_mode=ORACLE");
    for (const std::string& name : names) drop(kind, name);
    if (kind == "PACKAGE" && !names.empty()) ResetScriptSettings(session);
  }
  return refused;
}

}  // namespace oxbackup::mysql
