#include "mongodb/model_mongod_testing.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "mongodb/extended_json.h"
#include "mongodb/model_values_testing.h"

namespace oxbackup::mongodb {
namespace {

std::pair<std::string, std::string> SplitNamespace(const std::string& ns) {
  const size_t dot = ns.find('.');
  return {ns.substr(0, dot), ns.substr(dot + 1)};
}

Bson NotFound(const std::string& ns) {
  return ErrorReply(26, "NamespaceNotFound", "ns does not exist: " + ns);
}

Bson IsAView(const std::string& ns) {
  return ErrorReply(166, "CommandNotSupportedOnView",
                    fmt::format("Namespace {} is a view, not a collection", ns));
}

Bson IdIndex() { return FromJson(R"({"v": 2, "key": {"_id": 1}, "name": "_id_"})", "the model"); }

}  // namespace

void ModelMongod::AttachTo(ScriptedServer& server) {
  server.Handle("", [this](const ScriptedCommand& command) -> std::optional<Bson> {
    if (!Methods().contains(command.name)) return std::nullopt;
    return Run(command);
  });
  if (options_.version >= "5") server.SetMaxWireVersion(13);
}

const std::map<std::string, ModelMongod::Method>& ModelMongod::Methods() {
  static const std::map<std::string, Method> methods = {
      {"buildInfo", &ModelMongod::BuildInfo},
      {"buildinfo", &ModelMongod::BuildInfo},
      {"hello", &ModelMongod::Hello},
      {"isMaster", &ModelMongod::Hello},
      {"ismaster", &ModelMongod::Hello},
      {"serverStatus", &ModelMongod::ServerStatus},
      {"listDatabases", &ModelMongod::ListDatabases},
      {"listCollections", &ModelMongod::ListCollections},
      {"listIndexes", &ModelMongod::ListIndexes},
      {"create", &ModelMongod::CreateCommand},
      {"drop", &ModelMongod::DropCommand},
      {"dropDatabase", &ModelMongod::DropDatabase},
      {"collMod", &ModelMongod::CollMod},
      {"createIndexes", &ModelMongod::CreateIndexes},
      {"insert", &ModelMongod::InsertCommand},
      {"update", &ModelMongod::UpdateCommand},
      {"delete", &ModelMongod::DeleteCommand},
      {"find", &ModelMongod::FindCommand},
      {"getMore", &ModelMongod::GetMore},
      {"killCursors", &ModelMongod::KillCursors},
      {"count", &ModelMongod::Count},
      {"collStats", &ModelMongod::Stats},
      {"dbStats", &ModelMongod::Stats},
      {"dbstats", &ModelMongod::Stats},
      {"renameCollection", &ModelMongod::Rename},
      {"applyOps", &ModelMongod::ApplyOps},
      {"connectionStatus", &ModelMongod::ConnectionStatus},
  };
  return methods;
}

Bson ModelMongod::Run(const ScriptedCommand& command) {
  const std::lock_guard lock(mutex_);
  if (Refuses(command)) {
    return ErrorReply(
        13, "Unauthorized",
        fmt::format("not authorized on {} to execute command {}", command.db, command.name));
  }
  return (this->*Methods().at(command.name))(command);
}

void ModelMongod::Create(const std::string& ns, std::string_view options_json) {
  const std::lock_guard lock(mutex_);
  ModelCollection& made = Make(ns);
  made.options = FromJson(options_json, "a test's options");
  made.view = FindField(made.options.bytes(), "viewOn").has_value();
}

void ModelMongod::Insert(const std::string& ns, std::string_view document_json) {
  InsertRaw(ns, std::string(FromJson(document_json, "a test's document").bytes()));
}

void ModelMongod::InsertRaw(const std::string& ns, std::string document) {
  const std::lock_guard lock(mutex_);
  ModelCollection& collection = Make(ns);
  const uint64_t place = next_++;
  collection.by_id[EqualityKey(FindField(document, "_id").value())] = place;
  collection.documents[place] = std::move(document);
}

std::vector<std::string> ModelMongod::Documents(const std::string& ns) const {
  std::vector<std::string> texts;
  for (const std::string& document : RawDocuments(ns)) texts.push_back(ToJson(document));
  std::sort(texts.begin(), texts.end());
  return texts;
}

std::vector<std::string> ModelMongod::RawDocuments(const std::string& ns) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> found;
  const auto collection = collections_.find(ns);
  if (collection == collections_.end()) return found;
  for (const auto& [place, document] : collection->second.documents) found.push_back(document);
  return found;
}

std::vector<std::string> ModelMongod::Names(const std::string& database) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [ns, collection] : collections_) {
    if (SplitNamespace(ns).first == database) names.push_back(SplitNamespace(ns).second);
  }
  return names;
}

std::optional<ModelCollection> ModelMongod::Find(const std::string& ns) const {
  const std::lock_guard lock(mutex_);
  const auto found = collections_.find(ns);
  if (found == collections_.end()) return std::nullopt;
  return found->second;
}

