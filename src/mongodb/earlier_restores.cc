#include "mongodb/earlier_restores.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "mongodb/live_names.h"
#include "mongodb/swap_record.h"

namespace oxbackup::mongodb {

std::set<std::string> KeptCollections(Session& session, const std::string& record_database) {
  std::set<std::string> kept;
  for (const SwapRecord& record : ReadSwapRecords(session, record_database)) {
    if (record.state != SwapState::kDone) continue;
    for (const SwapMove& move : record.moves) kept.insert(move.database + "." + move.old);
    for (const SwapCopy& copy : record.copies) kept.insert(copy.database + "." + copy.old);
  }
  return kept;
}

// Read one after the other, some collections would be those from before a restore and others those
// that it brought, each of them whole. A site replaces single collections ($out), a restore all of
// a database, which shows in their UUIDs. A database's only collection tells nothing, and is whole.
void RefuseIfOvertaken(Session& session, const std::vector<CollectionInfo>& catalog) {
  std::map<std::string, std::vector<const CollectionInfo*>> by_database;
  for (const CollectionInfo& collection : catalog) {
    if (!collection.is_view() && collection.uuid) {
      by_database[collection.database].push_back(&collection);
    }
  }
  for (const auto& [database, collections] : by_database) {
    if (collections.size() < 2) continue;
    const std::map<std::string, LiveEntry> now = ListLive(session, database);
    const bool same = std::ranges::any_of(collections, [&](const CollectionInfo* collection) {
      const auto found = now.find(collection->name);
      return found != now.end() && found->second.uuid == collection->uuid;
    });
    if (same || now.empty()) continue;
    throw Error(ErrorKind::kSource,
                fmt::format("all collections of MongoDB's {} were replaced while they were copied, "
                            "as a restore does",
                            database))
        .Hint("run the backup again when no restore is running; nothing of this run is kept");
  }
}

}  // namespace oxbackup::mongodb
