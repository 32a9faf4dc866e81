#include "site_testing.h"
#include "mongodb/server_testing.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

void Append(std::vector<std::string>& arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
}

}  // namespace

std::string SiteTest::Variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') {
    throw std::runtime_error(name +
                             " is not set: run `testbed/testbed up mysql ferretdb`, "
                             "`testbed/testbed install tools` and eval \"$(testbed/testbed env)\"");
  }
  return value;
}

std::string SiteTest::Tool(const std::string& name) {
  const std::string path = Variable("TESTBED_BIN") + "/" + name;
  if (!fs::exists(path)) {
    throw std::runtime_error(path + " is missing: run `testbed/testbed install tools`");
  }
  return path;
}

void SiteTest::SetUp() {
  fs::create_directory(archives());
  fs::create_directory(caddy());
  fs::create_directory(media());
  Generator("destroy");
  Generator("fill", {"--size", "6M", "--empty-tables", "5"});
}

void SiteTest::TearDown() { Generator("destroy"); }

std::map<std::string, std::string> SiteTest::Environment() const {
  return {{"MYSQL_HOST", Variable("TESTBED_MYSQL_HOST")},
          {"MYSQL_PORT", Variable("TESTBED_MYSQL_PORT")},
          {"MYSQL_ROOT_USERNAME", Variable("TESTBED_MYSQL_USER")},
          {"MYSQL_ROOT_PASSWORD", Variable("TESTBED_MYSQL_PASSWORD")},
          {"MONGODB_HOST", mongodb::MongodbVariable("HOST")},
          {"MONGODB_PORT", mongodb::MongodbVariable("PORT")},
          {"MONGODB_USERNAME", mongodb::MongodbVariable("USER")},
          {"MONGODB_PASSWORD", mongodb::MongodbVariable("PASSWORD")},
          {"MONGODB_AUTHENTICATION_DATABASE", mongodb::MongodbVariable("AUTH_DB")},
          {"BACKUP_LOCATION", archives()}};
}

std::vector<std::string> SiteTest::Trees() const {
  return {"--caddy", caddy(), "--media", "openedx-media=" + media()};
}

std::unique_ptr<Process> SiteTest::StartEngine(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), OPENEDX_BACKUP_BINARY);
  return std::make_unique<Process>(arguments, ProcessOptions{.environment = Environment()});
}

ProcessResult SiteTest::Engine(std::vector<std::string> arguments) const {
  return StartEngine(std::move(arguments))->Wait();
}

ProcessResult SiteTest::Backup(const std::vector<std::string>& more) const {
  std::vector<std::string> arguments = {"backup"};
  Append(arguments, Trees());
  Append(arguments, more);
  return Engine(std::move(arguments));
}

ProcessResult SiteTest::Restore(const std::vector<std::string>& more) const {
  std::vector<std::string> arguments = {"restore", "--yes"};
  Append(arguments, Trees());
  Append(arguments, more);
  return Engine(std::move(arguments));
}

std::string SiteTest::Generator(const std::string& command, std::vector<std::string> more) const {
  std::vector<std::string> arguments = {SITE_GENERATOR_BINARY, command,
                                        "--mysql-host",        Variable("TESTBED_MYSQL_HOST"),
                                        "--mysql-port",        Variable("TESTBED_MYSQL_PORT"),
                                        "--mysql-user",        Variable("TESTBED_MYSQL_USER")};
  if (command != "change") {
    Append(arguments, {"--mongodb-uri", mongodb::MongodbVariable("URI"), "--caddy", caddy(),
                       "--media", media()});
  }
  Append(arguments, more);
  const ProcessResult result = RunProcess(
      arguments, {.environment = {{"MYSQL_PASSWORD", Variable("TESTBED_MYSQL_PASSWORD")},
                                  {"MONGODB_PASSWORD", mongodb::MongodbVariable("PASSWORD")}}});
  if (result.status != 0) {
    throw std::runtime_error("site-generator " + command + ": " + result.error);
  }
  return result.out;
}

std::string SiteTest::Fingerprint() const { return Generator("fingerprint"); }

std::string SiteTest::LiveFingerprint() const {
  std::string live;
  std::istringstream lines(Fingerprint());
  for (std::string line; std::getline(lines, line);) {
    const bool beside =
        std::ranges::any_of(std::array{"__restore", "__old", ".openedx-backup", "openedx_backup"},
                            [&](const char* mark) { return line.find(mark) != std::string::npos; });
    if (!beside) live += line + "\n";
  }
  return live;
}

void SiteTest::Destroy() const {
  const std::string before = Fingerprint();
  Generator("destroy");
  ASSERT_LT(Fingerprint().size(), before.size() / 10);
}

std::string SiteTest::Sql(const std::string& text) const {
  const ProcessResult result =
      RunProcess({Tool("mysql"), "--defaults-file=" + Variable("TESTBED_MYSQL_DEFAULTS_FILE")},
                 {.environment = {{"MYSQL_HOST", ""}}, .input = text});
  if (result.status != 0) throw std::runtime_error(result.error);
  return result.out;
}

std::vector<std::string> SiteTest::ArchiveFolder() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(archives())) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::string SiteTest::OnlyArchive() const {
  const std::vector<std::string> names = ArchiveFolder();
  if (names.size() != 1) throw std::runtime_error("there is not exactly one archive");
  return archives() + "/" + names[0];
}

::testing::AssertionResult Ended(const ProcessResult& result, int status) {
  if (result.status == status) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "status " << result.status << " instead of " << status << "\n--- out\n"
         << result.out << "\n--- error\n"
         << result.error;
}

}  // namespace oxbackup
