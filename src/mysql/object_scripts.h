// Views, triggers, routines and events: everything of a database that is made of SQL, not of rows.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/session.h"
#include "mysql/swap_record.h"

namespace oxbackup::mysql {

/// "the view openedx.names", for messages.
std::string Describe(const ObjectScript& script);

/// The definitions of a live database's objects; none when there is no such database.
std::vector<ObjectScript> ReadObjects(Session& session, const std::string& database);

/// Called before each change with a few words about it.
using StepHook = std::function<void(std::string_view step)>;

/// Creates the objects in the databases that they are of, first routines and events, then views
/// (each after the ones that it is built on), then triggers. The databases hold none of them yet.
/// Throws Error(kSource) naming the object that the server refuses.
void CreateObjects(Session& session, const std::vector<ObjectScript>& scripts,
                   const StepHook& on_step);
/// The same for those that are not there; the others stay as they are.
void CreateMissingObjects(Session& session, const std::vector<ObjectScript>& scripts,
                          const StepHook& on_step);

/// Creates the objects in the shadow schemas and drops them again, so that what the server would
/// refuse after the swap is known before it. Events are left out: the server might run them.
/// Objects that speak of databases of the site by name cannot be tried there and are passed over.
void RehearseObjects(Session& session, const std::vector<ObjectScript>& scripts,
                     const std::vector<SwapDatabase>& databases);

/// What DropObjects drops.
enum class ObjectsToDrop {
  kViewsAndTriggers,  ///< what a RENAME TABLE across databases refuses
  kAll,               ///< routines and events too
};

/// Drops a database's objects. Nothing happens when there are none.
void DropObjects(Session& session, const std::string& database, ObjectsToDrop which,
                 const StepHook& on_step);

}  // namespace oxbackup::mysql
