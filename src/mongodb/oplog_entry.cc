#include "mongodb/oplog_entry.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "base/error.h"

namespace oxbackup::mongodb {
namespace {

bool IsSet(std::string_view document, std::string_view key) {
  const auto field = FindField(document, key);
  return field && field->IsTrue();
}

// (source) MultiOplogEntryType::kApplyOpsAppliedSeparately: a batch of inserts, no transaction.
bool AppliedSeparately(std::string_view entry) { return IsSet(entry, "multiOpType"); }

Error BegunBefore(std::string_view entry) {
  return Error(
      ErrorKind::kCorrupt,
      "the oplog ends a transaction whose beginning it does not hold: " + DescribeEntry(entry));
}

}  // namespace

std::string DatabaseOf(std::string_view ns) { return std::string(ns.substr(0, ns.find('.'))); }

std::string CollectionOf(std::string_view ns) {
  const size_t dot = ns.find('.');
  return dot == ns.npos ? std::string() : std::string(ns.substr(dot + 1));
}

bool IsServersDatabase(std::string_view database) {
  return database.empty() || database == "admin" || database == "local" || database == "config";
}

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

Element RequiredField(std::string_view document, std::string_view key) {
  const auto field = FindField(document, key);
  if (!field) {
    throw Error(ErrorKind::kCorrupt, fmt::format("an entry of the oplog lacks '{}'", key));
  }
  return *field;
}

std::string_view RequiredDocument(std::string_view document, std::string_view key) {
  const auto inner = RequiredField(document, key).AsDocument();
  if (!inner) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("'{}' of an entry of the oplog is no document", key));
  }
  return *inner;
}

std::string RequiredText(std::string_view document, std::string_view key) {
  const auto field = RequiredField(document, key);
  const auto text = field.AsText();
  if (!text) {
    throw Error(ErrorKind::kCorrupt, fmt::format("'{}' of an entry of the oplog is no text", key));
  }
  return std::string(*text);
}

std::string DescribeEntry(std::string_view entry) {
  const auto text = [&](std::string_view key) {
    const auto field = FindField(entry, key);
    return field ? std::string(field->AsText().value_or("?")) : std::string("?");
  };
  std::string what = text("op");
  if (what == "c") {
    const auto command = FindField(entry, "o");
    const auto inner = command ? command->AsDocument() : std::nullopt;
    const auto first = inner ? FieldWalker(*inner).Next() : std::nullopt;
    if (first) what = first->key;
  }
  std::string described = fmt::format("{} in {}", what, text("ns"));
  const auto time = FindField(entry, "ts");
  if (time && time->AsTimestamp()) described += " at " + time->AsTimestamp()->Text();
  return described;
}

std::string TransactionKey(std::string_view entry) {
  std::string key;
  if (const auto session = FindField(entry, "lsid")) key.append(session->value);
  if (const auto number = FindField(entry, "txnNumber")) key.append(number->value);
  return key;
}

bool ContinuesTransaction(std::string_view entry) {
  const auto previous = FindPath(entry, {"prevOpTime", "ts"});
  return previous && previous->AsTimestamp() && !previous->AsTimestamp()->is_null() &&
         !AppliedSeparately(entry);
}

bool LeavesTransactionOpen(std::string_view entry) {
  const auto command = FindField(entry, "o");
  const auto inner = command ? command->AsDocument() : std::nullopt;
  return inner && (IsSet(*inner, "partialTxn") || IsSet(*inner, "prepare"));
}

bool IsPartOfTransaction(std::string_view entry) {
  return LeavesTransactionOpen(entry) || (FindField(entry, "lsid") && ContinuesTransaction(entry));
}

void OplogTransactions::Apply(std::string_view entry, const Consumer& each) {
  if (RequiredField(entry, "op").AsText() != "c") {
    each(entry);
    return;
  }
  const std::string_view command = RequiredDocument(entry, "o");
  const auto first = FieldWalker(command).Next();
  const std::string_view name = first ? first->key : std::string_view();
  if (name == "applyOps") {
    ApplyOps(entry, command, each);
  } else if (name == "commitTransaction") {
    Commit(entry, each);
  } else if (name == "abortTransaction") {
    waiting_.erase(TransactionKey(entry));
  } else {
    each(entry);
  }
}

void OplogTransactions::ApplyOps(std::string_view entry, std::string_view command,
                                 const Consumer& each) {
  const std::string key = TransactionKey(entry);
  if (!key.empty() && ContinuesTransaction(entry) && !waiting_.contains(key))
    throw BegunBefore(entry);
  std::vector<std::string>& waiting = waiting_[key];
  FieldWalker walker(RequiredDocument(command, "applyOps"));
  while (const auto operation = walker.Next()) {
    waiting.emplace_back(operation->AsDocument().value_or(std::string_view()));
  }
  if (!LeavesTransactionOpen(entry)) Commit(entry, each);
}

void OplogTransactions::Commit(std::string_view entry, const Consumer& each) {
  const auto found = waiting_.find(TransactionKey(entry));
  if (found == waiting_.end()) throw BegunBefore(entry);
  const std::vector<std::string> operations = std::move(found->second);
  waiting_.erase(found);
  for (const std::string& operation : operations) Apply(operation, each);
}

}  // namespace oxbackup::mongodb
