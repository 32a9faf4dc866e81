#include "test_servers.h"

#include <cstdlib>
#include <utility>

#include "mysql/quote.h"

namespace oxbackup::mysql {
namespace {

std::string Variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) {
    throw Error(ErrorKind::kUsage, name + " is not set")
        .Hint("put the servers up by testbed/testbed and export what `testbed/testbed env` prints");
  }
  return value;
}

}  // namespace

std::string FlavourName(const testing::TestParamInfo<Flavour>& info) {
  return info.param == Flavour::kMySql ? "MySql" : "MariaDb";
}

ConnectOptions ServerOf(Flavour flavour) {
  const std::string prefix = flavour == Flavour::kMySql ? "TESTBED_MYSQL_" : "TESTBED_MARIADB_";
  ConnectOptions options;
  options.host = Variable(prefix + "HOST");
  options.port = std::stoi(Variable(prefix + "PORT"));
  options.user = Variable(prefix + "USER");
  options.password = Variable(prefix + "PASSWORD");
  return options;
}

ScratchDatabase::ScratchDatabase(Session& session, std::string name)
    : session_(session), name_(std::move(name)) {
  session_.Execute("DROP DATABASE IF EXISTS " + QuoteName(name_));
  session_.Execute("CREATE DATABASE " + QuoteName(name_));
}

ScratchDatabase::~ScratchDatabase() {
  try {
    session_.Execute("DROP DATABASE IF EXISTS " + QuoteName(name_));
  } catch (const Error& error) {
    ADD_FAILURE() << "cannot drop " << name_ << ": " << error.what() << ": " << error.cause();
  }
}

}  // namespace oxbackup::mysql
