// The server's accounts, roles and rights as statements.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "mysql/session.h"

namespace oxbackup::mysql {

/// Statements, one a line, that make every account and role but the server's own ones, and grant
/// them their rights: first all CREATE USER IF NOT EXISTS, then ALTER USER with the same settings
/// (so that they also apply where the account exists), then grants and default roles. Empty, with a
/// warning, when the session lacks the right to read them.
std::string AccountsText(Session& session, Warnings& warnings);

/// Statements, one a line, that give all accounts and roles their rights on single routines of
/// these databases again, which go when a routine is dropped. With a warning when there are
/// routines and the session may not read them.
std::string RoutineRightsText(Session& session, const std::vector<std::string>& databases,
                              Warnings& warnings);

/// "CREATE USER `a`@`b` …" without its " DEFAULT ROLE …" part, which ALTER USER does not take.
std::string WithoutDefaultRole(const std::string& create_user);

/// MySQL's "ALTER USER … IDENTIFIED WITH 'plugin' …" with AS '' where it names no password: without
/// that the server takes the empty password for an expired one. Other statements as they are.
std::string WithEmptyPasswordNamed(std::string_view statement);

}  // namespace oxbackup::mysql
