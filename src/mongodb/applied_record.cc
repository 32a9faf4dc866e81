#include "mongodb/applied_record.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/log_line.h"
#include "mongodb/live_names.h"

namespace oxbackup::mongodb {
namespace {

Bson Collection(const std::string& database, const std::string& name,
                const std::optional<Uuid>& uuid) {
  Bson collection = Bson().Add("database", database).Add("name", name);
  if (uuid) collection.Add("uuid", *uuid);
  return collection;
}

}  // namespace

std::string ScopeOf(const RestoreOptions& options) {
  const auto sorted = [](const std::vector<std::string>& list) {
    return std::set<std::string>(list.begin(), list.end());
  };
  return DumpLine({{"databases", sorted(options.databases)},
                   {"include", sorted(options.ns_include)},
                   {"exclude", sorted(options.ns_exclude)},
                   {"rename", options.ns_rename},
                   {"no_index_restore", options.no_index_restore}});
}

Bson AppliedBy(const SwapRecord& record) {
  std::vector<Bson> brought;
  for (const SwapMove& move : record.moves) {
    if (move.restored.empty() && !move.new_view) continue;
    brought.push_back(Collection(move.database, move.name, move.restored_uuid));
  }
  for (const SwapCopy& copy : record.copies) {
    if (!copy.restored.empty()) {
      brought.push_back(Collection(copy.database, copy.name, std::nullopt));
    }
  }
  Bson collections;
  for (size_t at = 0; at < brought.size(); ++at) collections.Add(std::to_string(at), brought[at]);
  Bson applied;
  applied.Add("_id", "applied").Add("archive", SerializeApplied(record.intent.Brings()));
  return applied.Add("scope", record.scope).AddArray("collections", collections);
}

Bson RemovalNote(const AppliedArchive& awaited) {
  return Bson().Add("_id", "applied").Add(kRemovalField, SerializeRemoval(awaited));
}

std::optional<Bson> ReadApplied(Session& session, const std::string& database) {
  std::optional<Bson> applied;
  Cursor cursor(session, database, Bson().Add("find", kAppliedCollection));
  for (;;) {
    const Cursor::Step step = cursor.Next();
    if (step == Cursor::Step::kEnd) return applied;
    if (step == Cursor::Step::kFailed) {
      if (cursor.failure().code == kUnauthorized) return std::nullopt;
      throw cursor.failure().ToError("MongoDB does not show what restores have brought");
    }
    const bool ours = FindField(cursor.document(), "archive").has_value() ||
                      FindField(cursor.document(), kRemovalField).has_value();
    if (ours) applied = Bson(cursor.document());
  }
}

void WriteApplied(Session& session, const std::string& database,
                  const std::optional<Bson>& applied) {
  DropCollection(session, database, kAppliedCollection);
  if (!applied) return;
  InsertDurably(session, database, kAppliedCollection, *applied,
                "MongoDB does not take the record of what was restored");
}

std::optional<AppliedArchive> StillApplied(Session& session, const Bson& applied,
                                           const std::string& scope) {
  if (TextOf(applied.bytes(), "scope") != scope) return std::nullopt;
  const auto collections = FindField(applied.bytes(), "collections");
  if (!collections || !collections->AsDocument()) return std::nullopt;
  std::map<std::string, std::map<std::string, LiveEntry>> live;
  FieldWalker walker(*collections->AsDocument());
  while (const auto item = walker.Next()) {
    if (!item->AsDocument()) return std::nullopt;
    const std::string_view collection = *item->AsDocument();
    const std::string database = TextOf(collection, "database");
    const auto [names, first] = live.try_emplace(database);
    if (first) names->second = ListLive(session, database);
    const auto now = names->second.find(TextOf(collection, "name"));
    if (now == names->second.end()) return std::nullopt;
    const auto field = FindField(collection, "uuid");
    const std::optional<Uuid> uuid = field ? field->AsUuid() : std::nullopt;
    if (uuid && now->second.uuid && uuid != now->second.uuid) return std::nullopt;
  }
  return ParseApplied(TextOf(applied.bytes(), "archive"));
}

}  // namespace oxbackup::mongodb
