// Which entries of an oplog belong to a backup.
#include <utility>

#include "mongodb/oplog_catalog.h"
#include "mongodb/oplog_entry.h"
#include "mongodb/oplog_slice.h"

namespace oxbackup::mongodb {
namespace {

// Changes of views stand in their database's system.views.
void NoteDocument(std::string_view entry, const std::string& ns, OplogTouched& touched) {
  if (CollectionOf(ns) != "system.views") {
    touched.names.insert(ns);
    return;
  }
  const bool update = TextOf(entry, "op") == "u";
  const std::string view = TextOf(RequiredDocument(entry, update ? "o2" : "o"), "_id");
  touched.names.insert(view);
  if (TextOf(entry, "op") == "i") touched.added.insert(view);
}

void NoteCommand(std::string_view entry, const std::string& ns, OplogTouched& touched) {
  const std::string_view command = RequiredDocument(entry, "o");
  const auto first = FieldWalker(command).Next();
  if (!first) return;
  const std::string name(first->AsText().value_or(""));
  const std::string of_name = DatabaseOf(ns) + "." + name;
  if (!OplogCatalog::CanReplay(first->key)) {
    touched.cannot_replay.insert(of_name + ": " + DescribeEntry(entry));
  }
  if (first->key == "renameCollection") {
    const std::string to = TextOf(command, "to");
    touched.names.insert({name, to});
    touched.added.erase(name);
    touched.added.insert(to);
    return;
  }
  touched.names.insert(of_name);
  if (first->key == "create") touched.added.insert(of_name);
  if (first->key == "drop") touched.added.erase(of_name);
}

void Note(std::string_view entry, const std::string& ns, OplogTouched& touched) {
  const auto ui = FindField(entry, "ui");
  if (const auto uuid = ui ? ui->AsUuid() : std::nullopt) touched.uuids.insert(UuidHex(*uuid));
  if (TextOf(entry, "op") == "c") {
    NoteCommand(entry, ns, touched);
  } else {
    NoteDocument(entry, ns, touched);
  }
}

// Parts of a transaction stay, even when nothing is left in them: the others lean on them.
std::optional<std::string> KeptApplyOps(std::string_view entry,
                                        const std::set<std::string>& databases,
                                        OplogTouched& touched) {
  const std::string_view command = RequiredDocument(entry, "o");
  Bson operations;
  int count = 0;
  FieldWalker walker(RequiredDocument(command, "applyOps"));
  while (const auto operation = walker.Next()) {
    const auto kept =
        KeptOplogEntry(operation->AsDocument().value_or(std::string_view()), databases, touched);
    if (kept) operations.Add(std::to_string(count++), Bson(*kept));
  }
  if (count == 0 && !IsPartOfTransaction(entry)) return std::nullopt;
  Bson changed_command;
  FieldWalker fields(command);
  while (const auto field = fields.Next()) {
    if (field->key == "applyOps") {
      changed_command.AddArray("applyOps", operations);
    } else {
      changed_command.Add(field->key, *field);
    }
  }
  Bson changed;
  FieldWalker of_entry(entry);
  while (const auto field = of_entry.Next()) {
    if (field->key == "o") {
      changed.Add("o", changed_command);
    } else {
      changed.Add(field->key, *field);
    }
  }
  return std::string(changed.bytes());
}

}  // namespace

std::optional<std::string> KeptOplogEntry(std::string_view entry,
                                          const std::set<std::string>& databases,
                                          OplogTouched& touched) {
  const std::string kind = TextOf(entry, "op");
  if (kind == "n") return std::nullopt;
  const std::string ns = TextOf(entry, "ns");
  if (kind == "c") {
    const auto first = FieldWalker(RequiredDocument(entry, "o")).Next();
    const std::string name = first ? std::string(first->key) : std::string();
    if (name == "applyOps") return KeptApplyOps(entry, databases, touched);
    // A check of data, which each member notes.
    if (name == "dbCheck") return std::nullopt;
    if (name == "commitTransaction" || name == "abortTransaction") return std::string(entry);
  }
  if (!databases.contains(DatabaseOf(ns))) return std::nullopt;
  Note(entry, ns, touched);
  return std::string(entry);
}

}  // namespace oxbackup::mongodb
