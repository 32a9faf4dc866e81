// The real servers that the MySQL integration tests run against, and scratch databases on them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mysql/session.h"

namespace oxbackup::mysql {

/// Parameter of tests that run against each flavour.
enum class Flavour { kMySql, kMariaDb };
/// "MySql" or "MariaDb", as the tests' names end.
std::string FlavourName(const testing::TestParamInfo<Flavour>& info);

/// How to reach a server of the testbed (`testbed/testbed env`). Throws, which fails the test, when
/// its variables (TESTBED_MYSQL_HOST, …; TESTBED_MARIADB_HOST, …) are not set.
ConnectOptions ServerOf(Flavour flavour);

/// A database that exists as long as this object.
class ScratchDatabase {
 public:
  /// Creates `name` anew on the server.
  ScratchDatabase(Session& session, std::string name);
  ~ScratchDatabase();
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;

  const std::string& name() const { return name_; }

 private:
  Session& session_;
  std::string name_;
};

}  // namespace oxbackup::mysql
