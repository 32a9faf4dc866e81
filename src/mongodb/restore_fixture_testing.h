// A model mongod with a small site in it and an archive to restore over it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "mongodb/live_names.h"
#include "mongodb/model_mongod_testing.h"
#include "mongodb/restore_options.h"
#include "mongodb/restore_testing.h"

namespace oxbackup::mongodb {

using State = std::map<std::string, std::vector<std::string>>;

/// The restore asks for one impossible rename, to learn whether names with dots can be renamed.
inline bool IsNoProbe(const ScriptedCommand& command) {
  return command.target().find("no.such") == std::string::npos;
}

class RestoreTargetTest : public testing::Test {
 protected:
  explicit RestoreTargetTest(ModelOptions options = {}) : model_(std::move(options)) {
    model_.AttachTo(server_);
    connect_.uri = server_.uri();
    options_.workers = 2;
    model_.Insert("openedx.modules", R"({"_id": 1, "v": "live"})");
    model_.Insert("openedx.newer", R"({"_id": "newer than the backup"})");
    model_.Insert("forum.contents", R"({"_id": 7, "v": "live"})");
    archive_.Add("openedx", "modules", {R"({"_id": 1, "v": "backup"})", R"({"_id": 2})"},
                 R"({"options": {}, "indexes": [{"v": 2, "key": {"_id": 1}, "name": "_id_"},
                     {"v": 2, "key": {"v": 1}, "name": "v_1", "ns": "openedx.modules"}]})");
    archive_.Add("openedx", "fs.files", {R"({"_id": "f"})"});
    archive_.Add("forum", "contents", {R"({"_id": 7, "v": "backup"})"});
  }

  std::vector<std::string> Renames() const {
    std::vector<std::string> renames;
    for (const ScriptedCommand& rename : server_.Commands("renameCollection")) {
      if (IsNoProbe(rename)) renames.push_back(rename.target());
    }
    return renames;
  }
  State Data() const {
    return model_.State([](const std::string& ns) { return !ns.starts_with("openedx_backup."); });
  }
  State Live() const {
    return model_.State(
        [](const std::string& ns) { return !ns.starts_with("openedx_backup.") && !IsBeside(ns); });
  }
  State Restored() const {
    TestRun run;
    ModelMongod other{ModelOptions{}};
    ScriptedServer server;
    other.AttachTo(server);
    ConnectOptions connect;
    connect.uri = server.uri();
    RestoreAll(connect, options_, archive_, run);
    return other.State([](const std::string& ns) { return !ns.starts_with("openedx_backup."); });
  }

  ModelMongod model_;
  ScriptedServer server_;
  ConnectOptions connect_;
  RestoreOptions options_;
  TestArchive archive_;
  TestRun run_;
};

}  // namespace oxbackup::mongodb
