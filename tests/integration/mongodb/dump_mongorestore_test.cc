// The archive's MongoDB members, unpacked and joined by hand, restored by mongorestore.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "archive/archive_testing.h"
#include "base/hash.h"
#include "base/temporary_folder_testing.h"
#include "mongodb/dump_testing.h"
#include "mongodb/extended_json.h"
#include "mongodb/server_testing.h"

extern char** environ;

namespace oxbackup::mongodb {
namespace {

namespace fs = std::filesystem;

int RunProgram(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> texts = {program};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawn(&child, program.c_str(), nullptr, nullptr, argv.data(), environ) != 0) return -1;
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string PercentEncoded(const std::string& text) {
  std::string encoded;
  for (const unsigned char c : text) encoded += fmt::format("%{:02X}", c);
  return encoded;
}

std::string ServerUri() {
  const ConnectOptions server = TestServer();
  const std::string login = server.user.empty() ? std::string()
                                                : fmt::format("{}:{}@", PercentEncoded(server.user),
                                                              PercentEncoded(server.password));
  return fmt::format("mongodb://{}{}:{}/?authSource={}", login, server.host, server.port,
                     server.auth_database);
}

ContentDigest DigestOf(Session& session, const std::string& database, const std::string& name) {
  ContentDigest digest;
  Cursor cursor(session, database, Bson().Add("find", name));
  while (cursor.NextOrThrow("cannot read")) digest.Add(cursor.document());
  return digest;
}

// What tar -x and cat do: members into files, parts of one collection joined in order.
void Unpack(const std::map<std::string, ReadMember>& members, const fs::path& folder) {
  for (const auto& [path, member] : members) {
    if (!path.starts_with("data/mongodb_dump/")) continue;
    fs::path file = folder / path;
    if (const size_t part = path.rfind(".bson."); part != std::string::npos) {
      file = folder / path.substr(0, part + 5);
    }
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::app | std::ios::binary) << member.content;
  }
}

TEST(Mongorestore, RestoresWhatWasDumped) {
  const std::string mongorestore = RequiredVariable("TESTBED_BIN") + "/mongorestore";
  TestDatabase original("dump_stock");
  TestDatabase restored("dump_restored");
  std::vector<Bson> chunks;
  for (int32_t i = 0; i < 40; ++i) {
    chunks.push_back(
        Bson().Add("_id", i).Add("data", Hex(RandomBytes(100'000, static_cast<uint32_t>(i)))));
  }
  original.Insert("fs.chunks", chunks);
  original.Insert("odd names é",
                  {FromJson(R"({"_id": {"a": 1}, "d": {"$numberDecimal": "1.50"}})", "a test")});
  original.session().Run(original.name(),
                         FromJson(R"({"createIndexes": "fs.chunks",
                   "indexes": [{"key": {"n": -1}, "name": "by_n", "sparse": true}]})",
                                  "a test"),
                         "cannot create an index");

  TestRun run;
  DumpOptions options;
  options.databases = {original.name()};
  const TestDump dump = RunTestDump(TestServer(), options, run);

  const TemporaryFolder folder;
  Unpack(dump.members, folder.path());
  const fs::path config = fs::path(folder.path()) / "mongorestore.yaml";
  std::ofstream(config) << "uri: \"" << ServerUri() << "\"\n";
  ASSERT_EQ(RunProgram(mongorestore,
                       {"--config=" + config.string(), "--quiet",
                        "--nsFrom=" + original.name() + ".*", "--nsTo=" + restored.name() + ".*",
                        "--dir=" + (fs::path(folder.path()) / "data/mongodb_dump").string()}),
            0);
  for (const std::string name : {"fs.chunks", "odd names é"}) {
    EXPECT_EQ(DigestOf(restored.session(), restored.name(), name),
              DigestOf(original.session(), original.name(), name))
        << name;
  }
  const Bson indexes = restored.session().Run(
      restored.name(), Bson().Add("listIndexes", "fs.chunks"), "cannot list indexes");
  EXPECT_NE(ToJson(indexes.bytes()).find("by_n"), std::string::npos);
}

}  // namespace
}  // namespace oxbackup::mongodb
