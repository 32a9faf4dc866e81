// Users, roles and grants of an archive on the server that it is restored to.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/log.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// Runs a script of CREATE USER, GRANT and the like; it may be empty. Accounts of `own_user`, which
/// the run itself uses, at any host and the servers' own accounts are passed over: nobody is locked
/// out by a restore. An account that exists gets the archive's password and rights beside its own.
/// Everything is live at once. What this server does not know (a plugin, a right of another
/// version) becomes a warning that names the account. Can be repeated. Of rights nothing is said:
/// ApplyRights comes after it. Returns the accounts that there is a warning of.
std::set<std::string> ApplyAccounts(Session& session, std::string_view script,
                                    const std::string& own_user, Warnings& warnings);

/// Runs the script's GRANT and REVOKE, once the views and routines that they name are there.
/// `told`: accounts that there is a warning of already.
void ApplyRights(Session& session, std::string_view script, const std::string& own_user,
                 std::set<std::string> told, Warnings& warnings);

/// Gives accounts the rights back that they had on single routines (RoutineRightsText), as far as
/// there are such routines now.
void ApplyRoutineRights(Session& session, std::string_view script, Warnings& warnings);

/// Drops the accounts that `script` creates and `before`, the script of those that were there, does
/// not, with the same exceptions; none when `before` is empty.
void DropNewAccounts(Session& session, std::string_view script, std::string_view before,
                     const std::string& own_user, Warnings& warnings);

/// Rights that ApplyAccounts gave to accounts that were there cannot be told from those that an
/// administrator gave since. Adds a warning for each account of the script `before` that has, by
/// the script `now`, rights which `before` does not give it, with the same exceptions.
void WarnOfRightsThatStay(std::string_view now, std::string_view before,
                          const std::string& own_user, Warnings& warnings);

/// An account that a statement is about.
struct Account {
  std::string user;
  std::string host;
};
/// Nothing when the statement is about none.
[[nodiscard]] std::optional<Account> AccountOf(std::string_view statement);

/// True for accounts that every server of the kind has for itself.
bool IsSystemAccount(std::string_view user);

}  // namespace oxbackup::mysql
