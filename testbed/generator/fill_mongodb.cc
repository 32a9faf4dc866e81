#include "fill_mongodb.h"

#include <fmt/format.h>

#include <stdexcept>

#include "fill.h"

namespace sitegen {

void MakeIndex(MongodbClient& client, const std::string& database, const std::string& collection,
               const std::string& name, const Document& keys, const Document& options) {
  Document index;
  index.Embed("key", keys).Text("name", name);
  bson_concat(index.get(), options.get());
  Document list, command;
  list.Embed("0", index);
  command.Text("createIndexes", collection).Array("indexes", list);
  client.Command(database, command);
}

// Waits until a majority has all that was written, by a write that changes nothing: a backup that
// begins right after a fill would have the end of it in its slice of the oplog.
void AwaitMajority(MongodbClient& client) {
  if (client.flavour() != "mongod") return;
  Document query, one, list, command, concern;
  query.Text("_id", "no such document");
  one.Embed("q", query).Int("limit", 1);
  list.Embed("0", one);
  concern.Text("w", "majority");
  command.Text("delete", "bson_types").Array("deletes", list).Embed("writeConcern", concern);
  client.Command(kOpenedx, command);
}

void FillMongodb(const Servers& servers, const Model& model) {
  MongodbClient client(servers);
  for (const std::string& name : client.Databases()) {
    if (name == kOpenedx || name == kForum) {
      throw std::runtime_error(fmt::format(
          "the MongoDB database '{}' exists already; `destroy` removes the site", name));
    }
  }
  FillModulestore(client, model, model.mongodb_bytes / 10 * 5);
  FillGridfs(client, model, model.mongodb_bytes / 10 * 3);
  FillForum(client, model, model.mongodb_bytes / 10 * 2);
  FillOddDocuments(client);
  AwaitMajority(client);
}

}  // namespace sitegen
