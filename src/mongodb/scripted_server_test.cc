#include "mongodb/scripted_server_testing.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <mongoc/mongoc.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "mongodb/extended_json.h"
#include "mongodb/model_mongod_testing.h"
#include "mongodb/recorded_replies_testing.h"

namespace oxbackup::mongodb {
namespace {

class ScriptedServerTest : public testing::Test {
 protected:
  ScriptedServerTest() {
    mongoc_init();
    model_.AttachTo(server_);
    client_ = mongoc_client_new(server_.uri().c_str());
  }
  ~ScriptedServerTest() override {
    if (client_ != nullptr) mongoc_client_destroy(client_);
  }

  /// The reply as JSON, or "ERROR code".
  std::string Run(const std::string& database, const std::string& command_json) {
    const Bson command = FromJson(command_json, "a command");
    bson_t reply;
    bson_error_t error;
    const bool ok = mongoc_client_command_simple(client_, database.c_str(), command.get(), nullptr,
                                                 &reply, &error);
    const std::string text =
        ToJson(std::string_view(reinterpret_cast<const char*>(bson_get_data(&reply)), reply.len));
    bson_destroy(&reply);
    return ok ? text : "ERROR " + std::to_string(error.code);
  }

  ModelMongod model_;
  ScriptedServer server_;
  mongoc_client_t* client_ = nullptr;
};

TEST_F(ScriptedServerTest, StoresAndReadsThroughTheDriver) {
  Run("db", R"({"insert": "c", "documents": [{"_id": 2, "a": "x"}, {"b": 1, "_id": 1}]})");
  EXPECT_EQ(model_.Documents("db.c").size(), 2u);
  const std::string found = Run("db", R"({"find": "c", "filter": {"_id": {"$gte": 1, "$lt": 2}}})");
  EXPECT_NE(found.find(R"({ "_id" : { "$numberInt" : "1" }, "b")"), std::string::npos) << found;
  EXPECT_EQ(
      Run("db", R"({"find": "c", "filter": {"_id": {"$gte": 1, "$lt": "zzz"}}})").find("\"a\""),
      std::string::npos)
      << "comparisons must be bracketed by type";
}

TEST_F(ScriptedServerTest, AppliesManyRenamesInOneCommandAsMeasured) {
  model_.Insert("db.x", R"({"_id": "old"})");
  model_.Insert("db.x__restore", R"({"_id": "new"})");
  Run("admin", R"({"applyOps": [
      {"op": "c", "ns": "db.$cmd", "o": {"renameCollection": "db.x", "to": "db.x__old"}},
      {"op": "c", "ns": "db.$cmd", "o": {"renameCollection": "db.x__restore", "to": "db.x"}},
      {"op": "c", "ns": "db.$cmd", "o": {"renameCollection": "db.none", "to": "db.y"}}]})");
  EXPECT_EQ(model_.Names("db"), (std::vector<std::string>{"x", "x__old"}));
  EXPECT_NE(model_.Documents("db.x").at(0).find("new"), std::string::npos);
}

TEST_F(ScriptedServerTest, KillsCursorsOfRenamedCollections) {
  for (int id = 0; id < 200; ++id) model_.Insert("db.c", fmt::format(R"({{"_id": {}}})", id));
  const Bson reply = FromJson(Run("db", R"({"find": "c", "batchSize": 10})"), "a reply");
  const int64_t cursor = FindPath(reply.bytes(), {"cursor", "id"})->AsInt().value();
  EXPECT_NE(cursor, 0);
  Run("admin", R"({"renameCollection": "db.c", "to": "db.d"})");
  EXPECT_EQ(Run("db", fmt::format(R"({{"getMore": {{"$numberLong": "{}"}}, "collection": "c"}})",
                                  cursor)),
            "ERROR 175");
}

TEST_F(ScriptedServerTest, FailsDropsAndHoldsOnDemand) {
  server_.Fail({.command = "count", .skip = 1}, 11600);
  EXPECT_EQ(Run("db", R"({"count": "c"})").rfind("ERROR", 0), std::string::npos);
  EXPECT_EQ(Run("db", R"({"count": "c"})"), "ERROR 11600");
  EXPECT_EQ(Run("db", R"({"count": "c"})").rfind("ERROR", 0), std::string::npos);

  server_.Drop({.command = "drop"}, /*after_applying=*/true);
  model_.Insert("db.c", R"({"_id": 1})");
  EXPECT_EQ(Run("db", R"({"drop": "c"})").rfind("ERROR", 0), 0u);
  EXPECT_TRUE(model_.Names("db").empty()) << "the reply was lost, not the command";

  server_.Hold({.command = "insert"});
  std::thread writer([&] { Run("db", R"({"insert": "c", "documents": [{"_id": 1}]})"); });
  server_.WaitUntilHeld();
  EXPECT_TRUE(model_.Names("db").empty());
  server_.Release();
  writer.join();
  EXPECT_EQ(model_.Documents("db.c").size(), 1u);
}

TEST_F(ScriptedServerTest, AnswersAsARealMongodWasRecorded) {
  ScriptedServer recorded;
  AnswerFromRecording(recorded, "standalone_auth", "bk");
  mongoc_client_destroy(client_);
  client_ = mongoc_client_new(recorded.uri().c_str());
  EXPECT_EQ(Run("rec", R"({"create": "plain"})"), "ERROR 13") << "the role backup may not create";
  EXPECT_EQ(Run("rec", R"({"create": "never recorded"})"), "ERROR 59");
  mongoc_client_destroy(std::exchange(client_, nullptr));
}

}  // namespace
}  // namespace oxbackup::mongodb
