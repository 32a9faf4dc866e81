#include "mongodb/accounts_restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "mongodb/restore_fixture_testing.h"
#include "mongodb/restore_target.h"

namespace oxbackup::mongodb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Users and roles as mongod's own merge command gets them, which does what its source says: with
/// `drop`, it replaces and removes; without, what is there already goes to its log alone.
class AccountsTest : public RestoreTargetTest {
 protected:
  AccountsTest() {
    archive_.Add("admin", "system.users",
                 {R"({"_id": "admin.root", "credentials": "backup"})",
                  R"({"_id": "openedx.lms", "user": "lms", "credentials": "backup"})"});
    archive_.Add(
        "admin", "system.roles",
        {R"({"_id": "openedx.reader"})", R"({"_id": "admin.of_root", "privileges": "backup"})"});
    archive_.Add("admin", "system.version", {R"({"_id": "authSchema"})"});
    server_.Handle("connectionStatus", [](const ScriptedCommand&) {
      return OkReply(R"({"authInfo": {
          "authenticatedUsers": [{"user": "root", "db": "admin"}],
          "authenticatedUserRoles": [{"role": "of_root", "db": "admin"}]}})");
    });
    server_.Handle("_mergeAuthzCollections", [this](const ScriptedCommand& command) {
      const bool users = FindField(command.body, "tempUsersCollection").has_value();
      MergeInto(users ? "admin.system.users" : "admin.system.roles",
                command.Text({users ? "tempUsersCollection" : "tempRolesCollection"}),
                FindField(command.body, "drop")->IsTrue());
      return OkReply();
    });
  }

  void MergeInto(const std::string& ns, const std::string& from, bool drop) {
    std::vector<std::string> kept;
    if (!drop) kept = model_.RawDocuments(ns);
    for (const std::string& document : model_.RawDocuments(from)) {
      const bool taken = std::ranges::any_of(kept, [&](const std::string& one) {
        return TextOf(one, "_id") == TextOf(document, "_id");
      });
      if (!taken && TextOf(document, "_id") != refused_) kept.push_back(document);
    }
    const Bson drop_live = Bson().Add("drop", ns.substr(ns.find('.') + 1));
    model_.Run({"admin", "drop", std::string(drop_live.bytes())});
    for (std::string& document : kept) model_.InsertRaw(ns, std::move(document));
  }

  void Restore() {
    RestoreAll(connect_, options_, archive_, run_, false, true, /*with_manifest=*/false);
  }

  std::string refused_;  // _id of an account that the server does not take
};

TEST_F(AccountsTest, ComeBackButForTheRunsOwn) {
  Restore();
  EXPECT_THAT(model_.Documents("admin.system.users"), ElementsAre(HasSubstr("openedx.lms")));
  EXPECT_THAT(model_.Documents("admin.system.roles"), ElementsAre(HasSubstr("openedx.reader")));
  EXPECT_THAT(model_.Names("admin"), ElementsAre("system.roles", "system.users"));
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
}

TEST_F(AccountsTest, ReplaceThoseOfTheSameNameAndLeaveTheOthers) {
  model_.Insert("admin.system.users", R"({"_id": "admin.root", "credentials": "live"})");
  model_.Insert("admin.system.users", R"({"_id": "openedx.lms", "credentials": "live"})");
  model_.Insert("admin.system.users", R"({"_id": "openedx.newer", "credentials": "live"})");
  model_.Insert("admin.system.roles", R"({"_id": "admin.of_root", "privileges": "live"})");
  Restore();
  EXPECT_THAT(model_.Documents("admin.system.users"),
              ElementsAre(testing::AllOf(HasSubstr("admin.root"), HasSubstr("live")),
                          testing::AllOf(HasSubstr("openedx.lms"), HasSubstr("backup")),
                          testing::AllOf(HasSubstr("openedx.newer"), HasSubstr("live"))));
  EXPECT_THAT(model_.Documents("admin.system.roles"),
              ElementsAre(testing::AllOf(HasSubstr("admin.of_root"), HasSubstr("live")),
                          HasSubstr("openedx.reader")));
  EXPECT_THAT(run_.warnings.All(), IsEmpty());
  server_.ForgetCommands();
  Restore();
  EXPECT_THAT(server_.Commands("_mergeAuthzCollections"), IsEmpty()) << "they are all there";
}

TEST_F(AccountsTest, AreNamedWhenTheServerDidNotTakeThem) {
  refused_ = "openedx.lms";
  Restore();
  EXPECT_THAT(run_.warnings.All(),
              ElementsAre(testing::AllOf(HasSubstr("system.users"), HasSubstr("openedx.lms"))));
}

// To remove what cannot be seen would be worse than old passwords.
TEST_F(AccountsTest, AreOnlyAddedWhereTheLiveOnesCannotBeRead) {
  model_.Insert("admin.system.users", R"({"_id": "openedx.lms", "credentials": "live"})");
  model_.Insert("admin.system.users", R"({"_id": "openedx.newer", "credentials": "live"})");
  server_.Fail({.command = "find",
                .times = 0,
                .when = [](const auto& find) { return find.target() == "system.users"; }},
               13, "not authorized on admin to execute command { find: \"system.users\" }");
  Restore();
  EXPECT_THAT(model_.Documents("admin.system.users"),
              ElementsAre(testing::AllOf(HasSubstr("openedx.lms"), HasSubstr("live")),
                          HasSubstr("openedx.newer")));
  EXPECT_THAT(run_.warnings.All(), ElementsAre(HasSubstr("cannot be seen")));
}

TEST_F(AccountsTest, AreToldBeforehand) {
  Manifest manifest = archive_.manifest();
  for (ObjectEntry& object : manifest.components[0].objects) {
    if (object.name == "system.users") object.kind = "users";
    if (object.name == "system.roles") object.kind = "roles";
    if (object.name == "system.version") object.kind = "auth version";
  }
  const RestorePlan plan =
      MakeRestoreTarget(connect_, options_, run_.run)->Plan(&manifest, RestoreRoom::kBeside);
  EXPECT_EQ(plan.replaced.back().what, "users and roles");
  EXPECT_EQ(plan.replaced.back().after, "4 users and roles");
}

TEST_F(AccountsTest, StayOutOfARestoreOfSomeCollections) {
  options_ = ParseMongorestoreOptions("--nsInclude 'openedx.*'");
  Restore();
  options_ = ParseMongorestoreOptions("--nsExclude 'admin.*'");
  Restore();
  EXPECT_THAT(model_.Names("admin"), IsEmpty());
}

TEST_F(AccountsTest, AreAWarningWhereTheServerRefusesThem) {
  server_.Fail({.command = "_mergeAuthzCollections"}, kCommandNotFound);
  Restore();
  EXPECT_THAT(run_.warnings.All(), ElementsAre(HasSubstr("users and roles were not all restored")));
  EXPECT_THAT(model_.Documents("openedx.modules"), testing::SizeIs(2));
}

}  // namespace
}  // namespace oxbackup::mongodb