std::map<std::string, std::vector<std::string>> ModelMongod::State(
    const std::function<bool(const std::string& ns)>& keep) const {
  std::vector<std::string> names;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [ns, collection] : collections_) names.push_back(ns);
  }
  std::map<std::string, std::vector<std::string>> state;
  for (const std::string& ns : names) {
    if (keep(ns)) state[ns] = Documents(ns);
  }
  return state;
}

ModelCollection* ModelMongod::FindLocked(const std::string& ns) {
  const auto found = collections_.find(ns);
  return found == collections_.end() ? nullptr : &found->second;
}

ModelCollection& ModelMongod::Make(const std::string& ns) {
  if (ModelCollection* const found = FindLocked(ns)) return *found;
  ModelCollection& made = collections_[ns];
  const uint64_t number = next_++;
  for (size_t at = 0; at < 8; ++at) {
    made.uuid[15 - at] = static_cast<unsigned char>(number >> (8 * at));
  }
  made.uuid[0] = 0x4d;
  return made;
}

Bson ModelMongod::Hello(const ScriptedCommand&) {
  Bson reply = FromJson(
      R"({"ismaster": true, "isWritablePrimary": true, "maxBsonObjectSize": 16777216,
          "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000, "readOnly": false,
          "logicalSessionTimeoutMinutes": 30, "minWireVersion": 0})",
      "the model");
  reply.Add("maxWireVersion", options_.version >= "5" ? int32_t{13} : int32_t{9});
  if (options_.replica_set) {
    reply.Add("setName", "rs0").Add("secondary", false).Add("setVersion", int32_t{1});
  }
  if (options_.oplog) {
    const Bson time = Bson().Add("ts", last_write_).Add("t", int64_t{1});
    Bson write = Bson().Add("opTime", time);
    write.AddValue("lastWriteDate", BsonType::kDate, std::string(8, '\1'));
    reply.Add("lastWrite", write.Add("majorityOpTime", time));
  }
  return reply.Add("ok", 1.0);
}

Bson ModelMongod::BuildInfo(const ScriptedCommand&) {
  Bson reply;
  reply.Add("version", options_.version).Add("maxBsonObjectSize", int32_t{16777216});
  Bson numbers;
  numbers.Add("0", int32_t{options_.version.at(0) - '0'});
  numbers.Add("1", int32_t{options_.version.at(2) - '0'});
  numbers.Add("2", int32_t{std::stoi(options_.version.substr(4))}).Add("3", int32_t{0});
  reply.AddArray("versionArray", numbers);
  if (options_.ferretdb) reply.Add("ferretdb", Bson().Add("version", "v2.7.0"));
  return reply.Add("ok", 1.0);
}

Bson ModelMongod::ServerStatus(const ScriptedCommand&) {
  return Bson().Add("version", options_.version).Add("process", "mongod").Add("ok", 1.0);
}

Bson ModelMongod::ListDatabases(const ScriptedCommand&) {
  std::set<std::string> names;
  for (const auto& [ns, collection] : collections_) names.insert(SplitNamespace(ns).first);
  std::vector<std::string> databases;
  for (const std::string& name : names) {
    databases.emplace_back(Bson().Add("name", name).Add("sizeOnDisk", int64_t{4096}).bytes());
  }
  return Bson().AddArray("databases", ArrayOf(databases)).Add("ok", 1.0);
}

Bson ModelMongod::ListCollections(const ScriptedCommand& command) {
  OpenCursor cursor;
  cursor.collection = "$cmd.listCollections";
  cursor.ns = command.db + "." + cursor.collection;
  const auto filter = FindField(command.body, "filter");
  bool views = false;
  const auto add = [&](const std::string& name, const ModelCollection& collection) {
    Bson info;
    info.Add("readOnly", collection.view);
    if (!collection.view) info.Add("uuid", collection.uuid);
    Bson entry;
    entry.Add("name", name).Add("type", collection.view ? "view" : "collection");
    entry.Add("options", collection.options).Add("info", info);
    if (!collection.view) entry.Add("idIndex", IdIndex());
    if (!filter || MatchesFilter(entry.bytes(), filter->AsDocument().value())) {
      cursor.documents.emplace_back(entry.bytes());
    }
  };
  for (const auto& [ns, collection] : collections_) {
    const auto [database, name] = SplitNamespace(ns);
    if (database != command.db) continue;
    views |= collection.view;
    add(name, collection);
  }
  if (views) add("system.views", ModelCollection{});
  return CursorReply(std::move(cursor), command);
}

Bson ModelMongod::ListIndexes(const ScriptedCommand& command) {
  const auto ns = Namespace(command);
  ModelCollection* const collection = ns ? FindLocked(*ns) : nullptr;
  if (collection == nullptr) return NotFound(ns.value_or("(uuid)"));
  if (collection->view) return IsAView(*ns);
  OpenCursor cursor;
  cursor.ns = *ns;
  cursor.collection = SplitNamespace(*ns).second;
  cursor.documents.emplace_back(IdIndex().bytes());
  for (const Bson& index : collection->indexes) cursor.documents.emplace_back(index.bytes());
  return CursorReply(std::move(cursor), command);
}

