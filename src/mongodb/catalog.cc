#include "mongodb/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "mongodb/canonical_json.h"

namespace oxbackup::mongodb {
namespace {

constexpr std::string_view kBucketsPrefix = "system.buckets.";

// FerretDB adds fields that no MongoDB server takes back.
Bson CleanIndex(std::string_view index, const ServerInfo& server) {
  if (server.flavour != "FerretDB") return Bson(index);
  Bson clean;
  FieldWalker walker(index);
  while (const auto field = walker.Next()) {
    if (field->key != "storageEngine") clean.Add(field->key, *field);
  }
  return clean;
}

void ReadIndexes(Session& session, CollectionInfo& collection) {
  // By name: listIndexes of a time series answers for the series, and not every server takes UUIDs.
  Cursor cursor(session, collection.database, Bson().Add("listIndexes", collection.name));
  for (;;) {
    switch (cursor.Next()) {
      case Cursor::Step::kDocument:
        collection.indexes.push_back(CleanIndex(cursor.document(), session.server()));
        continue;
      case Cursor::Step::kEnd:
        return;
      case Cursor::Step::kFailed:
        // Dropped since it was listed: its read will find that out and say so.
        if (cursor.failure().code == kNamespaceNotFound) return;
        throw cursor.failure().ToError("cannot list the indexes of " + collection.full_name());
    }
  }
}

void ReadSizes(Session& session, CollectionInfo& collection) {
  const Reply reply =
      session.TryRun(collection.database,
                     Bson().Add("collStats", collection.stored_name()).Add("scale", int32_t{1}));
  if (!reply.ok()) return;
  const auto count = FindField(reply.document.bytes(), "count");
  const auto size = FindField(reply.document.bytes(), "size");
  if (!count || !size) return;
  collection.documents = static_cast<uint64_t>(std::max<int64_t>(0, count->AsInt().value_or(0)));
  collection.bytes = static_cast<uint64_t>(std::max<int64_t>(0, size->AsInt().value_or(0)));
  collection.has_estimates = true;
}

CollectionInfo ParseListed(const std::string& database, std::string_view listed) {
  CollectionInfo collection;
  collection.database = database;
  collection.name = TextOf(listed, "name");
  collection.type = TextOf(listed, "type");
  if (collection.type.empty()) collection.type = "collection";
  if (const auto options = FindField(listed, "options"); options && options->AsDocument()) {
    collection.options = Bson(*options->AsDocument());
  }
  if (const auto uuid = FindPath(listed, {"info", "uuid"})) collection.uuid = uuid->AsUuid();
  return collection;
}

std::vector<CollectionInfo> ListCollections(Session& session, const std::string& database,
                                            const Bson& filter) {
  std::vector<CollectionInfo> found;
  Bson command;
  command.Add("listCollections", int32_t{1});
  if (!filter.empty()) command.Add("filter", filter);
  Cursor cursor(session, database, command);
  while (cursor.NextOrThrow("cannot list the collections of the database " + database)) {
    found.push_back(ParseListed(database, cursor.document()));
  }
  return found;
}

void TakeBucketUuids(std::vector<CollectionInfo>& listed) {
  for (CollectionInfo& series : listed) {
    if (series.type != "timeseries") continue;
    for (const CollectionInfo& other : listed) {
      if (other.name == series.stored_name()) series.uuid = other.uuid;
    }
  }
}

}  // namespace

bool IsServersOwn(std::string_view collection) {
  return collection.starts_with("system.") && collection != "system.js";
}

bool CollectionInfo::is_capped() const {
  const auto capped = FindField(options.bytes(), "capped");
  return capped && capped->IsTrue();
}

bool CollectionInfo::has_id_index() const {
  // A time series' buckets are stored in the order of _id without an index of that name.
  if (type != "collection") return false;
  return std::any_of(indexes.begin(), indexes.end(), [](const Bson& index) {
    const auto key = FindField(index.bytes(), "key");
    if (!key || !key->AsDocument()) return false;
    FieldWalker walker(*key->AsDocument());
    const auto first = walker.Next();
    return first && first->key == "_id" && first->AsInt() == 1 && !walker.Next();
  });
}

std::string CollectionInfo::stored_name() const {
  return type == "timeseries" ? std::string(kBucketsPrefix) + name : name;
}

std::vector<std::string> ReadDatabases(Session& session, const std::vector<std::string>& wanted) {
  const Bson reply =
      session.Run("admin", Bson().Add("listDatabases", int32_t{1}).Add("nameOnly", true),
                  "cannot list the databases of MongoDB");
  std::vector<std::string> names;
  if (const auto list = FindField(reply.bytes(), "databases"); list && list->AsDocument()) {
    FieldWalker walker(*list->AsDocument());
    while (const auto entry = walker.Next()) {
      if (const auto document = entry->AsDocument()) names.push_back(TextOf(*document, "name"));
    }
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : wanted) {
    if (std::binary_search(names.begin(), names.end(), name)) continue;
    throw Error(ErrorKind::kUsage, fmt::format("MongoDB has no database \"{}\"", name))
        .Cause(fmt::format("there are: {}", fmt::join(names, ", ")))
        .Hint("correct the list of databases (MONGODB_DATABASES)");
  }
  if (!wanted.empty()) {
    names = wanted;
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }
  std::erase_if(names, [](const std::string& name) {
    return name == "admin" || name == "config" || name == "local";
  });
  return names;
}

std::vector<CollectionInfo> ReadCatalog(Session& session,
                                        const std::vector<std::string>& databases) {
  std::vector<CollectionInfo> catalog;
  for (const std::string& database : databases) {
    std::vector<CollectionInfo> listed = ListCollections(session, database, Bson());
    TakeBucketUuids(listed);
    std::erase_if(listed, [](const CollectionInfo& c) { return IsServersOwn(c.name); });
    std::sort(listed.begin(), listed.end(),
              [](const CollectionInfo& a, const CollectionInfo& b) { return a.name < b.name; });
    for (CollectionInfo& collection : listed) {
      if (!collection.is_view()) {
        ReadIndexes(session, collection);
        ReadSizes(session, collection);
      }
      catalog.push_back(std::move(collection));
    }
  }
  return catalog;
}

std::optional<CollectionInfo> FindCollection(Session& session, const std::string& database,
                                             const std::string& name) {
  std::vector<CollectionInfo> found = ListCollections(session, database, Bson().Add("name", name));
  for (CollectionInfo& collection : found) {
    if (collection.name == name) return std::move(collection);
  }
  return std::nullopt;
}

std::string MetadataJson(const CollectionInfo& collection) {
  Bson indexes;
  for (size_t i = 0; i < collection.indexes.size(); ++i) {
    indexes.Add(std::to_string(i), collection.indexes[i]);
  }
  Bson metadata;
  metadata.Add("options", collection.options);
  metadata.AddArray("indexes", indexes);
  metadata.Add("uuid", collection.uuid ? UuidHex(*collection.uuid) : std::string());
  metadata.Add("collectionName", collection.name);
  metadata.Add("type", collection.type);
  std::string json = ToJson(metadata.bytes());
  if (!json.starts_with('{')) {
    throw Error(ErrorKind::kSource,
                "the options or indexes of " + collection.full_name() + " are not valid UTF-8")
        .Hint("recreate that collection's options or indexes with valid names");
  }
  // A document may look like extended JSON's form of another value.
  if (FromCanonicalJson(json, collection.full_name()).bytes() != metadata.bytes()) {
    throw Error(ErrorKind::kSource, "the options or indexes of " + collection.full_name() +
                                        " cannot be written as extended JSON")
        .Cause("read back they are not the same: " + json)
        .Hint(
            "recreate that collection's options or indexes without names that begin with '$' or "
            "come twice");
  }
  return json;
}

}  // namespace oxbackup::mongodb
