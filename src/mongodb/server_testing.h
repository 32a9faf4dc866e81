// The real servers that integration tests run against, as the environment names them.
#pragma once

#include <string>
#include <vector>

#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// The testbed's name of the MongoDB-protocol server that these tests are for: TESTBED_MONGODB
/// (ferretdb, the default; mongod; mongod-rs). Throws std::runtime_error when it is none of these.
std::string MongodbServer();

/// What the testbed says of that server: `what` is HOST, PORT, USER, PASSWORD,
/// AUTH_DB or URI. Throws std::runtime_error when there is no such server: a test without its
/// server fails.
std::string MongodbVariable(const std::string& what);
ConnectOptions TestServer();

/// A variable that has to be set. Throws std::runtime_error naming it.
std::string RequiredVariable(const std::string& name);

/// A database of its own for one test: empty at first, dropped at the end. The name has `prefix`.
class TestDatabase {
 public:
  explicit TestDatabase(const std::string& prefix);
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& name() const { return name_; }
  Session& session() { return session_; }
  /// Inserts raw documents as they are, through one insert command. Throws when one is refused.
  void Insert(const std::string& collection, const std::vector<Bson>& documents);

 private:
  Session session_;
  std::string name_;
};

}  // namespace oxbackup::mongodb
