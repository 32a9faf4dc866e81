// Runs the scripts that make views, triggers, routines and events, and tells what the server did
// not take.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/server_error.h"
#include "mysql/session.h"
#include "mysql/statement.h"
#include "mysql/swap_record.h"

namespace oxbackup::mysql {

/// "the view openedx.names", for messages.
std::string Describe(const ObjectScript& script);

/// Called before each change with a few words about it.
using StepHook = std::function<void(std::string_view step)>;

/// An object that the server refused to create or to drop.
struct RefusedObject {
  std::string what;       ///< "the event shop.tidy"
  std::string statement;  ///< what it refused
  ServerError why;
};

/// Throws Error(kSource) at the first of them. `verb`: what was refused, "to drop"; empty: to
/// create.
void ThrowIfAny(const std::vector<RefusedObject>& refused, std::string_view verb = {});

/// How scripts are run.
struct ScriptRun {
  /// The database that a script's objects are made in.
  std::function<std::string(const ObjectScript&)> database_of;
  /// What is run in a statement's place; empty: it is passed over.
  std::function<std::string(std::string_view text, const Statement& statement)> edit;
  /// Refusals that count as none.
  std::function<bool(const ServerError&)> forgiven;
  StepHook on_step;
};

/// Runs the scripts, first routines and events, then views (each after the ones that it is built
/// on), then triggers, and returns what the server refused of them; one object that is refused
/// keeps no other from being made. Statements that choose a database or change the server are
/// passed over. The session has its own settings again afterwards. Throws Error(kSource) when the
/// connection is lost.
std::vector<RefusedObject> RunScripts(Session& session, const std::vector<ObjectScript>& scripts,
                                      const ScriptRun& run);

}  // namespace oxbackup::mysql
