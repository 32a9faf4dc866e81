#include "mongodb/account_rights.h"

#include <algorithm>

namespace oxbackup::mongodb {
namespace {

std::string_view InnerDocument(const Bson& document, std::string_view key) {
  const auto field = FindField(document.bytes(), key);
  const auto inner = field ? field->AsDocument() : std::nullopt;
  static const Bson nothing;
  return inner.value_or(nothing.bytes());
}

bool HasAction(const Bson& privilege, std::string_view action) {
  FieldWalker actions(InnerDocument(privilege, "actions"));
  while (const auto one = actions.Next()) {
    if (one->AsText() == action || one->AsText() == "anyAction") return true;
  }
  return false;
}

// (manual) An empty database or collection of a resource means all of them, but no collection whose
// name begins with "system.".
bool Covers(const Bson& privilege, std::string_view database, std::string_view collection) {
  const std::string_view resource = InnerDocument(privilege, "resource");
  const auto any = FindField(resource, "anyResource");
  if (any && any->IsTrue()) return true;
  const auto db = FindField(resource, "db");
  const auto name = FindField(resource, "collection");
  if (!db || !name) return false;
  if (!db->AsText().value_or("").empty() && db->AsText() != database) return false;
  if (name->AsText() == collection) return true;
  return name->AsText() == "" && !collection.starts_with("system.");
}

}  // namespace

AccountRights::AccountRights(Session& session) {
  const Reply reply = session.TryRun(
      "admin", Bson().Add("connectionStatus", int32_t{1}).Add("showPrivileges", true));
  const auto find = [&](std::string_view name) {
    const auto field = FindPath(reply.document.bytes(), {"authInfo", name});
    return field ? field->AsDocument() : std::nullopt;
  };
  const auto users = find("authenticatedUsers");
  const auto privileges = find("authenticatedUserPrivileges");
  if (!reply.ok() || !users || !FieldWalker(*users).Next() || !privileges) return;
  known_ = true;
  FieldWalker all(*privileges);
  while (const auto privilege = all.Next()) {
    if (privilege->AsDocument()) privileges_.emplace_back(*privilege->AsDocument());
  }
}

bool AccountRights::May(std::string_view action, std::string_view database,
                        std::string_view collection) const {
  return !known_ || std::any_of(privileges_.begin(), privileges_.end(), [&](const Bson& one) {
    return HasAction(one, action) && Covers(one, database, collection);
  });
}

bool AccountRights::MayAnywhere(std::string_view action) const {
  return !known_ || std::any_of(privileges_.begin(), privileges_.end(),
                                [&](const Bson& one) { return HasAction(one, action); });
}

}  // namespace oxbackup::mongodb
