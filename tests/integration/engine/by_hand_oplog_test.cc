// An archive of a replica set that was written to while it was copied, restored by hand: the
// documented commands replay its oplog and make it one moment. No server of the testbed takes what
// mongorestore then sends (applyOps), so source and target are the model of a mongod.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>

#include "by_hand_testing.h"
#include "mongodb/dump_model_testing.h"
#include "mongodb/extended_json.h"
#include "site_testing.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;
using mongodb::ScriptedCommand;

constexpr int kDocuments = 12;

mongodb::ModelOptions ReplicaSet() {
  mongodb::ModelOptions options;
  options.replica_set = true;
  options.oplog = true;
  options.batch_documents = 3;
  return options;
}

class ByHandOplog : public SiteTest {
 protected:
  void SetUp() override {
    fs::create_directory(archives());
    for (const char* const name : {"active_versions", "contents", "structures", "users"}) {
      for (int id = 0; id < kDocuments; ++id) {
        source_.model.Insert(
            fmt::format("golden_oplog.{}", name),
            fmt::format(R"({{"_id": {}, "title": "Kurs {}", "edits": 0}})", id, id));
      }
    }
  }
  void TearDown() override {}

  void Do(const std::string& json) {
    const mongodb::Bson body = mongodb::FromJson(json, "a test's command");
    ScriptedCommand command;
    command.db = "golden_oplog";
    command.name = mongodb::FieldWalker(body.bytes()).Next()->key;
    command.body = body.bytes();
    EXPECT_TRUE(mongodb::FindField(source_.model.Run(command).bytes(), "ok")->IsTrue()) << json;
  }

  // What the site does between two reads of its collections.
  void WriteBetweenReads() {
    const auto write = [this](const ScriptedCommand& command) -> std::optional<mongodb::Bson> {
      if (command.db != "golden_oplog") return std::nullopt;
      const int at = writes_++;
      Do(fmt::format(R"({{"insert": "contents", "documents": [{{"_id": "new {}"}}]}})", at));
      Do(fmt::format(R"({{"update": "active_versions", "updates": [
             {{"q": {{"_id": {}}}, "u": {{"$set": {{"edits": {}, "by": "staff"}}}}}}]}})",
                     at % kDocuments, at));
      Do(fmt::format(R"({{"update": "structures", "updates": [
             {{"q": {{"_id": {}}}, "u": {{"_id": {}, "whole": {}}}}}]}})",
                     kDocuments - 1 - at % kDocuments, kDocuments - 1 - at % kDocuments, at));
      Do(fmt::format(R"({{"delete": "users", "deletes": [{{"q": {{"_id": {}}}, "limit": 1}}]}})",
                     at * 5 % kDocuments));
      return std::nullopt;
    };
    source_.server.Handle("find", write);
    source_.server.Handle("getMore", write);
  }

  std::map<std::string, std::string> EnvironmentOf(const mongodb::ModelServer& server) const {
    return {{"MONGODB_HOST", server.server.uri()},
            {"BACKUP_LOCATION", archives()},
            {"MYSQL_HOST", ""},
            {"MONGODB_USERNAME", ""},
            {"MONGODB_PASSWORD", ""}};
  }

  static std::map<std::string, std::vector<std::string>> State(const mongodb::ModelServer& server) {
    return server.model.State(
        [](const std::string& ns) { return ns.starts_with("golden_oplog."); });
  }

  mongodb::ModelServer source_{ReplicaSet()};
  mongodb::ModelServer target_;
  std::atomic<int> writes_ = 0;
};

TEST_F(ByHandOplog, TheDocumentedCommandsMakeOneMoment) {
  WriteBetweenReads();
  ASSERT_TRUE(Ended(RunProcess({OPENEDX_BACKUP_BINARY, "backup", "--only", "mongodb"},
                               {.environment = EnvironmentOf(source_)}),
                    0));
  ASSERT_GT(writes_, 10);
  const auto moment = State(source_);

  fs::copy_file(OnlyArchive(), folder() / "backup.2026-11-22.tar.xz");
  const HandShell shell(folder(), "/bin/false", "/dev/null", Tool("mongorestore"),
                        target_.server.uri());
  std::string commands = DocumentedCommands(0);
  const size_t mysql = commands.find("mysql --commands");
  commands.erase(mysql, commands.find('\n', mysql) - mysql);
  ASSERT_TRUE(Ended(shell.Run(folder(), commands), 0));
  EXPECT_NE(State(target_), moment) << "the collections alone are of different times";
  ASSERT_TRUE(Ended(shell.Run(folder() / "restore" / "data", DocumentedCommands(1)), 0));
  EXPECT_EQ(State(target_), moment);
}

}  // namespace
}  // namespace oxbackup
