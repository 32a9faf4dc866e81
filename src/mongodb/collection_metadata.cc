#include "mongodb/collection_metadata.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "base/error.h"
#include "mongodb/canonical_json.h"

namespace oxbackup::mongodb {
namespace {

// Values of a key pattern that servers before 3.4 took for "ascending" (mongod.md: refused with
// 67).
Bson ModernKey(std::string_view key) {
  Bson modern;
  FieldWalker walker(key);
  while (const auto field = walker.Next()) {
    const bool number = field->type == BsonType::kInt32 || field->type == BsonType::kInt64 ||
                        field->type == BsonType::kDouble || field->type == BsonType::kDecimal128;
    const bool zero = number && field->type != BsonType::kDecimal128 && !field->IsTrue();
    const bool plugin = field->type == BsonType::kString && !field->AsText()->empty();
    if ((number && !zero) || plugin) {
      modern.Add(field->key, *field);
    } else {
      modern.Add(field->key, int32_t{1});
    }
  }
  return modern;
}

void CheckPlugins(std::string_view key, const std::string& index, const std::string& ns,
                  const ServerInfo& server) {
  static const std::set<std::string_view> known = {"text", "2d", "2dsphere", "hashed",
                                                   "geoHaystack"};
  FieldWalker walker(key);
  while (const auto field = walker.Next()) {
    if (field->type != BsonType::kString || field->AsText()->empty()) continue;
    const std::string_view plugin = *field->AsText();
    const bool gone = plugin == "geoHaystack" && server.AtLeast(5, 0);
    if (known.contains(plugin) && !gone) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("the index {} of {} is of the kind '{}', which {} {} does not have",
                            index, ns, plugin, server.flavour, server.version))
        .Hint(
            "leave the collection out (--nsExclude in MONGORESTORE_ADDITIONAL_OPTIONS), or "
            "restore without indexes (--noIndexRestore) and make them by hand");
  }
}

// What servers take as options of an index (mongod's index_key_validate.cc; mongorestore's
// --convertLegacyIndexes keeps about the same). Old servers kept any other too; today's refuse an
// index that has one (197).
bool IsIndexOption(std::string_view name) {
  static const std::set<std::string_view> known = {"2dsphereIndexVersion",
                                                   "bits",
                                                   "bucketSize",
                                                   "clustered",
                                                   "coarsestIndexedLevel",
                                                   "collation",
                                                   "columnstoreProjection",
                                                   "default_language",
                                                   "expireAfterSeconds",
                                                   "finestIndexedLevel",
                                                   "hidden",
                                                   "key",
                                                   "language_override",
                                                   "max",
                                                   "min",
                                                   "name",
                                                   "partialFilterExpression",
                                                   "prepareUnique",
                                                   "sparse",
                                                   "textIndexVersion",
                                                   "unique",
                                                   "v",
                                                   "weights",
                                                   "wildcardProjection"};
  return known.contains(name);
}

bool IsNan(const Element& value) {
  double number = 0;
  if (value.type != BsonType::kDouble || value.value.size() != sizeof(number)) return false;
  std::memcpy(&number, value.value.data(), sizeof(number));
  return std::isnan(number);
}

// Where a server takes an index's options otherwise than the one that had them.
struct IndexTarget {
  const std::string& ns;
  const ServerInfo& server;
  bool collated;
  std::vector<std::string>* changed;  ///< null: nobody wants to know

