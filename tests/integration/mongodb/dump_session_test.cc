#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "mongodb/server_testing.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {
namespace {

TEST(Session, SaysWhatServerItIs) {
  Session session(TestServer(), std::stop_token());
  EXPECT_FALSE(session.server().flavour.empty());
  EXPECT_GE(session.server().major, 4);
  EXPECT_NE(session.server().version.find('.'), std::string::npos);
}

TEST(Session, RefusesAWrongPasswordWithAHint) {
  ConnectOptions options = TestServer();
  if (options.user.empty()) GTEST_FAIL() << "the test server has to ask for a password";
  options.password += "x";
  try {
    Session session(options, std::stop_token());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSource);
    EXPECT_STREQ(error.what(), "MongoDB refused the user or password");
    EXPECT_NE(error.hint().find("MONGODB_PASSWORD"), std::string::npos);
    EXPECT_EQ(error.cause().find(options.password), std::string::npos);
  }
}

TEST(Session, TakesThePasswordOfAUrisUserFromTheSettings) {
  const ConnectOptions server = TestServer();
  ConnectOptions options;
  options.host = fmt::format("mongodb://{}@{}:{}/?authSource={}", server.user, server.host,
                             server.port, server.auth_database);
  options.password = server.password;
  const auto reads = [&] {
    Session session(options, std::stop_token());
    return session.TryRun("admin", Bson().Add("listDatabases", int32_t{1})).ok();
  };
  EXPECT_TRUE(reads());
  options.user = server.user;
  EXPECT_TRUE(reads());
  options.user = "somebody else";  // whose password it is
  EXPECT_THROW(static_cast<void>(reads()), Error);
}

TEST(Session, SaysWhatToCheckWhenNoServerAnswers) {
  ConnectOptions options = TestServer();
  options.port = 1;
  try {
    Session session(options, std::stop_token());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSource);
    EXPECT_NE(std::string(error.what()).find(":1"), std::string::npos);
    EXPECT_NE(error.hint().find("check"), std::string::npos);
  }
}

TEST(Session, GivesTheServersCodeForARefusedCommand) {
  Session session(TestServer(), std::stop_token());
  const Reply reply = session.TryRun("admin", Bson().Add("noSuchCommand", int32_t{1}));
  ASSERT_TRUE(reply.failure);
  EXPECT_EQ(reply.failure->code, kCommandNotFound);
  EXPECT_FALSE(reply.failure->message.empty());
}

TEST(Session, StartsNothingAfterAStop) {
  std::stop_source stop;
  Session session(TestServer(), stop.get_token());
  stop.request_stop();
  EXPECT_THROW((void)session.TryRun("admin", Bson().Add("ping", int32_t{1})), Error);
}

TEST(Cursor, GivesEveryDocumentOverManyBatches) {
  TestDatabase database("dump_cursor");
  std::vector<Bson> documents;
  for (int32_t i = 0; i < 1000; ++i) documents.push_back(Bson().Add("_id", i).Add("x", "text"));
  database.Insert("many", documents);
  Cursor cursor(database.session(), database.name(),
                Bson().Add("find", "many").Add("batchSize", int32_t{7}), 7);
  std::vector<bool> seen(1000);
  while (cursor.NextOrThrow("cannot read")) {
    const auto id = FindField(cursor.document(), "_id")->AsInt();
    ASSERT_FALSE(seen.at(static_cast<size_t>(*id)));
    seen[static_cast<size_t>(*id)] = true;
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 1000);
}

TEST(Cursor, ReadsACollectionThatIsNotThereAsEmpty) {
  TestDatabase database("dump_cursor");
  Cursor cursor(database.session(), database.name(), Bson().Add("find", "nonesuch"));
  EXPECT_EQ(cursor.Next(), Cursor::Step::kEnd);
}

TEST(Cursor, LeavesNothingBehindWhenItIsDroppedHalfway) {
  TestDatabase database("dump_cursor");
  std::vector<Bson> documents;
  for (int32_t i = 0; i < 100; ++i) documents.push_back(Bson().Add("_id", i));
  database.Insert("many", documents);
  {
    Cursor cursor(database.session(), database.name(),
                  Bson().Add("find", "many").Add("batchSize", int32_t{7}), 7);
    EXPECT_EQ(cursor.Next(), Cursor::Step::kDocument);
  }
  Cursor again(database.session(), database.name(), Bson().Add("find", "many"));
  int count = 0;
  while (again.NextOrThrow("cannot read")) ++count;
  EXPECT_EQ(count, 100);
}

}  // namespace
}  // namespace oxbackup::mongodb
