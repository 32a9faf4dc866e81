#include "mongodb/server_testing.h"

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace oxbackup::mongodb {
namespace {

std::string Optional(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

std::string RequiredVariable(const std::string& name) {
  std::string value = Optional(name);
  if (value.empty()) {
    throw std::runtime_error(name + " is not set: start the testbed and take over its variables");
  }
  return value;
}

std::string MongodbServer() {
  std::string server = Optional("TESTBED_MONGODB");
  if (server.empty()) server = "ferretdb";
  if (server != "ferretdb" && server != "mongod" && server != "mongod-rs") {
    throw std::runtime_error("TESTBED_MONGODB is none of ferretdb, mongod and mongod-rs");
  }
  return server;
}

std::string MongodbVariable(const std::string& what) {
  std::string server = MongodbServer();
  for (char& c : server) c = c == '-' ? '_' : static_cast<char>(c - 'a' + 'A');
  return RequiredVariable("TESTBED_" + server + "_" + what);
}

ConnectOptions TestServer() {
  ConnectOptions options;
  options.host = MongodbVariable("HOST");
  options.port = std::stoi(MongodbVariable("PORT"));
  options.user = MongodbVariable("USER");
  options.password = MongodbVariable("PASSWORD");
  options.auth_database = MongodbVariable("AUTH_DB");
  return options;
}

TestDatabase::TestDatabase(const std::string& prefix)
    : session_(TestServer(), std::stop_token()), name_(prefix + "_" + std::to_string(::getpid())) {
  session_.Run(name_, Bson().Add("dropDatabase", int32_t{1}), "cannot drop " + name_);
}

TestDatabase::~TestDatabase() {
  (void)session_.TryRun(name_, Bson().Add("dropDatabase", int32_t{1}));
}

void TestDatabase::Insert(const std::string& collection, const std::vector<Bson>& documents) {
  Bson array;
  for (size_t i = 0; i < documents.size(); ++i) array.Add(std::to_string(i), documents[i]);
  // Of a majority: what is newer would be in the slice of the oplog of a dump that begins right
  // now.
  const Bson reply = session_.Run(name_,
                                  Bson()
                                      .Add("insert", collection)
                                      .AddArray("documents", array)
                                      .Add("writeConcern", Bson().Add("w", "majority")),
                                  "cannot insert");
  if (FindField(reply.bytes(), "writeErrors")) throw std::runtime_error(ToJson(reply.bytes()));
}

}  // namespace oxbackup::mongodb
