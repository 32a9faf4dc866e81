// The model's renames, alone and in an applyOps, and who may do what.
#include <fmt/format.h>

#include <set>
#include <utility>

#include "mongodb/model_mongod_testing.h"

namespace oxbackup::mongodb {
namespace {

std::pair<std::string, std::string> SplitNamespace(const std::string& ns) {
  const size_t dot = ns.find('.');
  return {ns.substr(0, dot), ns.substr(dot + 1)};
}

}  // namespace

bool ModelMongod::Refuses(const ScriptedCommand& command) const {
  static const std::set<std::string> refused = {"update", "delete", "dropDatabase", "dbStats"};
  if (!options_.backup_and_restore) return false;
  if (command.name != "applyOps") return refused.contains(command.name);
  const Element operations = FindField(command.body, "applyOps").value();
  FieldWalker walker(operations.AsDocument().value());
  static_cast<void>(walker.Next());
  if (!walker.Next()) return false;
  FieldWalker all(operations.AsDocument().value());
  while (const auto operation = all.Next()) {
    const auto inner = FindPath(operation->AsDocument().value(), {"o", "applyOps"});
    if (!inner || FindPath(inner->AsDocument().value(), {"1"})) return true;
  }
  return false;
}

Bson ModelMongod::ConnectionStatus(const ScriptedCommand&) {
  // The part of the two roles' privileges that is about ordinary collections and system.js.
  if (options_.backup_and_restore) {
    return OkReply(R"({"authInfo": {
        "authenticatedUsers": [{"user": "both", "db": "admin"}],
        "authenticatedUserRoles": [{"role": "backup", "db": "admin"},
                                   {"role": "restore", "db": "admin"}],
        "authenticatedUserPrivileges": [
            {"resource": {"db": "", "collection": ""},
             "actions": ["bypassDocumentValidation", "collMod", "createCollection", "createIndex",
                         "dropCollection", "find", "insert", "listIndexes"]},
            {"resource": {"db": "", "collection": "system.js"},
             "actions": ["createCollection", "find", "insert"]},
            {"resource": {"anyResource": true}, "actions": ["listCollections"]}]}})");
  }
  return OkReply(R"({"authInfo": {"authenticatedUsers": [], "authenticatedUserRoles": []}})");
}

bool ModelMongod::MoveAside(const std::string& ns) {
  const auto found = collections_.find(ns);
  if (found == collections_.end()) return false;
  auto node = collections_.extract(found);
  node.key() = fmt::format("{}.tmp{:05}.rename", SplitNamespace(ns).first, next_++);
  KillCursorsOf(node.mapped().uuid);
  collections_.insert(std::move(node));
  return true;
}

Bson ModelMongod::Rename(const ScriptedCommand& command) {
  const std::string from = command.target();
  const std::string to = command.Text({"to"});
  if (options_.ferretdb && (SplitNamespace(from).second.find('.') != std::string::npos ||
                            SplitNamespace(to).second.find('.') != std::string::npos)) {
    return ErrorReply(73, "InvalidNamespace", "Invalid namespace specified '" + from + "'");
  }
  ModelCollection* const source = FindLocked(from);
  if (source == nullptr) {
    return ErrorReply(26, "NamespaceNotFound",
                      fmt::format("Source collection {} does not exist", from));
  }
  if (source->view) {
    return ErrorReply(166, "CommandNotSupportedOnView", "cannot rename view: " + from);
  }
  if (SplitNamespace(to).second == "system.js") {
    return ErrorReply(20, "IllegalOperation", "can't drop system collection " + to);
  }
  if (options_.ferretdb && SplitNamespace(from).first != SplitNamespace(to).first) {
    return ErrorReply(238, "NotImplemented", "renaming across databases is not implemented");
  }
  const auto drop = FindField(command.body, "dropTarget");
  Bson logged = Bson().Add("renameCollection", from).Add("to", to);
  if (ModelCollection* const target = FindLocked(to)) {
    if (target->view) {
      return ErrorReply(48, "NamespaceExists", "a view already exists with that name: " + to);
    }
    if (!drop || !drop->IsTrue()) {
      return ErrorReply(48, "NamespaceExists", "target namespace exists");
    }
    logged.Add("dropTarget", target->uuid);
    collections_.erase(to);
  }
  LogCommand(from, source->uuid, logged);
  KillCursorsOf(source->uuid);
  auto node = collections_.extract(from);
  node.key() = to;
  collections_.insert(std::move(node));
  return OkReply();
}

