#include "mysql/object_scripts.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/log.h"
#include "mysql/catalog.h"
#include "mysql/quote.h"
#include "mysql/restore_session.h"
#include "mysql/schema_dump.h"
#include "mysql/script_splitter.h"
#include "mysql/statement.h"

namespace oxbackup::mysql {
namespace {

// A text with NO_BACKSLASH_ESCAPES in it may set that mode; the server's own flag decides.
bool ModeHasNoBackslashEscapes(Session& session) {
  return session.QueryValue("SELECT @@SESSION.sql_mode").find("NO_BACKSLASH_ESCAPES") !=
         std::string::npos;
}

enum class RunFor { kCreation, kMissingAlone, kRehearsal };

bool SaysThatItExists(const ServerError& refused) {
  constexpr unsigned kTable = 1050;
  constexpr unsigned kRoutine = 1304;
  constexpr unsigned kTrigger = 1359;
  constexpr unsigned kEvent = 1537;
  return refused.number == kTable || refused.number == kRoutine || refused.number == kTrigger ||
         refused.number == kEvent;
}

// Runs a script in `database`; what the server refuses is returned. Statements that choose a
// database or change the server are passed over.
std::optional<ServerError> RunScript(Session& session, const ObjectScript& script,
                                     const std::string& database, RunFor purpose) {
  session.Execute("USE " + QuoteName(database));
  const bool may_change_escapes = script.sql.find("NO_BACKSLASH_ESCAPES") != std::string::npos;
  MemoryByteSource source(script.sql);
  ScriptSplitter splitter(source);
  std::optional<ServerError> refused;
  while (const auto statement = splitter.Next()) {
    const StatementKind kind = Classify(*statement).kind;
    if (kind == StatementKind::kUse || kind == StatementKind::kSetGlobal ||
        kind == StatementKind::kIgnored) {
      continue;
    }
    if (purpose == RunFor::kRehearsal &&
        (kind == StatementKind::kCreateEvent || kind == StatementKind::kAlterDatabase)) {
      continue;
    }
    refused = TryWithRetry(session, *statement);
    if (refused && purpose == RunFor::kMissingAlone && SaysThatItExists(*refused)) refused.reset();
    if (refused) break;
    if (may_change_escapes && kind == StatementKind::kSet) {
      splitter.set_backslash_escapes(!ModeHasNoBackslashEscapes(session));
    }
  }
  ResetScriptSettings(session);
  return refused;
}

std::vector<const ObjectScript*> OfKind(const std::vector<ObjectScript>& scripts,
                                        ObjectScript::Kind kind) {
  std::vector<const ObjectScript*> chosen;
  for (const ObjectScript& script : scripts) {
    if (script.kind == kind) chosen.push_back(&script);
  }
  return chosen;
}

using Runner = std::function<std::optional<ServerError>(const ObjectScript&)>;

// Runs scripts until all have succeeded or none of the rest does: a view over a view that comes
// later succeeds in the next round.
void RunRounds(std::vector<const ObjectScript*> scripts, const Runner& run) {
  while (!scripts.empty()) {
    std::vector<const ObjectScript*> refused_scripts;
    std::optional<ServerError> first_refusal;
    for (const ObjectScript* const script : scripts) {
      std::optional<ServerError> refused = run(*script);
      if (!refused) continue;
      if (!first_refusal) first_refusal = std::move(refused);
      refused_scripts.push_back(script);
    }
    if (refused_scripts.size() == scripts.size()) {
      throw ToError("MySQL refused " + Describe(*scripts.front()), *first_refusal);
    }
    scripts = std::move(refused_scripts);
  }
}

void RunAll(const std::vector<ObjectScript>& scripts, const Runner& run) {
  const auto once = [&](ObjectScript::Kind kind) {
    for (const ObjectScript* const script : OfKind(scripts, kind)) {
      if (const std::optional<ServerError> refused = run(*script)) {
        throw ToError("MySQL refused " + Describe(*script), *refused);
      }
    }
  };
  once(ObjectScript::Kind::kPost);
  RunRounds(OfKind(scripts, ObjectScript::Kind::kView), run);
  once(ObjectScript::Kind::kTriggers);
}

std::vector<std::string> Names(Session& session, const std::string& query) {
  std::vector<std::string> names;
  for (const Row& row : session.Query(query)) names.push_back(row[0].value_or(""));
  return names;
}

}  // namespace

std::string Describe(const ObjectScript& script) {
  switch (script.kind) {
    case ObjectScript::Kind::kView:
      return fmt::format("the view {}.{}", script.database, script.name);
    case ObjectScript::Kind::kTriggers:
      return fmt::format("the triggers of {}.{}", script.database, script.name);
    case ObjectScript::Kind::kPost:
      return fmt::format("the routines and events of {}", script.database);
  }
  return script.name;
}

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
  const Database database = ReadDatabase(session, name);
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

void CreateObjects(Session& session, const std::vector<ObjectScript>& scripts,
                   const StepHook& on_step) {
  RunAll(scripts, [&](const ObjectScript& script) {
    on_step("create " + Describe(script));
    return RunScript(session, script, script.database, RunFor::kCreation);
  });
}

void CreateMissingObjects(Session& session, const std::vector<ObjectScript>& scripts,
                          const StepHook& on_step) {
  RunAll(scripts, [&](const ObjectScript& script) {
    on_step("bring back " + Describe(script));
    return RunScript(session, script, script.database, RunFor::kMissingAlone);
  });
}

void RehearseObjects(Session& session, const std::vector<ObjectScript>& scripts,
                     const std::vector<SwapDatabase>& databases) {
  constexpr unsigned kUnknownRoutine = 1305;
  constexpr unsigned kInvalidView = 1356;
  constexpr unsigned kUnknownDefiner = 1449;
  std::vector<ObjectScript> alone;
  for (const ObjectScript& script : scripts) {
    const bool speaks_of_site = std::any_of(
        databases.begin(), databases.end(),
        [&](const SwapDatabase& database) { return Mentions(script.sql, database.name); });
    if (!speaks_of_site) alone.push_back(script);
  }
  const auto shadow_of = [&](const std::string& name) {
    const auto found = std::find_if(databases.begin(), databases.end(),
                                    [&](const SwapDatabase& d) { return d.name == name; });
    return found->shadow;
  };
  WithContext([] { return "trying views, triggers and routines beside the live databases"; },
              [&] {
                RunAll(alone, [&](const ObjectScript& script) {
                  std::optional<ServerError> refused =
                      RunScript(session, script, shadow_of(script.database), RunFor::kRehearsal);
                  // It may be built on one that was left out; accounts come with the swap.
                  const bool left_out = alone.size() < scripts.size();
                  if (refused && (refused->number == kUnknownDefiner ||
                                  (left_out && (refused->number == kNoSuchTable ||
                                                refused->number == kUnknownRoutine ||
                                                refused->number == kInvalidView)))) {
                    refused.reset();
                  }
                  return refused;
                });
              });
  for (const SwapDatabase& database : databases) {
    DropObjects(session, database.shadow, ObjectsToDrop::kAll, [](std::string_view) {});
  }
}

void DropObjects(Session& session, const std::string& database, ObjectsToDrop which,
                 const StepHook& on_step) {
  const auto drop = [&](std::string_view kind, const std::string& name) {
    on_step(fmt::format("drop {} {}.{}", kind, database, name));
    ExecuteWithRetry(session, fmt::format("DROP {} IF EXISTS {}", kind, QuoteName(database, name)));
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
  if (which == ObjectsToDrop::kViewsAndTriggers) return;
  for (const std::string& name :
       Names(session, "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE " +
                          NameIs("EVENT_SCHEMA", database))) {
    drop("EVENT", name);
  }
  for (const std::string_view kind : {"PACKAGE", "PROCEDURE", "FUNCTION"}) {
    for (const std::string& name :
         Names(session, fmt::format("SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE "
                                    "ROUTINE_TYPE='{}' AND {}",
                                    kind, NameIs("ROUTINE_SCHEMA", database)))) {
      drop(kind, name);
    }
  }
}

}  // namespace oxbackup::mysql