Bson ModelMongod::CreateCommand(const ScriptedCommand& command) {
  const std::string ns = command.db + "." + command.target();
  if (FindLocked(ns) != nullptr) {
    return ErrorReply(48, "NamespaceExists", "Collection already exists. NS: " + ns);
  }
  Bson options;
  FieldWalker walker(command.body);
  static_cast<void>(walker.Next());
  while (const auto field = walker.Next()) {
    static const std::set<std::string_view> not_stored = {
        "lsid", "$db", "$clusterTime", "$readPreference", "writeConcern", "idIndex", "comment"};
    if (not_stored.contains(field->key)) continue;
    if (options_.version < "5" && (field->key == "timeseries" || field->key == "clusteredIndex" ||
                                   field->key == "autoIndexId")) {
      return ErrorReply(40415, "Location40415",
                        fmt::format("BSON field 'create.{}' is an unknown field.", field->key));
    }
    options.Add(field->key, *field);
  }
  ModelCollection& made = Make(ns);
  if (options_.ferretdb) return OkReply();
  made.view = FindField(options.bytes(), "viewOn").has_value();
  made.options = options;
  if (made.view) {
    LogWrite("i", command.db + ".system.views", Uuid{0x76},
             Bson().Add("_id", ns).Append(options.bytes()));
  } else {
    LogCommand(ns, made.uuid, Bson().Add("create", command.target()).Append(options.bytes()));
  }
  return OkReply();
}

Bson ModelMongod::DropCommand(const ScriptedCommand& command) {
  const std::string ns = command.db + "." + command.target();
  const ModelCollection* const found = FindLocked(ns);
  if (found == nullptr) return ErrorReply(26, "NamespaceNotFound", "ns not found");
  if (command.target() == "system.js") {
    return ErrorReply(20, "IllegalOperation", "can't drop system collection " + ns);
  }
  KillCursorsOf(found->uuid);
  if (found->view) {
    LogWrite("d", command.db + ".system.views", Uuid{0x76}, Bson().Add("_id", ns));
  } else {
    LogCommand(ns, found->uuid, Bson().Add("drop", command.target()));
  }
  collections_.erase(ns);
  return OkReply();
}

Bson ModelMongod::DropDatabase(const ScriptedCommand& command) {
  std::erase_if(collections_,
                [&](const auto& entry) { return SplitNamespace(entry.first).first == command.db; });
  return OkReply();
}

Bson ModelMongod::CollMod(const ScriptedCommand& command) {
  ModelCollection* const found = FindLocked(command.db + "." + command.target());
  if (found == nullptr) return NotFound(command.db + "." + command.target());
  Bson options;
  FieldWalker kept(found->options.bytes());
  while (const auto field = kept.Next()) {
    if (!FindField(command.body, field->key)) options.Add(field->key, *field);
  }
  for (const char* const name : {"validator", "validationLevel", "validationAction", "pipeline",
                                 "viewOn", "expireAfterSeconds"}) {
    if (const auto field = FindField(command.body, name)) options.Add(name, *field);
  }
  // As recorded on 4.4 and 5.0: the defaults appear beside a validator.
  if (FindField(options.bytes(), "validator")) {
    if (!FindField(options.bytes(), "validationLevel")) options.Add("validationLevel", "strict");
    if (!FindField(options.bytes(), "validationAction")) options.Add("validationAction", "error");
  }
  found->options = options;
  return OkReply();
}

Bson ModelMongod::CreateIndexes(const ScriptedCommand& command) {
  const std::string ns = command.db + "." + command.target();
  ModelCollection& collection = Make(ns);
  if (collection.view) return IsAView(ns);
  std::vector<Bson> added;
  const Element indexes = FindField(command.body, "indexes").value();
  FieldWalker walker(indexes.AsDocument().value());
  while (const auto index = walker.Next()) {
    const std::string_view spec = index->AsDocument().value();
    for (const char* const unknown : {"bogus", "safe"}) {
      if (!FindField(spec, unknown)) continue;
      return ErrorReply(
          197, "InvalidIndexSpecificationOption",
          fmt::format("The field '{}' is not valid for an index specification.", unknown));
    }
    const Element key_pattern = FindField(spec, "key").value();
    FieldWalker keys(key_pattern.AsDocument().value());
    while (const auto key = keys.Next()) {
      static const std::set<std::string_view> plugins = {"text", "2d", "2dsphere", "hashed"};
      const bool bad_text = key->type == BsonType::kString && !plugins.contains(*key->AsText());
      if (bad_text || key->type == BsonType::kBool ||
          (key->type != BsonType::kString && key->AsInt().value_or(0) == 0)) {
        return ErrorReply(67, "CannotCreateIndex", "Error in specification " + ToJson(spec));
      }
    }
    if (FindField(key_pattern.AsDocument().value(), "_id") &&
        FindPath(command.body, {"indexes", index->key, "name"})->AsText() == "_id_") {
      continue;
    }
    added.emplace_back(spec);
  }
  for (Bson& index : added) {
    LogCommand(ns, collection.uuid,
               Bson().Add("createIndexes", command.target()).Append(index.bytes()));
    collection.indexes.push_back(std::move(index));
  }
  return OkReply();
}

}  // namespace oxbackup::mongodb