// As measured: a missing source is no error, an existing target is moved aside.
Bson ModelMongod::ApplyOps(const ScriptedCommand& command) {
  if (options_.ferretdb) {
    return ErrorReply(59, "CommandNotFound", "no such command: 'applyOps'");
  }
  int32_t applied = 0;
  FieldWalker walker(FindField(command.body, "applyOps").value().AsDocument().value());
  while (const auto op = walker.Next()) {
    if (const auto error = ApplyCommand(op->AsDocument().value(), command.connection)) {
      return *error;
    }
    ++applied;
  }
  return Bson().Add("applied", applied).Add("ok", 1.0);
}

// As an oplog is replayed: what is there already is written over, what is gone stays gone.
std::optional<Bson> ModelMongod::ApplyWrite(std::string_view op, std::string_view entry) {
  const Element what = FindField(entry, "o").value();
  const auto [database, collection] =
      SplitNamespace(std::string(FindField(entry, "ns")->AsText().value()));
  Bson body;
  Bson reply;
  if (op == "d") {
    const Bson one = Bson().Add("q", what).Add("limit", int32_t{1});
    body.Add("delete", collection).AddArray("deletes", ArrayOf({std::string(one.bytes())}));
    reply = DeleteCommand({database, "delete", std::string(body.bytes()), 0});
  } else {
    Bson one;
    if (op == "u") {
      one.Add("q", FindField(entry, "o2").value());
    } else {
      one.Add("q", Bson().Add("_id", FindField(*what.AsDocument(), "_id").value()));
    }
    one.Add("u", what).Add("upsert", true);
    body.Add("update", collection).AddArray("updates", ArrayOf({std::string(one.bytes())}));
    reply = UpdateCommand({database, "update", std::string(body.bytes()), 0});
  }
  if (FindField(reply.bytes(), "writeErrors")) {
    return ErrorReply(2, "BadValue", "the model cannot apply a write");
  }
  return std::nullopt;
}

std::optional<Bson> ModelMongod::ApplyCommand(std::string_view entry, uint64_t connection) {
  const auto op = FindField(entry, "op");
  if (op && op->AsText() != "c") {
    if (op->AsText() == "n") return std::nullopt;
    return ApplyWrite(op->AsText().value(), entry);
  }
  const std::string_view what = FindField(entry, "o").value().AsDocument().value();
  const Element first = FieldWalker(what).Next().value();
  if (first.key == "renameCollection") {
    const std::string from(first.AsText().value());
    const std::string to(FindField(what, "to")->AsText().value());
    if (FindLocked(from) == nullptr) return std::nullopt;
    MoveAside(to);
    KillCursorsOf(FindLocked(from)->uuid);
    auto node = collections_.extract(from);
    node.key() = to;
    collections_.insert(std::move(node));
    return std::nullopt;
  }
  const std::string database =
      SplitNamespace(std::string(FindField(entry, "ns")->AsText().value())).first;
  const ScriptedCommand inner{database, std::string(first.key), std::string(what), connection};
  if (first.key == "applyOps") {
    ApplyOps(inner);
  } else if (first.key == "create") {
    CreateCommand(inner);
  } else if (first.key == "drop") {
    DropCommand(inner);
  } else {
    return ErrorReply(2, "BadValue", "the model applies no " + std::string(first.key));
  }
  return std::nullopt;
}

}  // namespace oxbackup::mongodb
