// Views, triggers, routines and events: everything of a database that is made of SQL, not of rows.
#pragma once

#include <string>
#include <vector>

#include "mysql/object_runner.h"
#include "mysql/session.h"
#include "mysql/swap_record.h"

namespace oxbackup::mysql {

/// The definitions of a live database's objects; none when there is no such database.
std::vector<ObjectScript> ReadObjects(Session& session, const std::string& database);

/// Creates the objects in the databases that they are of, in the order of RunScripts, and returns
/// those that the server refuses; all others are there then. Throws Error(kSource) for a refusal
/// that may pass, when there is one.
[[nodiscard]] std::vector<RefusedObject> CreateObjects(Session& session,
                                                       const std::vector<ObjectScript>& scripts,
                                                       const StepHook& on_step);
/// The same for those that are not there; the others stay as they are.
[[nodiscard]] std::vector<RefusedObject> CreateMissingObjects(
    Session& session, const std::vector<ObjectScript>& scripts, const StepHook& on_step);

/// What DropObjects drops.
enum class ObjectsToDrop {
  kViewsAndTriggers,  ///< what a RENAME TABLE across databases refuses
  kAll,               ///< routines and events too
};

/// Drops a database's objects and returns those that the server refuses to drop, which stay.
/// Nothing happens when there are none. Throws Error(kSource) at a refusal that may pass.
[[nodiscard]] std::vector<RefusedObject> DropObjects(Session& session, const std::string& database,
                                                     ObjectsToDrop which, const StepHook& on_step);

}  // namespace oxbackup::mysql
