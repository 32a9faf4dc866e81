// A scripted server with a model of a real mongod behind it, as the dump's tests use it.
#pragma once

#include <string>

#include "mongodb/model_mongod_testing.h"
#include "mongodb/scripted_server_testing.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

struct ModelServer {
  explicit ModelServer(ModelOptions options = {}) : model(std::move(options)) {
    model.AttachTo(server);
    connect.uri = server.uri();
  }

  ModelMongod model;  // outlives the server's connections
  ScriptedServer server;
  ConnectOptions connect;
};

}  // namespace oxbackup::mongodb
