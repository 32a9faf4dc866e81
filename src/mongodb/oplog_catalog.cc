#include "mongodb/oplog_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "mongodb/live_names.h"
#include "mongodb/oplog_entry.h"
#include "mongodb/oplog_metadata.h"
#include "mongodb/oplog_update.h"

namespace oxbackup::mongodb {
namespace {

constexpr char kViews[] = "system.views";

std::string UuidOf(std::string_view document, std::string_view key) {
  const auto field = FindField(document, key);
  const auto uuid = field ? field->AsUuid() : std::nullopt;
  return uuid ? UuidHex(*uuid) : std::string();
}

std::string SourceNs(const RestoredCollection& collection) {
  return collection.source_database + "." + collection.source_name;
}

// "db.collection" of a command whose first field names the collection.
std::string CommandNs(std::string_view entry, std::string_view command) {
  const auto first = FieldWalker(command).Next();
  const auto name = first ? first->AsText() : std::nullopt;
  return DatabaseOf(RequiredText(entry, "ns")) + "." + std::string(name.value_or(""));
}

Error CannotReplay(std::string_view entry) {
  return Error(ErrorKind::kCorrupt,
               "an entry of the archive's oplog cannot be replayed: " + DescribeEntry(entry))
      .Hint(
          "restore another archive, or leave that collection out "
          "(--nsExclude in MONGORESTORE_ADDITIONAL_OPTIONS)");
}

}  // namespace

OplogCatalog::OplogCatalog(Session& session, const RestoreOptions& options,
                           const NamespaceFilter& filter, Collections& collections,
                           BeforeDrop before_drop, const RunContext& run)
    : session_(session),
      options_(options),
      filter_(filter),
      collections_(collections),
      before_drop_(std::move(before_drop)),
      run_(run) {
  for (const auto& collection : collections_) {
    if (!collection->metadata.uuid.empty()) {
      by_uuid_[collection->metadata.uuid] = collection.get();
    }
  }
}

bool OplogCatalog::Wanted(const std::string& ns) const {
  const std::string database = DatabaseOf(ns);
  const std::string name = CollectionOf(ns);
  const bool servers_own = name.starts_with("system.") && name != "system.js";
  return !IsServersDatabase(database) && database != options_.record_database && !servers_own &&
         !name.empty() && !IsBeside(name) && filter_.Includes(database, name);
}

RestoredCollection* OplogCatalog::FindByName(std::string_view ns, bool view) {
  for (const auto& collection : collections_) {
    if (collection->metadata.view() == view && SourceNs(*collection) == ns) return collection.get();
  }
  return nullptr;
}

RestoredCollection* OplogCatalog::Find(std::string_view entry) {
  const std::string ns = RequiredText(entry, "ns");
  const std::string uuid = UuidOf(entry, "ui");
  const auto found = by_uuid_.find(uuid);
  if (found != by_uuid_.end()) return found->second;
  RestoredCollection* const named = FindByName(ns, false);
  if (named != nullptr && (uuid.empty() || named->metadata.uuid.empty())) {
    if (!uuid.empty()) {
      named->metadata.uuid = uuid;
      by_uuid_[uuid] = named;
    }
    return named;
  }
  NoteUnknown(entry, ns);
  return nullptr;
}

// A collection that came and went between two looks at the catalog is of no interest; one that is
// still there at the end is missed.
void OplogCatalog::NoteUnknown(std::string_view entry, const std::string& ns) {
  const std::string uuid = UuidOf(entry, "ui");
  const std::string key = uuid.empty() ? ns : uuid;
  if (Wanted(ns)) {
    unknown_[key] = ns;
  } else {
    unknown_.erase(key);
  }
}

void OplogCatalog::CheckComplete() const {
  if (unknown_.empty()) return;
  throw Error(
      ErrorKind::kCorrupt,
      fmt::format("the archive's oplog changes {}, whose documents the archive does not hold",
                  unknown_.begin()->second))
      .Hint(
          "restore another archive, or leave that collection out "
          "(--nsExclude in MONGORESTORE_ADDITIONAL_OPTIONS)");
}

RestoredCollection* OplogCatalog::OfCommand(std::string_view entry, std::string_view command) {
  const std::string ns = CommandNs(entry, command);
  const auto found = by_uuid_.find(UuidOf(entry, "ui"));
  if (found != by_uuid_.end()) return found->second;
  RestoredCollection* const named = FindByName(ns, false);
  if (named != nullptr && (UuidOf(entry, "ui").empty() || named->metadata.uuid.empty())) {
    return named;
  }
  return nullptr;
}

const std::map<std::string_view, OplogCatalog::Method>& OplogCatalog::Methods() {
  static const std::map<std::string_view, Method> methods = {
      {"create", &OplogCatalog::Create},
      {"drop", &OplogCatalog::DropCommand},
      {"dropDatabase", &OplogCatalog::DropDatabase},
      {"renameCollection", &OplogCatalog::Rename},
      {"collMod", &OplogCatalog::CollMod},
      {"createIndexes", &OplogCatalog::AddIndexes},
      {"commitIndexBuild", &OplogCatalog::AddIndexes},
      {"abortIndexBuild", &OplogCatalog::RemoveIndexes},
      {"dropIndexes", &OplogCatalog::RemoveIndexes},
      {"dropIndex", &OplogCatalog::RemoveIndexes},
      {"deleteIndexes", &OplogCatalog::RemoveIndexes},
      {"deleteIndex", &OplogCatalog::RemoveIndexes},
      {"startIndexBuild", &OplogCatalog::Ignore},
      {"dbCheck", &OplogCatalog::Ignore},
  };
  return methods;
}

bool OplogCatalog::CanReplay(std::string_view command) { return Methods().contains(command); }

void OplogCatalog::ApplyCommand(std::string_view entry) {
  const std::string database = DatabaseOf(RequiredText(entry, "ns"));
  if (IsServersDatabase(database) || database == options_.record_database) return;
  const std::string_view command = RequiredDocument(entry, "o");
  const auto first = FieldWalker(command).Next();
  if (!first) throw CannotReplay(entry);
  const auto method = Methods().find(first->key);
  if (method != Methods().end()) {
    (this->*method->second)(entry, command);
    return;
  }
  const bool ours = OfCommand(entry, command) != nullptr || Wanted(CommandNs(entry, command));
  if (ours) throw CannotReplay(entry);
}

void OplogCatalog::Ignore(std::string_view, std::string_view) {}

void OplogCatalog::Create(std::string_view entry, std::string_view command) {
  const std::string ns = CommandNs(entry, command);
  const std::string uuid = UuidOf(entry, "ui");
  if (by_uuid_.contains(uuid)) return;
  if (uuid.empty() && FindByName(ns, false) != nullptr) return;
  if (CollectionOf(ns).starts_with("system.buckets.")) {
    if (filter_.Includes(DatabaseOf(ns), CollectionOf(ns).substr(15))) throw CannotReplay(entry);
    return;
  }
  // Should it be renamed to a wanted name later, CheckComplete finds it missing.
  if (!Wanted(ns)) {
    unknown_.erase(uuid);
    return;
  }
  auto collection = std::make_unique<RestoredCollection>();
  collection->source_database = DatabaseOf(ns);
  collection->source_name = CollectionOf(ns);
  std::tie(collection->database, collection->name) =
      filter_.Target(collection->source_database, collection->source_name);
  collection->metadata = MetadataOfCreate(command);
  collection->metadata.uuid = uuid;
  if (collection->metadata.view()) {
    AddView(ns, collection->metadata.options);
    return;
  }
  CheckServerTakes(collection->metadata, collection->ns(), session_.server());
  collection->temp_name = fmt::format(
      "oplog_{}{}", uuid.empty() ? std::to_string(collections_.size()) : uuid, kRestoreSuffix);
  DropCollection(session_, collection->database, collection->temp_name);
  session_.Run(collection->database,
               Bson()
                   .Add("create", collection->temp_name)
                   .Append(CreateOptions(collection->metadata, session_.server()).bytes()),
               "MongoDB does not create a collection like " + collection->ns());
  collection->created = true;
  if (!uuid.empty()) by_uuid_[uuid] = collection.get();
  collections_.push_back(std::move(collection));
}

void OplogCatalog::Drop(const RestoredCollection& collection) {
  before_drop_(collection);
  if (!collection.metadata.view()) {
    DropCollection(session_, collection.database, collection.temp_name);
  }
  std::erase_if(by_uuid_, [&](const auto& known) { return known.second == &collection; });
  std::erase_if(collections_, [&](const auto& known) { return known.get() == &collection; });
}

void OplogCatalog::DropCommand(std::string_view entry, std::string_view command) {
  const std::string ns = CommandNs(entry, command);
  if (CollectionOf(ns) == kViews) {
    DropDatabase(entry, command);
    return;
  }
  unknown_.erase(UuidOf(entry, "ui"));
  unknown_.erase(ns);
  if (const RestoredCollection* const collection = OfCommand(entry, command)) Drop(*collection);
}

// The collections have entries of their own; what is left are the views.
void OplogCatalog::DropDatabase(std::string_view entry, std::string_view) {
  const std::string database = DatabaseOf(RequiredText(entry, "ns"));
  std::vector<const RestoredCollection*> views;
  for (const auto& collection : collections_) {
    if (collection->source_database == database && collection->metadata.view()) {
      views.push_back(collection.get());
    }
  }
  for (const RestoredCollection* const view : views) Drop(*view);
}

void OplogCatalog::Rename(std::string_view entry, std::string_view command) {
  const std::string from = RequiredText(command, "renameCollection");
  const std::string to = RequiredText(command, "to");
  const std::string uuid = UuidOf(entry, "ui");
  const auto known = by_uuid_.find(uuid);
  RestoredCollection* collection = known == by_uuid_.end() ? nullptr : known->second;
  if (collection == nullptr) {
    collection = FindByName(from, false);
    const bool follows_names =
        collection != nullptr && (uuid.empty() || collection->metadata.uuid.empty());
    if (!follows_names) collection = nullptr;
  }
  const std::string dropped = UuidOf(command, "dropTarget");
  unknown_.erase(dropped);
  const auto target = by_uuid_.find(dropped);
  if (target != by_uuid_.end()) {
    Drop(*target->second);
  } else if (const auto flag = FindField(command, "dropTarget"); flag && flag->IsTrue()) {
    RestoredCollection* const named = FindByName(to, false);
    if (named != nullptr && named != collection) Drop(*named);
  }
  if (collection == nullptr) {
    if (uuid.empty()) unknown_.erase(from);
    NoteUnknown(entry, to);
    return;
  }
  if (!Wanted(to)) {
    Drop(*collection);
    return;
  }
  const auto [database, name] = filter_.Target(DatabaseOf(to), CollectionOf(to));
  // The server itself copies between databases, so such an entry is none that it writes.
  if (database != collection->database) throw CannotReplay(entry);
  collection->source_database = DatabaseOf(to);
  collection->source_name = CollectionOf(to);
  collection->name = name;
}

void OplogCatalog::CollMod(std::string_view entry, std::string_view command) {
  RestoredCollection* const collection = OfCommand(entry, command);
  // Views change in system.views.
  if (collection == nullptr) return;
  const auto of_options = ApplyCollMod(collection->metadata, command);
  if (!of_options) throw CannotReplay(entry);
  if (of_options->empty()) return;
  const Reply reply =
      session_.TryRun(collection->database,
                      Bson().Add("collMod", collection->temp_name).Append(of_options->bytes()));
  if (reply.ok()) return;
  const std::string what = "MongoDB does not change the options of " + collection->ns();
  if (session_.server().flavour != "FerretDB") throw reply.failure->ToError(what);
  run_.warnings.Add(fmt::format("{}: {}", what, reply.failure->message));
}

void OplogCatalog::AddIndexes(std::string_view entry, std::string_view command) {
  if (RestoredCollection* const collection = OfCommand(entry, command)) {
    AddOplogIndexes(collection->metadata, command);
  }
}

void OplogCatalog::RemoveIndexes(std::string_view entry, std::string_view command) {
  RestoredCollection* const collection = OfCommand(entry, command);
  if (collection != nullptr && !RemoveOplogIndexes(collection->metadata, command)) {
    throw CannotReplay(entry);
  }
}

void OplogCatalog::AddView(const std::string& ns, Bson options) {
  if (session_.server().flavour == "FerretDB") {
    run_.warnings.Add(fmt::format("{} is a view and was left out: FerretDB has none", ns));
    return;
  }
  auto view = std::make_unique<RestoredCollection>();
  view->source_database = DatabaseOf(ns);
  view->source_name = CollectionOf(ns);
  std::tie(view->database, view->name) = filter_.Target(view->source_database, view->source_name);
  view->metadata.type = "view";
  view->metadata.options = std::move(options);
  CheckServerTakes(view->metadata, view->ns(), session_.server());
  view->created = true;
  collections_.push_back(std::move(view));
}

void OplogCatalog::ApplyView(std::string_view entry) {
  const std::string kind = RequiredText(entry, "op");
  const std::string_view what = RequiredDocument(entry, "o");
  const std::string ns = RequiredText(kind == "u" ? RequiredDocument(entry, "o2") : what, "_id");
  if (!Wanted(ns)) return;
  RestoredCollection* const view = FindByName(ns, true);
  if (kind == "d") {
    if (view != nullptr) Drop(*view);
    return;
  }
  if (kind == "u" && view == nullptr) return;
  std::string document(what);
  if (kind == "u") {
    document = ApplyOplogUpdate(
        Bson().Add("_id", ns).Append(KeptOptions(view->metadata).bytes()).bytes(), what);
  }
  Bson options;
  FieldWalker walker(document);
  while (const auto field = walker.Next()) {
    if (field->key != "_id") options.Add(field->key, *field);
  }
  if (view != nullptr) {
    view->metadata.options = std::move(options);
  } else {
    AddView(ns, std::move(options));
  }
}

}  // namespace oxbackup::mongodb
