#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "digest.h"
#include "fingerprint.h"
#include "mongodb_client.h"

namespace sitegen {
namespace {

std::string_view Bytes(const bson_t& document) {
  return {reinterpret_cast<const char*>(bson_get_data(&document)), document.len};
}

// A copy without the fields in `dropped`, which differ between equal sites.
std::string Without(const bson_t& document, const std::vector<std::string>& dropped) {
  bson_t copy;
  bson_init(&copy);
  bson_iter_t iterator;
  if (bson_iter_init(&iterator, &document)) {
    while (bson_iter_next(&iterator)) {
      const char* key = bson_iter_key(&iterator);
      if (std::find(dropped.begin(), dropped.end(), key) == dropped.end()) {
        bson_append_iter(&copy, key, -1, &iterator);
      }
    }
  }
  std::string bytes(Bytes(copy));
  bson_destroy(&copy);
  return bytes;
}

std::string Text(const bson_t& document, const char* key) {
  bson_iter_t iterator;
  if (!bson_iter_init_find(&iterator, &document, key) || !BSON_ITER_HOLDS_UTF8(&iterator))
    return "";
  return bson_iter_utf8(&iterator, nullptr);
}

struct Collection {
  std::string name;
  std::string type;
  std::string options;
};

// The documents as a set: no server has to sort them, and servers differ in how they would. For a
// capped collection the order is part of the content.
std::string CollectionLine(MongodbClient& client, const std::string& database,
                           const Collection& one) {
  uint64_t count = 0;
  Digest digest;
  std::vector<std::string> digests;
  bool is_capped = one.options.find("capped") != std::string::npos;
  client.Find(database, one.name, [&](const bson_t& document) {
    digest.AddField(Bytes(document));
    if (is_capped) digest.AddField(std::to_string(count));
    digests.push_back(digest.Take());
    count++;
  });
  return fmt::format("mongodb documents {} {} {} {}", OneWord(database), OneWord(one.name), count,
                     DigestOfSet(digests));
}

// ns: old servers name the collection here. storageEngine: FerretDB's numbers of its own tables.
std::string IndexLine(MongodbClient& client, const std::string& database, const Collection& one) {
  std::vector<std::string> digests, names;
  client.ListIndexes(database, one.name, [&](const bson_t& index) {
    Digest digest;
    digest.Add(Without(index, {"ns", "storageEngine"}));
    digests.push_back(digest.Take());
    names.push_back(OneWord(Text(index, "name")));
  });
  std::sort(names.begin(), names.end());
  return fmt::format("mongodb indexes {} {} {} {}", OneWord(database), OneWord(one.name),
                     fmt::join(names, ","), DigestOfSet(digests));
}

std::vector<Collection> Collections(MongodbClient& client, const std::string& database) {
  std::vector<Collection> collections;
  client.ListCollections(database, [&](const bson_t& entry) {
    Collection& one = collections.emplace_back();
    one.name = Text(entry, "name");
    one.type = Text(entry, "type");
    bson_iter_t iterator;
    if (bson_iter_init_find(&iterator, &entry, "options") && BSON_ITER_HOLDS_DOCUMENT(&iterator)) {
      uint32_t size = 0;
      const uint8_t* data = nullptr;
      bson_iter_document(&iterator, &size, &data);
      one.options.assign(reinterpret_cast<const char*>(data), size);
    }
  });
  return collections;
}

}  // namespace

std::vector<std::string> FingerprintMongodb(const Servers& servers,
                                            std::vector<std::string> databases) {
  MongodbClient client(servers);
  if (databases.empty()) databases = client.Databases();
  std::vector<std::string> lines;
  for (const std::string& database : databases) {
    for (const Collection& one : Collections(client, database)) {
      // What the server keeps for itself of views and time series.
      if (one.name.starts_with("system.")) continue;
      Digest digest;
      digest.AddField(one.type);
      digest.AddField(one.options);
      lines.push_back(fmt::format("mongodb options {} {} {} {}", OneWord(database),
                                  OneWord(one.name), one.type.empty() ? "collection" : one.type,
                                  digest.TakeHex()));
      if (one.type == "view") continue;
      lines.push_back(CollectionLine(client, database, one));
      lines.push_back(IndexLine(client, database, one));
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace sitegen
