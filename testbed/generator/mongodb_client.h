// A connection to a server that speaks MongoDB's protocol. Errors are std::runtime_error.
#pragma once

#include <mongoc/mongoc.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bson_writer.h"
#include "flags.h"

namespace sitegen {

/// Not for use by several threads at once.
class MongodbClient {
 public:
  /// A password in `servers` takes the place of one in the URI.
  explicit MongodbClient(const Servers& servers);

  /// Throws on failure with the server's message.
  void Command(const std::string& database, const Document& command);
  /// The reply as relaxed extended JSON, or "" when the command failed.
  std::string TryCommand(const std::string& database, const Document& command);

  /// Inserts the documents as they are, without looking at field names.
  void Insert(const std::string& database, const std::string& collection,
              const std::vector<Document>& documents);

  void Find(const std::string& database, const std::string& collection,
            const std::function<void(const bson_t&)>& visit);
  /// What listCollections or listIndexes says.
  void ListCollections(const std::string& database,
                       const std::function<void(const bson_t&)>& visit);
  void ListIndexes(const std::string& database, const std::string& collection,
                   const std::function<void(const bson_t&)>& visit);
  /// All databases but admin, config and local, sorted.
  std::vector<std::string> Databases();
  void Drop(const std::string& database);

  /// "mongod", "ferretdb 1" or "ferretdb 2": they differ in what they keep.
  const std::string& flavour() const { return flavour_; }

 private:
  struct Destroy {
    void operator()(mongoc_client_t* client) const { mongoc_client_destroy(client); }
    void operator()(mongoc_collection_t* one) const { mongoc_collection_destroy(one); }
    void operator()(mongoc_database_t* one) const { mongoc_database_destroy(one); }
    void operator()(mongoc_cursor_t* one) const { mongoc_cursor_destroy(one); }
  };
  using Cursor = std::unique_ptr<mongoc_cursor_t, Destroy>;
  void Drain(Cursor cursor, const std::string& what,
             const std::function<void(const bson_t&)>& visit);

  std::unique_ptr<mongoc_client_t, Destroy> client_;
  std::string flavour_;
};

/// Collects documents and inserts them some megabytes at a time; Flush at the end.
class DocumentWriter {
 public:
  DocumentWriter(MongodbClient& client, std::string database, std::string collection)
      : client_(client), database_(std::move(database)), collection_(std::move(collection)) {}

  void Add(const Document& document);
  void Flush();
  size_t bytes() const { return bytes_; }

 private:
  MongodbClient& client_;
  std::string database_;
  std::string collection_;
  std::vector<Document> pending_;
  size_t pending_bytes_ = 0;
  size_t bytes_ = 0;
};

}  // namespace sitegen
