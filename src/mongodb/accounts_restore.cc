#include "mongodb/accounts_restore.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "mongodb/insert_batch.h"
#include "mongodb/live_names.h"

namespace oxbackup::mongodb {
namespace {

constexpr char kUsers[] = "oxb_users__restore";
constexpr char kRoles[] = "oxb_roles__restore";

// "db.user" of everybody that the session is logged in as: the _id of system.users.
std::set<std::string> OwnAccounts(Session& session) {
  std::set<std::string> own;
  const Bson reply = session.Run("admin", Bson().Add("connectionStatus", int32_t{1}),
                                 "MongoDB does not say who we are");
  const auto users = FindPath(reply.bytes(), {"authInfo", "authenticatedUsers"});
  if (!users || !users->AsDocument()) return own;
  FieldWalker walker(*users->AsDocument());
  while (const auto user = walker.Next()) {
    if (!user->AsDocument()) continue;
    const auto name = FindField(*user->AsDocument(), "user");
    const auto database = FindField(*user->AsDocument(), "db");
    if (name && database) {
      own.insert(
          fmt::format("{}.{}", database->AsText().value_or(""), name->AsText().value_or("")));
    }
  }
  return own;
}

void Fill(Session& session, const char* collection, const std::vector<std::string>& documents,
          const std::set<std::string>& without) {
  DropCollection(session, "admin", collection);
  const InsertTarget target{"admin", collection, std::string("admin.") + collection, false, Bson()};
  InsertBatch batch;
  DocumentDigests digests;
  for (const std::string& document : documents) {
    const auto id = FindField(document, "_id");
    if (id && without.contains(std::string(id->AsText().value_or("")))) continue;
    if (!batch.Fits(document.size())) SendBatch(session, target, batch);
    AddDocument(batch, digests, document, target.ns, session.server());
  }
  SendBatch(session, target, batch);
}

}  // namespace

void RestoreAccounts(Session& session, const ArchivedAccounts& accounts, const RunContext& run) {
  if (accounts.users.empty() && accounts.roles.empty()) return;
  try {
    Fill(session, kUsers, accounts.users, OwnAccounts(session));
    Fill(session, kRoles, accounts.roles, {});
    Bson merge = Bson().Add("_mergeAuthzCollections", int32_t{1});
    if (!accounts.users.empty()) merge.Add("tempUsersCollection", fmt::format("admin.{}", kUsers));
    if (!accounts.roles.empty()) merge.Add("tempRolesCollection", fmt::format("admin.{}", kRoles));
    session.Run("admin", merge.Add("drop", false).Add("db", ""),
                "MongoDB does not take over users and roles");
    DropCollection(session, "admin", kUsers);
    DropCollection(session, "admin", kRoles);
  } catch (const Error& error) {
    run.warnings.Add(
        fmt::format("MongoDB: users and roles were not restored: {}: {}; admin.{} and admin.{} may "
                    "be left over, drop them",
                    error.what(), error.cause(), kUsers, kRoles));
  }
}

}  // namespace oxbackup::mongodb
