#include "mongodb/restore_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"
#include "mongodb/account_rights.h"
#include "mongodb/copy_collection.h"
#include "mongodb/live_names.h"
#include "mongodb/user_dump.h"
#include "mongodb/verify.h"

namespace oxbackup::mongodb {
namespace {

struct Amount {
  uint64_t collections = 0;
  uint64_t bytes = 0;

  std::string Text() const {
    return FormatCounted(collections, "collection", "collections") + ", " + FormatBytes(bytes);
  }
};

int64_t NumberOf(const Bson& document, std::string_view key) {
  const auto field = FindField(document.bytes(), key);
  return field ? field->AsInt().value_or(0) : 0;
}

std::string LiveAmount(Session& session, const std::string& database, RestorePlan& plan) {
  uint64_t collections = 0;
  for (const auto& [name, entry] : ListLive(session, database)) {
    collections += entry.view() || IsBeside(name) ? 0 : 1;
  }
  if (collections == 0) return "nothing";
  const Reply stats = session.TryRun(database, Bson().Add("dbStats", int32_t{1}));
  if (!stats.ok()) return FormatCounted(collections, "collection", "collections");
  const int64_t total = NumberOf(stats.document, "fsTotalSize");
  const int64_t used = NumberOf(stats.document, "fsUsedSize");
  if (total > used && used > 0) plan.bytes_free = static_cast<uint64_t>(total - used);
  const int64_t size = NumberOf(stats.document, "dataSize");
  return Amount{collections, static_cast<uint64_t>(std::max<int64_t>(0, size))}.Text();
}

void CheckObject(const ObjectEntry& object, const ServerInfo& server) {
  CollectionMetadata metadata;
  metadata.type = object.kind;
  CheckServerTakes(metadata, object.database + "." + object.name, server);
}

Error LacksRights(const std::string& cause) {
  return Error(ErrorKind::kUsage, "the account lacks rights that this restore of MongoDB needs")
      .Cause(cause)
      .Hint(
          "give the user the role readWriteAnyDatabase beside backup and restore, or root, on the "
          "database admin");
}

// The roles backup and restore suffice for what is only ever inserted, renamed and dropped.
void CheckRights(Session& session, const ComponentManifest* expected,
                 const std::set<std::string>& databases, const RestoreOptions& options,
                 const NamespaceFilter& filter) {
  const AccountRights rights(session);
  const bool oplog = expected != nullptr && expected->positions.contains("oplog_start");
  for (const std::string& database : databases) {
    if (oplog && !rights.May("remove", database, "")) {
      throw LacksRights(
          fmt::format("replaying the archive's oplog removes documents in {}", database));
    }
    // It can neither be renamed nor dropped: its documents are changed one by one.
    const std::string functions = "system.js";
    if (rights.May("update", database, functions) && rights.May("remove", database, functions)) {
      continue;
    }
    bool touched =
        ListLive(session, database).contains(functions) && TakesAway(options, database, functions);
    for (const ObjectEntry& object :
         expected == nullptr ? std::vector<ObjectEntry>() : expected->objects) {
      touched |= object.name == functions && filter.Includes(object.database, object.name) &&
                 filter.Target(object.database, object.name).first == database;
    }
    if (touched) {
      throw LacksRights(fmt::format(
          "{}.{} cannot be swapped, its documents are updated and removed", database, functions));
    }
  }
}

// The server renames none (166), and the swap would find out in its middle.
void CheckMovable(const LiveEntry& live, const std::string& ns) {
  if (live.type != "timeseries") return;
  throw Error(ErrorKind::kUsage,
              fmt::format("{} on the server is a time-series collection, which the server does not "
                          "rename, so it can be neither replaced nor kept",
                          ns))
      .Hint(
          "leave it out with --nsExclude in MONGORESTORE_ADDITIONAL_OPTIONS, or drop it, then run "
          "again");
}

// Before hours of loading. Removing it before the load (--in-place) the server does.
void CheckLiveMovable(Session& session, const std::set<std::string>& databases,
                      const RestoreOptions& options) {
  for (const std::string& database : databases) {
    for (const auto& [name, entry] : ListLive(session, database)) {
      if (TakesAway(options, database, name)) CheckMovable(entry, database + "." + name);
    }
  }
}

SwapMove EmptyMove(const ServerInfo& server, const std::string& database, const std::string& name) {
  SwapMove move;
  move.database = database;
  move.name = name;
  move.stray = NameBeside(server, database, name, kStraySuffix);
  return move;
}

void AddLiveSide(SwapMove& move, const LiveEntry& live, const ServerInfo& server) {
  CheckMovable(live, move.ns());
  if (live.view()) {
    move.old_view = live.options;
    return;
  }
  move.old = NameBeside(server, move.database, move.name, kOldSuffix);
  move.old_uuid = live.uuid;
}

// What dropping a live collection frees, as far as the server tells.
uint64_t StoredBytes(Session& session, const std::string& database, const std::string& name) {
  const Reply stats = session.TryRun(database, Bson().Add("collStats", name));
  if (!stats.ok()) return 0;
  const int64_t bytes =
      NumberOf(stats.document, "storageSize") + NumberOf(stats.document, "totalIndexSize");
  return static_cast<uint64_t>(std::max<int64_t>(0, bytes));
}

uint64_t BytesThatGo(Session& session, const ComponentManifest& expected,
                     const RestoreOptions& options, const NamespaceFilter& filter) {
  std::map<std::string, std::set<std::string>> comes;
  for (const ObjectEntry& object : expected.objects) {
    if (IsOfAccounts(object) || !filter.Includes(object.database, object.name)) continue;
    const auto [database, name] = filter.Target(object.database, object.name);
    comes[database].insert(name);
  }
  uint64_t bytes = 0;
  for (const auto& [database, names] : comes) {
    for (const auto& [name, entry] : ListLive(session, database)) {
      if (entry.view() || (!names.contains(name) && !TakesAway(options, database, name))) continue;
      bytes += StoredBytes(session, database, name);
    }
  }
  return bytes;
}

}  // namespace

bool TakesAway(const RestoreOptions& options, const std::string& database,
               const std::string& name) {
  if (!options.ns_rename.empty() || IsBeside(name)) return false;
  if (name.starts_with("system.") && name != "system.js") return false;
  RestoreOptions all_databases = options;
  all_databases.databases.clear();
  return NamespaceFilter(all_databases).Includes(database, name);
}

RestorePlan MakeRestorePlan(Session& session, const ComponentManifest* expected,
                            const RestoreOptions& options, const NamespaceFilter& filter,
                            RestoreRoom room) {
  RestorePlan plan;
  std::map<std::string, Amount> after;
  std::set<std::string> in_archive;
  uint64_t accounts = 0;
  if (expected != nullptr) {
    for (const ObjectEntry& object : expected->objects) {
      if (IsOfAccounts(object)) {
        const bool wanted = options.ns_rename.empty() && filter.Includes("admin", object.name);
        if (wanted && object.name != "system.version") accounts += object.items;
        continue;
      }
      in_archive.insert(object.database);
      if (!filter.Includes(object.database, object.name)) continue;
      CheckObject(object, session.server());
      Amount& amount = after[filter.Target(object.database, object.name).first];
      amount.collections += object.kind == "view" ? 0 : 1;
      amount.bytes += object.raw_bytes;
      plan.bytes_needed += object.raw_bytes;
    }
    for (const std::string& database : options.databases) {
      if (in_archive.contains(database)) continue;
      throw Error(ErrorKind::kUsage,
                  fmt::format("the archive holds no MongoDB database '{}'", database))
          .Hint("leave it out of the list of databases; inspect shows what the archive holds");
    }
  } else {
    for (const std::string& database : options.databases) after[database];
    if (options.databases.empty()) {
      plan.replaced.push_back(
          {"the databases in the dump", "what the server has of them", "what the dump has"});
    }
  }
  std::set<std::string> databases;
  for (const auto& [database, amount] : after) databases.insert(database);
  CheckRights(session, expected, databases, options, filter);
  if (room == RestoreRoom::kBeside) CheckLiveMovable(session, databases, options);
  for (const auto& [database, amount] : after) {
    plan.replaced.push_back({database, LiveAmount(session, database, plan),
                             expected == nullptr ? "what the archive holds" : amount.Text()});
  }
  if (room == RestoreRoom::kInPlace && expected != nullptr && plan.bytes_free) {
    *plan.bytes_free += BytesThatGo(session, *expected, options, filter);
  }
  if (accounts > 0) {
    plan.replaced.push_back({"users and roles", "stay, but for those of the same names",
                             FormatCounted(accounts, "user or role", "users and roles")});
  }
  return plan;
}

SwapRecord PlanMoves(Session& session, const RestoredCollections& collections,
                     const RestoreOptions& options) {
  const ServerInfo& server = session.server();
  SwapRecord record;
  std::map<std::string, std::map<std::string, LiveEntry>> live;
  std::set<CollectionName> comes;
  std::optional<bool> renames_dots;
  const auto must_copy = [&](const std::string& database, const std::string& name) {
    if (name == "system.js") return true;
    if (name.find('.') == std::string::npos) return false;
    if (!renames_dots) renames_dots = RenamesDottedNames(session, database);
    return !*renames_dots;
  };
  for (const auto& collection : collections) {
    const auto [database, first] = live.try_emplace(collection->database);
    if (first) database->second = ListLive(session, collection->database);
    const auto& names = database->second;
    if (!comes.emplace(collection->database, collection->name).second) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("two collections of the archive would become {}", collection->ns()))
          .Hint("change --nsFrom and --nsTo");
    }
    const auto now = names.find(collection->name);
    const bool is_live = now != names.end();
    if (!collection->metadata.view() && must_copy(collection->database, collection->name)) {
      record.copies.push_back(
          {collection->database, collection->name, collection->temp_name,
           is_live ? NameBeside(server, collection->database, collection->name, kOldSuffix) : ""});
      continue;
    }
    SwapMove move = EmptyMove(server, collection->database, collection->name);
    if (collection->metadata.view()) {
      move.new_view = CreateOptions(collection->metadata, server);
    } else {
      move.restored = collection->temp_name;
      const auto loaded = names.find(collection->temp_name);
      if (loaded != names.end()) move.restored_uuid = loaded->second.uuid;
    }
    if (is_live) AddLiveSide(move, now->second, server);
    record.moves.push_back(std::move(move));
  }
  for (const auto& [database, names] : live) {
    for (const auto& [name, entry] : names) {
      if (comes.contains({database, name}) || !TakesAway(options, database, name)) continue;
      if (!entry.view() && must_copy(database, name)) {
        record.copies.push_back(
            {database, name, "", NameBeside(server, database, name, kOldSuffix)});
        continue;
      }
      SwapMove move = EmptyMove(server, database, name);
      AddLiveSide(move, entry, server);
      record.moves.push_back(std::move(move));
    }
  }
  return record;
}

void CheckAgainstManifest(const RestoredCollections& collections, const ComponentManifest& expected,
                          const NamespaceFilter& filter) {
  std::map<CollectionName, const RestoredCollection*> loaded;
  for (const auto& collection : collections) {
    loaded[{collection->source_database, collection->source_name}] = collection.get();
  }
  for (const ObjectEntry& object : expected.objects) {
    if (IsOfAccounts(object) || object.kind == "view") continue;
    if (!filter.Includes(object.database, object.name)) continue;
    const auto found = loaded.find({object.database, object.name});
    const ContentDigest digest =
        found == loaded.end() ? ContentDigest() : found->second->digests.archived;
    const bool there = found != loaded.end();
    if (there && digest.count() == object.items &&
        (object.digest.empty() || digest.Hex() == object.digest)) {
      continue;
    }
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{}.{} in the archive is not what its manifest says", object.database,
                            object.name))
        .Cause(there ? fmt::format("{} instead of {}", DescribeDigest(digest.count(), digest.Hex()),
                                   DescribeDigest(object.items, object.digest))
                     : "it has no such member")
        .Hint("verify the archive and restore another one");
  }
}

}  // namespace oxbackup::mongodb
