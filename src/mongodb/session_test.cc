#include "mongodb/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mongodb/dump_model_testing.h"

namespace oxbackup::mongodb {
namespace {

/// MONGODB_HOST is a whole URI with these options.
ConnectOptions WithUri(const ModelServer& server, const std::string& options) {
  ConnectOptions connect;
  connect.host = server.server.uri() + options;
  return connect;
}

Error ErrorOf(const ConnectOptions& connect) {
  try {
    const Session session(connect, {});
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "it connected";
  return {ErrorKind::kInternal, ""};
}

TEST(SessionUri, TakesTheSettingsForWhatItDoesNotSay) {
  const ModelServer server;  // speaks no TLS and is no replica set
  EXPECT_NO_THROW(Session(WithUri(server, ""), {}));
  ConnectOptions with_tls = WithUri(server, "?appName=x");
  with_tls.tls = true;
  EXPECT_EQ(ErrorOf(with_tls).kind(), ErrorKind::kSource);
  ConnectOptions replica_set = WithUri(server, "");
  replica_set.replica_set = "rs0";
  EXPECT_EQ(ErrorOf(replica_set).kind(), ErrorKind::kSource);
}

TEST(SessionUri, MayNotContradictThem) {
  const ModelServer server;
  for (const char* const without : {"?tls=false", "?ssl=false"}) {
    ConnectOptions connect = WithUri(server, without);
    EXPECT_NO_THROW(Session(connect, {}));
    connect.tls = true;
    EXPECT_EQ(ErrorOf(connect).kind(), ErrorKind::kUsage);
  }
  ConnectOptions connect = WithUri(server, "?replicaSet=rs1");
  connect.replica_set = "rs0";
  EXPECT_EQ(ErrorOf(connect).kind(), ErrorKind::kUsage);
}

TEST(SessionUri, TakesThePasswordOfItsUserFromTheSettings) {
  const ModelServer server;
  ConnectOptions connect = WithUri(server, "");
  connect.host.insert(std::string("mongodb://").size(), "app@");
  EXPECT_EQ(ErrorOf(connect).kind(), ErrorKind::kUsage);
  connect.password = "secret";
  for (const char* const user : {"", "app"}) {
    connect.user = user;
    // It went so far as to log in, which the model does not know.
    EXPECT_EQ(ErrorOf(connect).kind(), ErrorKind::kSource);
    EXPECT_THAT(server.server.Commands("saslStart"), testing::Not(testing::IsEmpty()));
  }
  connect.user = "other";
  const Error error = ErrorOf(connect);
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.hint(), testing::HasSubstr("MONGODB_USERNAME"));
  EXPECT_THAT(error.hint(), testing::Not(testing::HasSubstr("secret")));
}

TEST(SessionUri, SaysNoPasswordInItsErrors) {
  ConnectOptions connect;
  connect.host = "mongodb://u:secret@127.0.0.1:1/?replicaSet=rs1";
  connect.replica_set = "rs0";
  const Error error = ErrorOf(connect);
  for (const std::string& context : error.contexts()) {
    EXPECT_THAT(context, testing::Not(testing::HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace oxbackup::mongodb