  void Tell(std::string_view index, const std::string& text) const {
    if (changed != nullptr) {
      changed->push_back(fmt::format("the index {} of {} {}", TextOf(index, "name"), ns, text));
    }
  }
};

// 4.4 and older keep documents for ever where the age is no number. (manual) From 5.0 on it counts
// as 0 or is refused; the greatest age is what the manual says to set instead.
void AddAge(Bson& spec, std::string_view index, const Element& age, const IndexTarget& target) {
  const bool limited = !target.server.AtLeast(5, 0) && target.server.flavour != "DocumentDB";
  if (IsNan(age) && !limited) {
    target.Tell(index, "had NaN as expireAfterSeconds and got 2147483647: nothing expires");
    spec.Add(age.key, std::numeric_limits<int32_t>::max());
    return;
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const int64_t longest = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  if (limited && age.AsInt().value_or(0) > longest) {
    throw Error(ErrorKind::kUsage,
                fmt::format("the index {} of {} lets documents expire after {} s, which {} {} "
                            "refuses: it is longer than since 1970",
                            TextOf(index, "name"), target.ns, age.AsInt().value_or(0),
                            target.server.flavour, target.server.version))
        .Hint(
            "restore into MongoDB 5.0 or newer, leave the collection out (--nsExclude in "
            "MONGORESTORE_ADDITIONAL_OPTIONS), or restore without indexes (--noIndexRestore) and "
            "make them by hand");
  }
  spec.Add(age.key, age);
}

Bson IndexSpec(std::string_view index, const IndexTarget& target) {
  // They have no effect, or say something of the source alone.
  static const std::set<std::string_view> dropped = {"ns", "background", "storageEngine",
                                                     "dropDups"};
  Bson spec;
  bool has_collation = false;
  FieldWalker walker(index);
  while (const auto field = walker.Next()) {
    has_collation |= field->key == "collation";
    if (dropped.contains(field->key)) continue;
    if (field->key == "v" && field->AsInt().value_or(0) < 1) continue;
    if (field->key == "key" && field->AsDocument()) {
      spec.Add("key", ModernKey(*field->AsDocument()));
    } else if (field->key == "expireAfterSeconds") {
      AddAge(spec, index, *field, target);
    } else if (IsIndexOption(field->key)) {
      spec.Add(field->key, *field);
    } else {
      target.Tell(index,
                  fmt::format("lost its option '{}', which MongoDB does not know", field->key));
    }
  }
  // listIndexes does not name the plain collation, but without it the collection's own would count.
  if (target.collated && !has_collation) spec.Add("collation", Bson().Add("locale", "simple"));
  return spec;
}

}  // namespace

bool CollectionMetadata::capped() const {
  const auto capped = FindField(options.bytes(), "capped");
  return capped && capped->IsTrue();
}

CollectionMetadata ParseMetadata(std::string_view json, const std::string& path) {
  const Bson document = FromCanonicalJson(json, path);
  CollectionMetadata metadata;
  metadata.collection = TextOf(document.bytes(), "collectionName");
  metadata.type = TextOf(document.bytes(), "type");
  metadata.uuid = TextOf(document.bytes(), "uuid");
  const auto options = FindField(document.bytes(), "options");
  if (options && options->AsDocument()) metadata.options = Bson(*options->AsDocument());
  const auto indexes = FindField(document.bytes(), "indexes");
  if (indexes && indexes->AsDocument()) {
    FieldWalker walker(*indexes->AsDocument());
    while (const auto index = walker.Next()) {
      if (!index->AsDocument() || !FindField(*index->AsDocument(), "key")) {
        throw Error(ErrorKind::kCorrupt, fmt::format("{} holds an index without keys", path));
      }
      metadata.indexes.emplace_back(*index->AsDocument());
    }
  }
  return metadata;
}

Bson KeptOptions(const CollectionMetadata& metadata) {
  static const std::set<std::string_view> of_source = {
      "uuid", "temp", "autoIndexId", "recordIdsReplicated", "idIndex", "create"};
  Bson options;
  FieldWalker walker(metadata.options.bytes());
  while (const auto option = walker.Next()) {
    if (!of_source.contains(option->key)) options.Add(option->key, *option);
  }
  return options;
}

Bson CreateOptions(const CollectionMetadata& metadata, const ServerInfo& server) {
  // (manual) 6.0 has changeStreamPreAndPostImages in its place and refuses the old one.
  constexpr std::string_view kPreImages = "recordPreImages";
  Bson options = KeptOptions(metadata);
  if (!server.AtLeast(6, 0) || !FindField(options.bytes(), kPreImages)) return options;
  Bson known;
  FieldWalker walker(options.bytes());
  while (const auto option = walker.Next()) {
    if (option->key != kPreImages) known.Add(option->key, *option);
  }
  return known;
}

std::vector<Bson> CreateIndexSpecs(const CollectionMetadata& metadata, const std::string& ns,
                                   const ServerInfo& server, std::vector<std::string>* changed) {
  const bool collated = FindField(metadata.options.bytes(), "collation").has_value();
  const IndexTarget target{ns, server, collated, changed};
  std::vector<Bson> specs;
  std::set<std::string> keys_seen;
  for (const Bson& index : metadata.indexes) {
    const std::string name = TextOf(index.bytes(), "name");
    const auto key = FindField(index.bytes(), "key");
    if (!key || !key->AsDocument()) continue;
    if (name == "_id_" || FindField(index.bytes(), "clustered")) continue;
    CheckPlugins(*key->AsDocument(), name, ns, server);
    Bson spec = IndexSpec(index.bytes(), target);
    // Legacy values made equal may leave two names for one index, which the server refuses (85).
    std::string fingerprint;
    FieldWalker walker(spec.bytes());
    while (const auto field = walker.Next()) {
      if (field->key != "name" && field->key != "v") fingerprint.append(field->whole);
    }
    if (keys_seen.insert(fingerprint).second) specs.push_back(std::move(spec));
  }
  return specs;
}

void CheckServerTakes(const CollectionMetadata& metadata, const std::string& ns,
                      const ServerInfo& server) {
  const bool timeseries = metadata.type == "timeseries" ||
                          FindField(metadata.options.bytes(), "timeseries").has_value();
  if (timeseries) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{} is a time-series collection, which cannot be swapped in", ns))
        .Hint(
            "leave it out with --nsExclude in MONGORESTORE_ADDITIONAL_OPTIONS and bring it "
            "back with mongorestore: docs/operations.md shows how");
  }
  if (FindField(metadata.options.bytes(), "clusteredIndex") && !server.AtLeast(5, 3)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{} has a clustered index, which {} {} does not know", ns,
                            server.flavour, server.version))
        .Hint("restore into MongoDB 5.3 or newer, or leave the collection out with --nsExclude");
  }
}

}  // namespace oxbackup::mongodb
