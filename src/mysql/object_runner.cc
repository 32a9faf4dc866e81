#include "mysql/object_runner.h"

#include <fmt/format.h>

#include <iterator>
#include <optional>
#include <utility>

#include "mysql/quote.h"
#include "mysql/restore_session.h"
#include "mysql/script_splitter.h"

namespace oxbackup::mysql {
namespace {

std::string_view NounOf(StatementKind kind) {
  switch (kind) {
    case StatementKind::kCreateView:
      return "view";
    case StatementKind::kCreateTrigger:
      return "trigger";
    case StatementKind::kCreateRoutine:
      return "routine";
    case StatementKind::kCreateEvent:
      return "event";
    default:
      return "";
  }
}

// A text with NO_BACKSLASH_ESCAPES in it may set that mode; the server's own flag decides.
bool ModeHasNoBackslashEscapes(Session& session) {
  return session.QueryValue("SELECT @@SESSION.sql_mode").find("NO_BACKSLASH_ESCAPES") !=
         std::string::npos;
}

bool IsPassedOverInScripts(StatementKind kind) {
  return kind == StatementKind::kUse || kind == StatementKind::kSetGlobal ||
         kind == StatementKind::kIgnored;
}

// The refusals of one script. An object is what its settings made it: under others it is not made.
class Refusals {
 public:
  explicit Refusals(const ObjectScript& script) : script_(script) {}

  void Add(const Statement& statement, std::string_view text, ServerError why) {
    const std::string_view noun = NounOf(statement.kind);
    if (noun.empty()) {
      if (!setting_) setting_ = RefusedObject{Describe(script_), std::string(text), std::move(why)};
      return;
    }
    refused_.push_back({fmt::format("the {} {}.{}", noun, script_.database, statement.name),
                        std::string(text), std::move(why)});
  }
  /// True when what the statement would make cannot be what it was; it is refused then.
  bool Withhold(const Statement& statement, std::string_view text) {
    if (!setting_ || NounOf(statement.kind).empty()) return false;
    Add(statement, text, std::exchange(setting_, std::nullopt)->why);
    return true;
  }
  std::vector<RefusedObject> Take() {
    if (setting_) refused_.push_back(*std::move(setting_));
    return std::move(refused_);
  }

 private:
  const ObjectScript& script_;
  std::optional<RefusedObject> setting_;  // refused, and no object has come after it
  std::vector<RefusedObject> refused_;
};

std::vector<RefusedObject> RunScript(Session& session, const ObjectScript& script,
                                     const ScriptRun& run) {
  run.on_step("create " + Describe(script));
  session.Execute("USE " + QuoteName(run.database_of(script)));
  const bool may_change_escapes = script.sql.find("NO_BACKSLASH_ESCAPES") != std::string::npos;
  MemoryByteSource source(script.sql);
  ScriptSplitter splitter(source);
  Refusals refusals(script);
  while (const auto text = splitter.Next()) {
    const Statement statement = Classify(*text);
    if (IsPassedOverInScripts(statement.kind)) continue;
    const std::string sql = run.edit(*text, statement);
    if (sql.empty() || refusals.Withhold(statement, *text)) continue;
    std::optional<ServerError> refused = TryWithRetry(session, sql);
    if (refused && !run.forgiven(*refused)) refusals.Add(statement, *text, *std::move(refused));
    if (may_change_escapes && statement.kind == StatementKind::kSet) {
      splitter.set_backslash_escapes(!ModeHasNoBackslashEscapes(session));
    }
  }
  ResetScriptSettings(session);
  return refusals.Take();
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

void ThrowIfAny(const std::vector<RefusedObject>& refused, std::string_view verb) {
  if (refused.empty()) return;
  const RefusedObject& first = refused.front();
  throw ToError(fmt::format("MySQL refused {}{}{}", verb, verb.empty() ? "" : " ", first.what),
                first.why);
}

std::vector<RefusedObject> RunScripts(Session& session, const std::vector<ObjectScript>& scripts,
                                      const ScriptRun& run) {
  std::vector<RefusedObject> refused;
  const auto add = [&](std::vector<RefusedObject> more) {
    refused.insert(refused.end(), std::make_move_iterator(more.begin()),
                   std::make_move_iterator(more.end()));
  };
  const auto of_kind = [&](ObjectScript::Kind kind) {
    std::vector<const ObjectScript*> chosen;
    for (const ObjectScript& script : scripts) {
      if (script.kind == kind) chosen.push_back(&script);
    }
    return chosen;
  };
  for (const ObjectScript* const script : of_kind(ObjectScript::Kind::kPost)) {
    add(RunScript(session, *script, run));
  }
  // A view over a view that comes later succeeds in the next round.
  std::vector<const ObjectScript*> views = of_kind(ObjectScript::Kind::kView);
  while (!views.empty()) {
    std::vector<const ObjectScript*> left;
    std::vector<RefusedObject> refused_views;
    for (const ObjectScript* const script : views) {
      std::vector<RefusedObject> more = RunScript(session, *script, run);
      if (more.empty()) continue;
      left.push_back(script);
      refused_views.insert(refused_views.end(), std::make_move_iterator(more.begin()),
                           std::make_move_iterator(more.end()));
    }
    if (left.size() == views.size()) {
      add(std::move(refused_views));
      break;
    }
    views = std::move(left);
  }
  for (const ObjectScript* const script : of_kind(ObjectScript::Kind::kTriggers)) {
    add(RunScript(session, *script, run));
  }
  return refused;
}

}  // namespace oxbackup::mysql
