// Views, triggers, routines and events by name: what a server has of them beside what an archive
// has.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "archive/component.h"
#include "base/run_context.h"
#include "mysql/catalog.h"

namespace oxbackup::mysql {

/// Detail of an object that the manifest lists although the archive cannot make it: a view that did
/// not work, a routine whose text could not be read.
inline constexpr char kStateDetail[] = "state";
inline constexpr char kNotRestorable[] = "not restorable";

/// A kind of NamedObject, or VIEW, as manifests say it: "package_body".
std::string ManifestKind(std::string_view kind);

/// Kind as in manifests, then name.
using NamedObjects = std::set<std::pair<std::string, std::string>>;

NamedObjects ObjectsOf(const Database& database);
/// Those that the archive can make.
NamedObjects ObjectsOf(const ComponentManifest& archive, const std::string& database);

/// Whether it has that object, restorable or not.
bool Lists(const ComponentManifest& archive, const std::string& database,
           const NamedObjects::value_type& object);

/// "views", "triggers", "routines" or "events", as Invisible::kind has it; empty for tables.
std::string_view GroupOf(std::string_view manifest_kind);

/// Adds a line for each group of which the database or the archive has any, and warns of live
/// objects that would go because the backup could not copy them. `fewer_tables`: how many more
/// tables are live than in the archive.
void PlanObjects(const Database& live, const ComponentManifest& archive, uint64_t fewer_tables,
                 RestorePlan& plan, Warnings& warnings);

}  // namespace oxbackup::mysql
