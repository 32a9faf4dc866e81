#include "mongodb_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace sitegen {

MongodbClient::MongodbClient(const Servers& servers) {
  static const int kInitialised = (mongoc_init(), 0);
  (void)kInitialised;
  bson_error_t error;
  std::unique_ptr<mongoc_uri_t, decltype(&mongoc_uri_destroy)> uri(
      mongoc_uri_new_with_error(servers.mongodb_uri.c_str(), &error), &mongoc_uri_destroy);
  if (uri == nullptr) throw std::runtime_error(fmt::format("--mongodb-uri: {}", error.message));
  if (!servers.mongodb_password.empty() && mongoc_uri_get_username(uri.get()) != nullptr) {
    mongoc_uri_set_password(uri.get(), servers.mongodb_password.c_str());
  }
  client_.reset(mongoc_client_new_from_uri(uri.get()));
  mongoc_client_set_error_api(client_.get(), MONGOC_ERROR_API_VERSION_2);
  Document ask;
  ask.Int("buildInfo", 1);
  Command("admin", ask);  // throws when nobody answers
  std::string reply = TryCommand("admin", ask);
  if (reply.find("ferretdb") == std::string::npos) {
    flavour_ = "mongod";
  } else {
    flavour_ = reply.find("v1.") != std::string::npos ? "ferretdb 1" : "ferretdb 2";
  }
}

void MongodbClient::Command(const std::string& database, const Document& command) {
  bson_error_t error;
  if (!mongoc_client_command_simple(client_.get(), database.c_str(), command.get(), nullptr,
                                    nullptr, &error)) {
    std::unique_ptr<char, decltype(&bson_free)> json(
        bson_as_relaxed_extended_json(command.get(), nullptr), &bson_free);
    throw std::runtime_error(fmt::format("MongoDB error {}: {} in {}: {:.300}", error.code,
                                         error.message, database, json.get()));
  }
}

std::string MongodbClient::TryCommand(const std::string& database, const Document& command) {
  bson_t reply;
  bool done = mongoc_client_command_simple(client_.get(), database.c_str(), command.get(), nullptr,
                                           &reply, nullptr);
  std::unique_ptr<char, decltype(&bson_free)> json(bson_as_relaxed_extended_json(&reply, nullptr),
                                                   &bson_free);
  bson_destroy(&reply);
  return done ? json.get() : "";
}

void MongodbClient::Insert(const std::string& database, const std::string& collection,
                           const std::vector<Document>& documents) {
  std::unique_ptr<mongoc_collection_t, Destroy> target(
      mongoc_client_get_collection(client_.get(), database.c_str(), collection.c_str()));
  std::vector<const bson_t*> pointers;
  for (const Document& document : documents) pointers.push_back(document.get());
  Document options;
  options.Bool("validate", false);
  bson_error_t error;
  if (!mongoc_collection_insert_many(target.get(), const_cast<const bson_t**>(pointers.data()),
                                     pointers.size(), options.get(), nullptr, &error)) {
    throw std::runtime_error(fmt::format("MongoDB error {}: {} while inserting into {}.{}",
                                         error.code, error.message, database, collection));
  }
}

void MongodbClient::Drain(Cursor cursor, const std::string& what,
                          const std::function<void(const bson_t&)>& visit) {
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor.get(), &document)) visit(*document);
  bson_error_t error;
  if (mongoc_cursor_error(cursor.get(), &error)) {
    throw std::runtime_error(
        fmt::format("MongoDB error {}: {} while reading {}", error.code, error.message, what));
  }
}

void MongodbClient::Find(const std::string& database, const std::string& collection,
                         const std::function<void(const bson_t&)>& visit) {
  std::unique_ptr<mongoc_collection_t, Destroy> source(
      mongoc_client_get_collection(client_.get(), database.c_str(), collection.c_str()));
  Document all;
  Drain(Cursor(mongoc_collection_find_with_opts(source.get(), all.get(), nullptr, nullptr)),
        database + "." + collection, visit);
}

void MongodbClient::ListCollections(const std::string& database,
                                    const std::function<void(const bson_t&)>& visit) {
  std::unique_ptr<mongoc_database_t, Destroy> source(
      mongoc_client_get_database(client_.get(), database.c_str()));
  Drain(Cursor(mongoc_database_find_collections_with_opts(source.get(), nullptr)), database, visit);
}

void MongodbClient::ListIndexes(const std::string& database, const std::string& collection,
                                const std::function<void(const bson_t&)>& visit) {
  std::unique_ptr<mongoc_collection_t, Destroy> source(
      mongoc_client_get_collection(client_.get(), database.c_str(), collection.c_str()));
  Drain(Cursor(mongoc_collection_find_indexes_with_opts(source.get(), nullptr)),
        database + "." + collection + "'s indexes", visit);
}

std::vector<std::string> MongodbClient::Databases() {
  bson_error_t error;
  char** names = mongoc_client_get_database_names_with_opts(client_.get(), nullptr, &error);
  if (names == nullptr) {
    throw std::runtime_error(fmt::format("cannot list MongoDB's databases: {}", error.message));
  }
  std::vector<std::string> databases;
  for (char** name = names; *name != nullptr; name++) {
    std::string text = *name;
    // openedx_backup: the engine's own records, which are no part of a site.
    if (text != "admin" && text != "config" && text != "local" && text != "openedx_backup") {
      databases.push_back(text);
    }
  }
  bson_strfreev(names);
  std::sort(databases.begin(), databases.end());
  return databases;
}

void MongodbClient::Drop(const std::string& database) {
  Document command;
  Command(database, command.Int("dropDatabase", 1));
}

constexpr size_t kInsertBytes = 4 << 20;

void DocumentWriter::Add(const Document& document) {
  pending_.push_back(document);
  pending_bytes_ += document.size();
  bytes_ += document.size();
  if (pending_bytes_ >= kInsertBytes || pending_.size() >= 5000) Flush();
}

void DocumentWriter::Flush() {
  if (!pending_.empty()) client_.Insert(database_, collection_, pending_);
  pending_.clear();
  pending_bytes_ = 0;
}

}  // namespace sitegen
