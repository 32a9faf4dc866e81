#include "mongodb/accounts_restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "mongodb/insert_batch.h"
#include "mongodb/live_names.h"

namespace oxbackup::mongodb {
namespace {

/// Documents by their _id, "database.name".
using Accounts = std::map<std::string, std::string>;

struct AccountKind {
  const char* collection;  ///< in admin, as the other one
  const char* temporary;
  const char* argument;  ///< of the merge command
  const char* own;       ///< where connectionStatus has those of the session, and the field of
  const char* own_name;  ///< their names there
};
constexpr AccountKind kUsers = {"system.users", "oxb_users__restore", "tempUsersCollection",
                                "authenticatedUsers", "user"};
constexpr AccountKind kRoles = {"system.roles", "oxb_roles__restore", "tempRolesCollection",
                                "authenticatedUserRoles", "role"};

// Everybody that the session is logged in as, or every role that it has.
std::set<std::string> OwnAccounts(Session& session, const AccountKind& kind) {
  std::set<std::string> own;
  const Bson reply = session.Run("admin", Bson().Add("connectionStatus", int32_t{1}),
                                 "MongoDB does not say who we are");
  const auto list = FindPath(reply.bytes(), {"authInfo", kind.own});
  if (!list || !list->AsDocument()) return own;
  FieldWalker walker(*list->AsDocument());
  while (const auto one = walker.Next()) {
    if (!one->AsDocument()) continue;
    own.insert(fmt::format("{}.{}", TextOf(*one->AsDocument(), "db"),
                           TextOf(*one->AsDocument(), kind.own_name)));
  }
  return own;
}

// What the server has; nothing where it does not show that.
std::optional<Accounts> ReadAccounts(Session& session, const AccountKind& kind) {
  Accounts accounts;
  Cursor cursor(session, "admin", Bson().Add("find", kind.collection));
  for (;;) {
    const Cursor::Step step = cursor.Next();
    if (step == Cursor::Step::kEnd) return accounts;
    if (step == Cursor::Step::kFailed) return std::nullopt;
    accounts.emplace(TextOf(cursor.document(), "_id"), cursor.document());
  }
}

void Fill(Session& session, const char* collection, const Accounts& accounts) {
  DropCollection(session, "admin", collection);
  const InsertTarget target{"admin", collection, std::string("admin.") + collection, false, Bson()};
  InsertBatch batch;
  DocumentDigests digests;
  for (const auto& [id, document] : accounts) {
    if (!batch.Fits(document.size())) SendBatch(session, target, batch);
    AddDocument(batch, digests, document, target.ns, session.server());
  }
  SendBatch(session, target, batch);
}

// Those of `wanted` that the server has otherwise or not at all.
Accounts Missing(const Accounts& wanted, const Accounts& live) {
  Accounts missing;
  std::ranges::copy_if(wanted, std::inserter(missing, missing.end()), [&](const auto& account) {
    const auto now = live.find(account.first);
    return now == live.end() || now->second != account.second;
  });
  return missing;
}

std::string NamesOf(const Accounts& accounts) {
  std::vector<std::string_view> names;
  for (const auto& [id, document] : accounts) names.push_back(id);
  return fmt::format("{}", fmt::join(names, ", "));
}

// Without `drop` the command only adds, and what it cannot add (a name that is taken) it tells the
// server's log alone. With it, it replaces accounts of the same names, and removes those that its
// collection lacks: so everything that is live has to be in there.
void Merge(Session& session, const AccountKind& kind, const std::vector<std::string>& archived,
           const RunContext& run) {
  const std::set<std::string> own = OwnAccounts(session, kind);
  Accounts wanted;
  for (const std::string& document : archived) {
    const std::string id = TextOf(document, "_id");
    if (!own.contains(id)) wanted.emplace(id, document);
  }
  const auto live = ReadAccounts(session, kind);
  Accounts accounts = live ? Missing(wanted, *live) : wanted;
  if (accounts.empty()) return;
  const bool replaces = live && std::ranges::any_of(accounts, [&](const auto& account) {
                          return live->contains(account.first);
                        });
  if (replaces) accounts.insert(live->begin(), live->end());
  Fill(session, kind.temporary, accounts);
  session.Run("admin",
              Bson()
                  .Add("_mergeAuthzCollections", int32_t{1})
                  .Add(kind.argument, fmt::format("admin.{}", kind.temporary))
                  .Add("drop", replaces)
                  .Add("db", ""),
              "MongoDB does not take over users and roles");
  DropCollection(session, "admin", kind.temporary);
  const auto now = live ? ReadAccounts(session, kind) : std::nullopt;
  if (!now) {
    run.warnings.Add(fmt::format(
        "MongoDB: it cannot be seen which entries of admin.{} were restored, and of two "
        "of the same name the server's stayed; give the account of the restore the "
        "role backup beside restore",
        kind.collection));
  } else if (const Accounts missing = Missing(wanted, *now); !missing.empty()) {
    run.warnings.Add(
        fmt::format("MongoDB did not take these entries of admin.{} from the archive: {}; its log "
                    "says why (_mergeAuthzCollections)",
                    kind.collection, NamesOf(missing)));
  }
}

}  // namespace

void RestoreAccounts(Session& session, const ArchivedAccounts& accounts, const RunContext& run) {
  try {
    // Roles before those who have them.
    if (!accounts.roles.empty()) Merge(session, kRoles, accounts.roles, run);
    if (!accounts.users.empty()) Merge(session, kUsers, accounts.users, run);
  } catch (const Error& error) {
    run.warnings.Add(
        fmt::format("MongoDB: users and roles were not all restored: {}: {}; admin.{} or admin.{} "
                    "may be left over, drop them",
                    error.what(), error.cause(), kUsers.temporary, kRoles.temporary));
  }
}

}  // namespace oxbackup::mongodb
