#include "mongodb/live_names.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace oxbackup::mongodb {
namespace {

bool IsBookkeeping(std::string_view name) {
  return name == "system.views" || name == "system.profile" || name == "system.indexes" ||
         name == "system.namespaces" || name.starts_with("system.buckets.");
}

// (manual) 255 bytes for "db.collection" from 4.4 on, 120 before.
size_t NamespaceLimit(const ServerInfo& server) { return server.AtLeast(4, 4) ? 255 : 120; }

}  // namespace

std::map<std::string, LiveEntry> ListLive(Session& session, const std::string& database) {
  std::map<std::string, LiveEntry> entries;
  const std::string what = "MongoDB does not list the collections of " + database;
  Cursor cursor(session, database, Bson().Add("listCollections", int32_t{1}));
  while (cursor.NextOrThrow(what)) {
    const std::string_view document = cursor.document();
    const auto name = FindField(document, "name");
    if (!name || !name->AsText() || IsBookkeeping(*name->AsText())) continue;
    LiveEntry entry;
    const auto type = FindField(document, "type");
    entry.type = type && type->AsText() ? std::string(*type->AsText()) : "collection";
    if (const auto options = FindField(document, "options"); options && options->AsDocument()) {
      entry.options = Bson(*options->AsDocument());
    }
    if (const auto uuid = FindPath(document, {"info", "uuid"})) entry.uuid = uuid->AsUuid();
    entries.emplace(*name->AsText(), std::move(entry));
  }
  return entries;
}

std::string NameBeside(const ServerInfo& server, const std::string& database,
                       const std::string& collection, std::string_view suffix) {
  if (collection == "system.js") return "system_js" + std::string(suffix);
  const std::string name = collection + std::string(suffix);
  const bool fits = database.size() + 1 + name.size() <= NamespaceLimit(server);
  if (fits && !collection.starts_with("system.")) return name;
  return fmt::format("oxb_{:016x}{}", Xxh3_64(collection), suffix);
}

bool IsBeside(std::string_view collection) {
  return collection.ends_with(kRestoreSuffix) || collection.ends_with(kOldSuffix) ||
         collection.ends_with(kStraySuffix);
}

void DropLoaded(Session& session, const std::string& database) {
  for (const auto& [name, entry] : ListLive(session, database)) {
    if (name.ends_with(kRestoreSuffix)) DropCollection(session, database, name);
  }
}

void DropCollection(Session& session, const std::string& database, const std::string& name) {
  const Reply reply = session.TryRun(database, Bson().Add("drop", name));
  if (reply.failure && reply.failure->code != kNamespaceNotFound) {
    throw reply.failure->ToError(fmt::format("MongoDB does not drop {}.{}", database, name));
  }
}

}  // namespace oxbackup::mongodb
