#include "mongodb/oplog_replay.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "base/error.h"

namespace oxbackup::mongodb {
namespace {

// Equal for values that are the same _id to a server: numbers compare across their types.
std::string IdKey(const Element& id) {
  const auto number = id.AsInt();
  if (number && id.type != BsonType::kBool) {
    double exact = 0;
    if (id.type == BsonType::kDouble) std::memcpy(&exact, id.value.data(), sizeof exact);
    if (id.type != BsonType::kDouble || static_cast<double>(*number) == exact) {
      return fmt::format("n{}", *number);
    }
  }
  std::string key(1, static_cast<char>(id.type));
  return key.append(id.value);
}

Element Required(std::string_view document, std::string_view key) {
  const auto field = FindField(document, key);
  if (!field) {
    throw Error(ErrorKind::kCorrupt, fmt::format("an entry of the oplog lacks '{}'", key));
  }
  return *field;
}

std::string_view RequiredDocument(std::string_view document, std::string_view key) {
  const auto inner = Required(document, key).AsDocument();
  if (!inner) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("'{}' of an entry of the oplog is no document", key));
  }
  return *inner;
}

std::string TransactionKey(std::string_view entry) {
  std::string key;
  if (const auto session = FindField(entry, "lsid")) key.append(session->value);
  if (const auto number = FindField(entry, "txnNumber")) key.append(number->value);
  return key;
}

bool IsSet(std::string_view document, std::string_view key) {
  const auto field = FindField(document, key);
  return field && field->IsTrue();
}

}  // namespace

void OplogReplay::AddCollection(const Uuid& uuid, const std::string& ns) {
  collections_[uuid].ns = ns;
}

void OplogReplay::AddDocument(const Uuid& uuid, std::string_view document) {
  collections_[uuid].documents[IdKey(Required(document, "_id"))] = document;
}

OplogReplay::Collection* OplogReplay::Find(std::string_view entry) {
  const auto field = FindField(entry, "ui");
  const auto uuid = field ? field->AsUuid() : std::nullopt;
  if (!uuid) return nullptr;
  const auto found = collections_.find(*uuid);
  return found == collections_.end() ? nullptr : &found->second;
}

void OplogReplay::Apply(std::string_view entry) {
  const Element op = Required(entry, "op");
  const std::string_view kind = op.AsText().value_or("");
  if (kind == "c") {
    ApplyCommand(entry);
  } else if (kind == "i" || kind == "u" || kind == "d") {
    ApplyDocumentChange(kind, entry);
  } else if (kind != "n") {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the oplog holds the unknown operation '{}'", kind));
  }
}

void OplogReplay::ApplyDocumentChange(std::string_view kind, std::string_view entry) {
  Collection* const collection = Find(entry);
  if (collection == nullptr) return;
  const std::string_view what = RequiredDocument(entry, "o");
  if (kind == "i") {
    collection->documents[IdKey(Required(what, "_id"))] = what;
    return;
  }
  if (kind == "d") {
    collection->documents.erase(IdKey(Required(what, "_id")));
    return;
  }
  const auto found =
      collection->documents.find(IdKey(Required(RequiredDocument(entry, "o2"), "_id")));
  // Deleted by a later entry before the copy came to it.
  if (found == collection->documents.end()) return;
  found->second = ApplyOplogUpdate(found->second, what);
}

void OplogReplay::ApplyTransaction(std::string_view entry, std::string_view command) {
  std::vector<std::string>& waiting = waiting_[TransactionKey(entry)];
  FieldWalker walker(RequiredDocument(command, "applyOps"));
  while (const auto operation = walker.Next()) {
    waiting.emplace_back(operation->AsDocument().value_or(std::string_view()));
  }
  if (IsSet(command, "partialTxn") || IsSet(command, "prepare")) return;
  const std::vector<std::string> operations = std::move(waiting);
  waiting_.erase(TransactionKey(entry));
  for (const std::string& operation : operations) Apply(operation);
}

void OplogReplay::ApplyCommand(std::string_view entry) {
  const std::string_view command = RequiredDocument(entry, "o");
  const auto first = FieldWalker(command).Next();
  if (!first) return;
  if (first->key == "applyOps") {
    ApplyTransaction(entry, command);
  } else if (first->key == "commitTransaction") {
    const std::vector<std::string> operations = std::move(waiting_[TransactionKey(entry)]);
    waiting_.erase(TransactionKey(entry));
    for (const std::string& operation : operations) Apply(operation);
  } else if (first->key == "abortTransaction") {
    waiting_.erase(TransactionKey(entry));
  } else if (first->key == "create") {
    const auto uuid = Required(entry, "ui").AsUuid();
    if (!uuid || collections_.contains(*uuid)) return;
    const std::string_view ns = Required(entry, "ns").AsText().value_or("");
    AddCollection(*uuid,
                  fmt::format("{}.{}", ns.substr(0, ns.find('.')), first->AsText().value_or("")));
  } else if (first->key == "drop") {
    const auto uuid = Required(entry, "ui").AsUuid();
    if (uuid) collections_.erase(*uuid);
  } else if (first->key == "renameCollection") {
    const auto target = FindField(command, "dropTarget");
    const auto dropped = target ? target->AsUuid() : std::nullopt;
    if (dropped) collections_.erase(*dropped);
    if (Collection* const collection = Find(entry)) {
      collection->ns = Required(command, "to").AsText().value_or("");
    }
  }
}

}  // namespace oxbackup::mongodb
