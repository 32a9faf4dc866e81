#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "digest.h"
#include "fingerprint.h"
#include "mongodb_client.h"

namespace sitegen {
namespace {

std::string_view Bytes(const bson_t& document) {
  return {reinterpret_cast<const char*>(bson_get_data(&document)), document.len};
}

// An index in one order of fields, as MongoDB 4.4 and older list them in another one: `v`, `key`
// and `name`, which all have, then the others by their names. Without what is no part of it: `ns`,
// where old servers name the collection, and `storageEngine`, FerretDB's numbers of its own tables.
std::string IndexBytes(const bson_t& index) {
  std::vector<std::string> keys;
  bson_iter_t iterator;
  if (bson_iter_init(&iterator, &index)) {
    while (bson_iter_next(&iterator)) {
      std::string key = bson_iter_key(&iterator);
      if (key != "ns" && key != "storageEngine") keys.push_back(std::move(key));
    }
  }
  const auto rank = [](const std::string& key) {
    static const std::vector<std::string> kFirst = {"v", "key", "name"};
    return std::pair(std::find(kFirst.begin(), kFirst.end(), key) - kFirst.begin(), key);
  };
  std::sort(keys.begin(), keys.end(),
            [&](const std::string& a, const std::string& b) { return rank(a) < rank(b); });
  bson_t copy;
  bson_init(&copy);
  for (const std::string& key : keys) {
    if (bson_iter_init_find(&iterator, &index, key.c_str())) {
      bson_append_iter(&copy, key.c_str(), -1, &iterator);
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

std::string IndexLine(MongodbClient& client, const std::string& database, const Collection& one) {
  std::vector<std::string> digests, names;
  client.ListIndexes(database, one.name, [&](const bson_t& index) {
    Digest digest;
    digest.Add(IndexBytes(index));
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
