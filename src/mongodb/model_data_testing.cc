// The model's reading and writing of documents.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mongodb/extended_json.h"
#include "mongodb/model_mongod_testing.h"
#include "mongodb/model_values_testing.h"

namespace oxbackup::mongodb {
namespace {

std::string Truncated(const Element& element) { return ValueText(element, 60); }

Bson WriteError(int32_t index, int32_t code, std::string_view message) {
  return Bson().Add("index", index).Add("code", code).Add("errmsg", message);
}

/// The document as a mongod stores it: _id first, zero timestamps of the first level replaced
/// unless (manual: from 8.0 on, and in later patches before) the command says otherwise.
Bson AsStored(std::string_view document, bool keeps_zero = false) {
  Bson stored;
  const Element id = FindField(document, "_id").value();
  stored.Add("_id", id);
  bool id_seen = false;
  FieldWalker walker(document);
  while (const auto field = walker.Next()) {
    if (field->key == "_id" && !id_seen) {
      id_seen = true;
    } else if (!keeps_zero && field->type == BsonType::kTimestamp &&
               field->AsTimestamp()->is_null()) {
      stored.Add(field->key, Timestamp{1795376376, 1});
    } else {
      stored.Add(field->key, *field);
    }
  }
  return stored;
}

/// The first name below the first level that 4.4 refuses to write by an update, though an insert
/// takes it; empty when there is none.
std::string NestedDollarName(std::string_view document, bool nested = false) {
  FieldWalker walker(document);
  while (const auto field = walker.Next()) {
    if (nested && field->key.starts_with("$")) return std::string(field->key);
    const auto inner = field->AsDocument();
    if (!inner) continue;
    if (std::string name = NestedDollarName(*inner, true); !name.empty()) return name;
  }
  return {};
}

Bson WithSet(std::string_view document, std::string_view set) {
  Bson changed;
  FieldWalker walker(document);
  while (const auto field = walker.Next()) {
    const auto other = FindField(set, field->key);
    changed.Add(field->key, other ? *other : *field);
  }
  FieldWalker added(set);
  while (const auto field = added.Next()) {
    if (!FindField(document, field->key)) changed.Add(field->key, *field);
  }
  return changed;
}

std::string CollectionOf(const std::string& ns) { return ns.substr(ns.find('.') + 1); }

}  // namespace

std::optional<std::string> ModelMongod::Namespace(const ScriptedCommand& command) {
  const Element first = FindField(command.body, command.name).value();
  const auto uuid = first.AsUuid();
  if (!uuid) return command.db + "." + std::string(first.AsText().value_or(""));
  for (const auto& [ns, collection] : collections_) {
    if (collection.uuid == *uuid) return ns;
  }
  return std::nullopt;
}

std::optional<Bson> ModelMongod::Store(ModelCollection& collection, const std::string& ns,
                                       std::string_view document, bool upsert, bool keeps_zero) {
  const auto id = FindField(document, "_id");
  if (!id) return WriteError(0, 2, "the model wants an _id");
  if (id->type == BsonType::kArray || id->type == BsonType::kRegex ||
      id->type == BsonType::kUndefined) {
    return WriteError(0, 53, "The '_id' value cannot be of that type");
  }
  FieldWalker walker(document);
  while (const auto field = walker.Next()) {
    if (options_.version < "5" && field->key.starts_with("$")) {
      return WriteError(0, 2,
                        fmt::format("Document can't have $ prefixed field names: {}", field->key));
    }
  }
  const std::string key = EqualityKey(*id);
  const auto known = collection.by_id.find(key);
  if (known != collection.by_id.end() && !upsert) {
    return WriteError(0, 11000,
                      fmt::format("E11000 duplicate key error collection: {} index: _id_ dup key: "
                                  "{{ _id: {} }}",
                                  ns, Truncated(*id)));
  }
  const uint64_t place = known == collection.by_id.end() ? next_++ : known->second;
  collection.by_id[key] = place;
  collection.documents[place] = AsStored(document, keeps_zero).bytes();
  LogWrite("i", ns, collection.uuid, Bson(collection.documents[place]));
  return std::nullopt;
}

Bson ModelMongod::InsertCommand(const ScriptedCommand& command) {
  const std::string ns = command.db + "." + command.target();
  const bool is_new = FindLocked(ns) == nullptr;
  ModelCollection& collection = Make(ns);
  if (is_new) LogCommand(ns, collection.uuid, Bson().Add("create", command.target()));
  const auto ordered = FindField(command.body, "ordered");
  const auto keeps_zero = FindField(command.body, "bypassEmptyTsReplacement");
  int32_t stored = 0;
  int32_t index = 0;
  std::vector<std::string> errors;
  FieldWalker walker(FindField(command.body, "documents").value().AsDocument().value());
  for (; const auto document = walker.Next(); ++index) {
    std::optional<Bson> error = collection.view
                                    ? WriteError(0, 166, ns + " is a view, not a collection")
                                    : Store(collection, ns, document->AsDocument().value(), false,
                                            keeps_zero && keeps_zero->IsTrue());
    if (!error) {
      ++stored;
      continue;
    }
    Bson placed = Bson().Add("index", index);
    FieldWalker fields(error->bytes());
    static_cast<void>(fields.Next());
    while (const auto field = fields.Next()) placed.Add(field->key, *field);
    errors.emplace_back(placed.bytes());
    if (!ordered || ordered->IsTrue()) break;
  }
  Bson reply = Bson().Add("n", stored);
  if (!errors.empty()) reply.AddArray("writeErrors", ArrayOf(errors));
  return reply.Add("ok", 1.0);
}

Bson ModelMongod::UpdateCommand(const ScriptedCommand& command) {
  const std::string ns = command.db + "." + command.target();
  int32_t matched = 0;
  FieldWalker walker(FindField(command.body, "updates").value().AsDocument().value());
  while (const auto update = walker.Next()) {
    const std::string_view one = update->AsDocument().value();
    const Element query = FindField(one, "q").value();
    const Element change = FindField(one, "u").value();
    const auto upsert = FindField(one, "upsert");
    const auto set = FindField(*change.AsDocument(), "$set");
    const std::string refused = NestedDollarName(set ? *set->AsDocument() : *change.AsDocument());
    if (options_.version < "5" && !refused.empty()) {
      const Bson error = WriteError(
          0, 52,
          fmt::format("The dollar ($) prefixed field '{}' is not valid for storage.", refused));
      return Bson()
          .Add("n", int32_t{0})
          .AddArray("writeErrors", ArrayOf({std::string(error.bytes())}))
          .Add("ok", 1.0);
    }
    bool found = false;
    ModelCollection& collection = Make(ns);
    for (auto& [place, document] : collection.documents) {
      if (!MatchesFilter(document, *query.AsDocument())) continue;
      found = true;
      const Element id = FindField(document, "_id").value();
      document =
          set ? WithSet(document, *set->AsDocument()).bytes()
              : AsStored(Bson().Add("_id", id).Append(change.AsDocument().value()).bytes()).bytes();
      if (!set && FindField(*change.AsDocument(), "_id")) {
        document = AsStored(*change.AsDocument()).bytes();
      }
      // As 4.4 writes modifiers, and whole documents for everything else.
      LogWrite("u", ns, collection.uuid,
               set ? Bson().Add("$v", int32_t{1}).Add("$set", *set) : Bson(document),
               Bson().Add("_id", FindField(document, "_id").value()));
      break;
    }
    matched += found ? 1 : 0;
    if (found || !upsert || !upsert->IsTrue()) continue;
    Bson document;
    const auto own_id = FindField(*change.AsDocument(), "_id");
    if (set || !own_id) document.Add("_id", FindField(*query.AsDocument(), "_id").value());
    document.Append(set ? *set->AsDocument() : *change.AsDocument());
    if (const auto error = Store(collection, ns, document.bytes(), true)) {
      return Bson()
          .Add("n", int32_t{0})
          .AddArray("writeErrors", ArrayOf({std::string(error->bytes())}))
          .Add("ok", 1.0);
    }
    ++matched;
  }
  return Bson().Add("n", matched).Add("nModified", matched).Add("ok", 1.0);
}

Bson ModelMongod::DeleteCommand(const ScriptedCommand& command) {
  ModelCollection* const collection = FindLocked(command.db + "." + command.target());
  int32_t deleted = 0;
  FieldWalker walker(FindField(command.body, "deletes").value().AsDocument().value());
  while (const auto one = walker.Next()) {
    const Element query = FindPath(*one->AsDocument(), {"q"}).value();
    const auto limit = FindPath(*one->AsDocument(), {"limit"});
    for (auto document = collection == nullptr ? std::map<uint64_t, std::string>::iterator()
                                               : collection->documents.begin();
         collection != nullptr && document != collection->documents.end();) {
      if (!MatchesFilter(document->second, *query.AsDocument())) {
        ++document;
        continue;
      }
      // Entries of the oplog have no _id.
      if (const auto id = FindField(document->second, "_id")) {
        LogWrite("d", command.db + "." + command.target(), collection->uuid,
                 Bson().Add("_id", *id));
        collection->by_id.erase(EqualityKey(*id));
      }
      document = collection->documents.erase(document);
      ++deleted;
      if (limit && limit->IsTrue()) break;
    }
  }
  return Bson().Add("n", deleted).Add("ok", 1.0);
}

void ModelMongod::LogWrite(std::string_view op, const std::string& ns, const Uuid& uuid,
                           const Bson& what, const Bson& o2) {
  if (!options_.oplog || ns.starts_with("local.")) return;
  ++last_write_.increment;
  Bson entry = Bson().Add("op", op).Add("ns", ns).Add("ui", uuid).Add("o", what);
  if (!o2.empty()) entry.Add("o2", o2);
  constexpr int64_t kMilliseconds = 1000;
  const int64_t wall = last_write_.seconds * kMilliseconds + last_write_.increment;
  std::string date;
  for (int at = 0; at < 8; ++at) date += static_cast<char>((wall >> (8 * at)) & 0xff);
  entry.Add("ts", last_write_).Add("t", int64_t{1}).AddValue("wall", BsonType::kDate, date);
  ModelCollection& oplog = Make("local.oplog.rs");
  oplog.documents[next_++] = std::string(entry.Add("v", int64_t{2}).bytes());
}

Bson ModelMongod::FindCommand(const ScriptedCommand& command) {
  const auto ns = Namespace(command);
  if (!ns) return ErrorReply(26, "NamespaceNotFound", "Unable to resolve the UUID");
  OpenCursor cursor;
  cursor.ns = *ns;
  cursor.collection = CollectionOf(*ns);
  const ModelCollection* const collection = FindLocked(*ns);
  if (collection == nullptr) return CursorReply(std::move(cursor), command);
  if (collection->view) return IsAViewForRead(*ns);
  cursor.uuid = collection->uuid;
  const auto filter = FindField(command.body, "filter");
  const bool ranges = !options_.ferretdb;
  const auto min = ranges ? FindPath(command.body, {"min", "_id"}) : std::nullopt;
  const auto max = ranges ? FindPath(command.body, {"max", "_id"}) : std::nullopt;
  if ((min || max) && !FindField(command.body, "hint")) {
    return ErrorReply(51173, "Location51173",
                      "When using min()/max() a hint of which index to use must be provided");
  }
  for (const auto& [place, document] : collection->documents) {
    const auto id = FindField(document, "_id");  // entries of the oplog have none
    if (min && CompareValues(*id, *min) < 0) continue;
    if (max && CompareValues(*id, *max) >= 0) continue;
    if (filter && !MatchesFilter(document, *filter->AsDocument())) continue;
    cursor.documents.push_back(document);
  }
  const auto sort = FindField(command.body, "sort");
  const auto order = sort ? FieldWalker(*sort->AsDocument()).Next() : std::nullopt;
  if (min || max || (order && !order->key.starts_with("$"))) {
    const std::string key(order ? order->key : "_id");
    const bool down = order && order->AsInt().value_or(1) < 0;
    std::stable_sort(cursor.documents.begin(), cursor.documents.end(),
                     [&](const std::string& left, const std::string& right) {
                       const auto a = FindField(left, key);
                       const auto b = FindField(right, key);
                       if (!a || !b) return !a && b.has_value();
                       const int compared = CompareValues(*a, *b);
                       return down ? compared > 0 : compared < 0;
                     });
  } else if (order && order->key == "$natural" && order->AsInt().value_or(1) < 0) {
    std::reverse(cursor.documents.begin(), cursor.documents.end());
  }
  if (const auto skip = FindField(command.body, "skip")) {
    const auto count =
        std::min<size_t>(static_cast<size_t>(*skip->AsInt()), cursor.documents.size());
    cursor.documents.erase(cursor.documents.begin(),
                           cursor.documents.begin() + static_cast<ptrdiff_t>(count));
  }
  if (const auto limit = FindField(command.body, "limit"); limit && limit->IsTrue()) {
    const auto count = static_cast<size_t>(std::abs(limit->AsInt().value()));
    if (cursor.documents.size() > count) cursor.documents.resize(count);
  }
  return CursorReply(std::move(cursor), command);
}

Bson ModelMongod::IsAViewForRead(const std::string& ns) {
  return ErrorReply(238, "NotImplemented", "the model reads no views: " + ns);
}

Bson ModelMongod::CursorReply(OpenCursor cursor, const ScriptedCommand& command) {
  const bool more = command.name == "getMore";
  auto batch_size = FindField(command.body, "batchSize");
  if (!batch_size) batch_size = FindPath(command.body, {"cursor", "batchSize"});
  int64_t wanted = batch_size ? batch_size->AsInt().value() : options_.batch_documents;
  wanted = std::min<int64_t>(wanted, options_.batch_documents);
  constexpr size_t kMaxBatchBytes = size_t{16} << 20;
  std::vector<std::string> batch;
  size_t bytes = 0;
  while (cursor.at < cursor.documents.size() && static_cast<int64_t>(batch.size()) < wanted) {
    const std::string& next = cursor.documents[cursor.at];
    if (!batch.empty() && bytes + next.size() > kMaxBatchBytes) break;
    bytes += next.size();
    batch.push_back(next);
    ++cursor.at;
  }
  const auto single = FindField(command.body, "singleBatch");
  int64_t id = 0;
  const std::string ns = cursor.ns;
  if (cursor.at < cursor.documents.size() && !(single && single->IsTrue())) {
    id = static_cast<int64_t>(1000 + next_++);
    cursors_[id] = std::move(cursor);
  }
  return Bson()
      .Add("cursor", Bson()
                         .AddArray(more ? "nextBatch" : "firstBatch", ArrayOf(batch))
                         .Add("id", id)
                         .Add("ns", ns))
      .Add("ok", 1.0);
}

Bson ModelMongod::GetMore(const ScriptedCommand& command) {
  const int64_t id = FindField(command.body, "getMore")->AsInt().value();
  const auto found = cursors_.find(id);
  if (found == cursors_.end()) {
    return ErrorReply(43, "CursorNotFound", fmt::format("cursor id {} not found", id));
  }
  OpenCursor cursor = std::move(found->second);
  cursors_.erase(found);
  if (cursor.uuid == kKilled) {
    return ErrorReply(175, "QueryPlanKilled", "collection renamed or dropped");
  }
  return CursorReply(std::move(cursor), command);
}

void ModelMongod::KillCursorsOf(const Uuid& uuid) {
  for (auto& [id, cursor] : cursors_) {
    if (cursor.uuid == uuid && uuid != Uuid{}) cursor.uuid = kKilled;
  }
}

Bson ModelMongod::KillCursors(const ScriptedCommand& command) {
  FieldWalker walker(FindField(command.body, "cursors").value().AsDocument().value());
  while (const auto id = walker.Next()) cursors_.erase(id->AsInt().value_or(0));
  return OkReply();
}

Bson ModelMongod::Count(const ScriptedCommand& command) {
  const ModelCollection* const collection = FindLocked(command.db + "." + command.target());
  const auto query = FindField(command.body, "query");
  int32_t count = 0;
  if (collection != nullptr) {
    for (const auto& [place, document] : collection->documents) {
      count += !query || MatchesFilter(document, *query->AsDocument()) ? 1 : 0;
    }
  }
  return Bson().Add("n", count).Add("ok", 1.0);
}

Bson ModelMongod::Stats(const ScriptedCommand& command) {
  const bool whole = command.name != "collStats";
  int64_t bytes = 0;
  int64_t count = 0;
  int32_t collections = 0;
  for (const auto& [ns, collection] : collections_) {
    const bool wanted =
        whole ? ns.starts_with(command.db + ".") : ns == command.db + "." + command.target();
    if (!wanted) continue;
    ++collections;
    for (const auto& [place, document] : collection.documents) {
      bytes += static_cast<int64_t>(document.size());
      ++count;
    }
  }
  Bson reply;
  if (whole) {
    reply.Add("db", command.db).Add("collections", collections).Add("objects", count);
    reply.Add("dataSize", bytes).Add("indexSize", int64_t{0});
  } else {
    reply.Add("count", count).Add("size", bytes).Add("capped", false);
  }
  reply.Add("storageSize", bytes).Add("avgObjSize", count > 0 ? bytes / count : 0);
  return reply.Add("ok", 1.0);
}

}  // namespace oxbackup::mongodb
