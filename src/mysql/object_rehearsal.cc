#include "mysql/object_rehearsal.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include "base/error.h"
#include "mysql/object_runner.h"
#include "mysql/object_scripts.h"
#include "mysql/quote.h"
#include "mysql/restore_session.h"
#include "mysql/sql_lexer.h"
#include "mysql/statement.h"

namespace oxbackup::mysql {
namespace {

constexpr unsigned kUnknownRoutine = 1305;
constexpr unsigned kInvalidView = 1356;
constexpr unsigned kUnknownDefiner = 1449;
constexpr std::string_view kTrialTable = "openedx_backup_trial";

using Forgiven = std::function<bool(const ServerError&)>;

// What comes before an object's name, "CREATE DEFINER=`a`@`b` EVENT ", without the comments that
// mysqldump puts it into by pieces.
std::string HeadOf(std::string_view text, const Statement& statement) {
  SqlLexer lexer(text.substr(0, statement.name_begin));
  std::string head;
  for (SqlToken token = lexer.Next(); token.kind != SqlToken::Kind::kEnd; token = lexer.Next()) {
    if (token.IsSymbol('@')) head.pop_back();
    head += token.raw;
    if (!token.IsSymbol('@')) head += ' ';
  }
  return head;
}

// The statement with an empty body: whom it runs as and who may create it stay. Empty where there
// is no such statement.
std::string WithEmptyBody(Session& session, std::string_view text, const Statement& statement) {
  if (statement.name.empty()) return "";
  const std::string head = HeadOf(text, statement);
  const std::string named = head + QuoteName(statement.name);
  switch (statement.kind) {
    case StatementKind::kCreateEvent:
      return named + " ON SCHEDULE EVERY 1 YEAR DISABLE DO DO 0";
    case StatementKind::kCreateView:
      return named + " AS SELECT 0 AS a";
    case StatementKind::kCreateTrigger:
      return named + " BEFORE INSERT ON " + std::string(kTrialTable) +
             " FOR EACH ROW SET @openedx_backup_trial = 0";
    case StatementKind::kCreateRoutine:
      // The mode ORACLE has another grammar for them.
      if (session.QueryValue("SELECT @@SESSION.sql_mode LIKE '%ORACLE%'") == "1") return "";
      if (head.ends_with(" PROCEDURE ")) return named + "() DO 0";
      if (head.ends_with(" FUNCTION ") && !head.ends_with(" AGGREGATE FUNCTION ")) {
        return named + "() RETURNS INT DETERMINISTIC RETURN 0";
      }
      return "";
    default:
      return "";
  }
}

class Rehearsal {
 public:
  Rehearsal(Session& session, const std::vector<SwapDatabase>& databases)
      : session_(session), databases_(databases) {}

  /// Whole.
  void Try(const std::vector<ObjectScript>& scripts, Forgiven forgiven) {
    ScriptRun run = RunInShadows(std::move(forgiven));
    run.edit = [](std::string_view text, const Statement& statement) {
      const bool left_out = statement.kind == StatementKind::kCreateEvent ||
                            statement.kind == StatementKind::kAlterDatabase;
      return left_out ? std::string() : std::string(text);
    };
    ThrowIfAny(RunScripts(session_, scripts, run));
    Drop();
  }

  /// With empty bodies; of all objects, or only of events.
  void TryHeads(const std::vector<ObjectScript>& scripts, bool events_alone) {
    if (scripts.empty()) return;
    for (const SwapDatabase& database : databases_) {
      ExecuteWithRetry(session_, "CREATE TABLE " + QuoteName(database.shadow, kTrialTable) +
                                     " (a INT PRIMARY KEY) ENGINE=InnoDB");
    }
    ScriptRun run =
        RunInShadows([](const ServerError& refused) { return refused.number == kUnknownDefiner; });
    run.edit = [&](std::string_view text, const Statement& statement) {
      // Where a text ends and what its bytes mean depends on them.
      if (statement.kind == StatementKind::kSet) return std::string(text);
      const bool wanted = !events_alone || statement.kind == StatementKind::kCreateEvent;
      return wanted ? WithEmptyBody(session_, text, statement) : std::string();
    };
    ThrowIfAny(RunScripts(session_, scripts, run));
    Drop();
    for (const SwapDatabase& database : databases_) {
      ExecuteWithRetry(session_, "DROP TABLE " + QuoteName(database.shadow, kTrialTable));
    }
  }

 private:
  ScriptRun RunInShadows(Forgiven forgiven) {
    ScriptRun run;
    run.database_of = [this](const ObjectScript& script) { return ShadowOf(script.database); };
    run.forgiven = std::move(forgiven);
    run.on_step = [](std::string_view) {};
    return run;
  }
  std::string ShadowOf(const std::string& name) {
    const auto found =
        std::ranges::find_if(databases_, [&](const SwapDatabase& d) { return d.name == name; });
    return found->shadow;
  }
  void Drop() {
    for (const SwapDatabase& database : databases_) {
      ThrowIfAny(
          DropObjects(session_, database.shadow, ObjectsToDrop::kAll, [](std::string_view) {}),
          "to drop");
    }
  }

  Session& session_;
  const std::vector<SwapDatabase>& databases_;
};

}  // namespace

void RehearseObjects(Session& session, const std::vector<ObjectScript>& scripts,
                     const std::vector<SwapDatabase>& databases) {
  std::vector<ObjectScript> alone;
  std::vector<ObjectScript> speaking;
  for (const ObjectScript& script : scripts) {
    const bool speaks_of_site = std::ranges::any_of(databases, [&](const SwapDatabase& database) {
      return Mentions(script.sql, database.name);
    });
    (speaks_of_site ? speaking : alone).push_back(script);
  }
  const bool left_out = !speaking.empty();
  // It may be built on one that was left out; accounts come with the swap.
  const auto forgiven = [left_out](const ServerError& refused) {
    return refused.number == kUnknownDefiner ||
           (left_out && (refused.number == kNoSuchTable || refused.number == kUnknownRoutine ||
                         refused.number == kInvalidView));
  };
  WithContext([] { return "trying views, triggers and routines beside the live databases"; },
              [&] {
                Rehearsal rehearsal(session, databases);
                rehearsal.Try(alone, forgiven);
                rehearsal.TryHeads(alone, true);
                rehearsal.TryHeads(speaking, false);
              });
}

void RehearseLiveObjects(Session& session, const std::vector<SwapDatabase>& databases) {
  std::vector<ObjectScript> live;
  for (const SwapDatabase& database : databases) {
    std::vector<ObjectScript> more = ReadObjects(session, database.name);
    live.insert(live.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  }
  WithContext(
      [] {
        return "trying whether the live views, triggers, routines and events could be dropped and "
               "created again";
      },
      [&] { Rehearsal(session, databases).TryHeads(live, false); });
}

}  // namespace oxbackup::mysql
