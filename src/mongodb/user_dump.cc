#include "mongodb/user_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "archive/group_builder.h"
#include "mongodb/catalog.h"
#include "mongodb/collection_output.h"

namespace oxbackup::mongodb {
namespace {

struct AuthCollection {
  const char* name;
  const char* kind;
};
constexpr char kVersionKind[] = "auth version";
// The last one only beside the others: by it mongorestore sees how their passwords are stored, and
// takes them for those of MongoDB 2.4 without.
constexpr AuthCollection kAuthCollections[] = {
    {"system.users", "users"}, {"system.roles", "roles"}, {"system.version", kVersionKind}};

// The name that the session has authenticated with; empty without authentication.
std::string ConnectedUser(Session& session) {
  const Reply reply = session.TryRun("admin", Bson().Add("connectionStatus", int32_t{1}));
  const auto user =
      FindPath(reply.document.bytes(), {"authInfo", "authenticatedUsers", "0", "user"});
  return user ? std::string(user->AsText().value_or("")) : std::string();
}

// Users that the server knows of beside the one that is connected; nothing when it does not say.
std::optional<uint64_t> CountOtherUsers(Session& session, const std::string& user) {
  const Reply reply =
      session.TryRun("admin", Bson().Add("usersInfo", Bson().Add("forAllDBs", true)));
  if (!reply.ok()) return std::nullopt;
  const auto users = FindField(reply.document.bytes(), "users");
  if (!users || !users->AsDocument()) return std::nullopt;
  uint64_t others = 0;
  FieldWalker walker(*users->AsDocument());
  while (const auto entry = walker.Next()) {
    const auto document = entry->AsDocument();
    const auto name = document ? FindField(*document, "user") : std::nullopt;
    if (name && name->AsText() != user) ++others;
  }
  return others;
}

// The documents one after the other, and their digest; nothing when they cannot be read.
std::optional<std::string> ReadAll(Session& session, const char* collection,
                                   ContentDigest* digest) {
  std::string content;
  Cursor cursor(session, "admin",
                Bson().Add("find", collection).Add("sort", Bson().Add("_id", int32_t{1})));
  for (;;) {
    switch (cursor.Next()) {
      case Cursor::Step::kDocument:
        content += cursor.document();
        digest->Add(cursor.document());
        continue;
      case Cursor::Step::kEnd:
        return content;
      case Cursor::Step::kFailed:
        return std::nullopt;
    }
  }
}

void AddMembers(GroupBuilder& groups, const char* name, std::string content) {
  CollectionInfo info;
  info.database = "admin";
  info.name = name;
  info.type = "collection";
  Member metadata;
  metadata.info.path = MemberPath("admin", name, ".metadata.json");
  metadata.content = MetadataJson(info);
  groups.Add(std::move(metadata));
  Member data;
  data.info.path = MemberPath("admin", name, ".bson");
  data.content = std::move(content);
  groups.Add(std::move(data));
}

}  // namespace

bool IsOfAccounts(const ObjectEntry& object) {
  return std::any_of(std::begin(kAuthCollections), std::end(kAuthCollections),
                     [&](const AuthCollection& known) { return object.kind == known.kind; });
}

std::vector<ObjectEntry> DumpUsers(Session& session, ArchiveWriter& writer, const RunContext& run) {
  std::vector<ObjectEntry> entries;
  GroupBuilder groups(writer, run);
  uint64_t users = 0;
  for (const AuthCollection& collection : kAuthCollections) {
    if (collection.kind == std::string_view(kVersionKind) && entries.empty()) continue;
    ContentDigest digest;
    auto content = ReadAll(session, collection.name, &digest);
    if (!content || digest.count() == 0) continue;
    if (collection.kind == std::string_view("users")) users = digest.count();
    ObjectEntry entry;
    entry.database = "admin";
    entry.name = collection.name;
    entry.kind = collection.kind;
    entry.items = digest.count();
    entry.raw_bytes = content->size();
    entry.digest = digest.Hex();
    entries.push_back(std::move(entry));
    AddMembers(groups, collection.name, *std::move(content));
  }
  groups.Flush();
  if (users > 0) return entries;
  const std::string user = ConnectedUser(session);
  const auto others = CountOtherUsers(session, user);
  if (others && *others > 0) {
    run.warnings.Add(
        fmt::format("MongoDB: {} user(s) are not in the backup, since this server or the rights of "
                    "\"{}\" do not "
                    "let their passwords be read (role backup on the database admin)",
                    *others, user));
  } else if (!others) {
    run.log.Info("MongoDB: users and roles cannot be read with the rights of \"{}\"", user);
  }
  return entries;
}

}  // namespace oxbackup::mongodb
