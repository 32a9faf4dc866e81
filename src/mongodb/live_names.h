// What a database holds now: names, kinds and UUIDs, for the restore.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// What listCollections says of one name.
struct LiveEntry {
  std::string type;  ///< "collection", "view", "timeseries"
  Bson options;
  std::optional<Uuid> uuid;  ///< nothing for views and for servers without UUIDs

  bool view() const { return type == "view"; }
};

/// By name, without the server's own (system.views, system.buckets.…, system.profile,
/// system.indexes). A database that does not exist is empty.
std::map<std::string, LiveEntry> ListLive(Session& session, const std::string& database);

/// Endings of the names that a restore uses beside the live ones.
inline constexpr std::string_view kRestoreSuffix = "__restore";
inline constexpr std::string_view kOldSuffix = "__old";
/// What writers created under a live name in the gap of a swap that was not one step.
inline constexpr std::string_view kStraySuffix = "__stray";

/// The name beside `collection` with that ending; where it would be longer than the server takes,
/// or begin with "system.", one made of a hash.
std::string NameBeside(const ServerInfo& server, const std::string& database,
                       const std::string& collection, std::string_view suffix);
/// Whether a name is one of those.
bool IsBeside(std::string_view collection);

/// Drops what restores loaded into a database and did not bring to a swap. REQUIRES: no swap is
/// open: what it has yet to bring in has such names too.
void DropLoaded(Session& session, const std::string& database);
/// Drops a collection or view. One that is not there is fine.
void DropCollection(Session& session, const std::string& database, const std::string& name);

}  // namespace oxbackup::mongodb
