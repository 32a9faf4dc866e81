#include "mysql/restore_session.h"

#include <array>
#include <optional>

namespace oxbackup::mysql {
namespace {

// Variables that only some servers have, or that only some users may set. Each matters only where
// it exists, so a refusal is no failure.
constexpr std::array<std::string_view, 10> kWelcomeSettings = {
    // The default of a megabyte makes every index build of a large table merge runs on disk.
    "SET SESSION innodb_ddl_buffer_size=67108864",
    "SET SESSION innodb_ddl_threads=2",
    "SET SESSION innodb_strict_mode=OFF",
    "SET SESSION sql_require_primary_key=OFF",
    "SET SESSION sql_generate_invisible_primary_key=OFF",
    // MariaDB keeps rows that broke a check while this was off, or that are older than the check.
    "SET SESSION check_constraint_checks=OFF",
    "SET SESSION restrict_fk_on_non_standard_key=OFF",
    "SET SESSION explicit_defaults_for_timestamp=ON",
    "SET SESSION show_gipk_in_create_table_and_information_schema=ON",
    "SET SESSION innodb_lock_wait_timeout=120",
};

constexpr std::string_view kLoadPatience = "SET SESSION lock_wait_timeout=300";

}  // namespace

bool PrepareForLoad(Session& session, bool binlog) {
  // Without notes a statement's number of warnings is that of values which the server changed.
  session.Execute("SET SESSION foreign_key_checks=0, unique_checks=0, sql_notes=0");
  session.Execute(kLoadPatience);
  for (const std::string_view setting : kWelcomeSettings) {
    static_cast<void>(session.TryExecute(setting));
  }
  if (binlog) return true;
  if (!session.TryExecute("SET SESSION sql_log_bin=0")) return true;
  return session.QueryValue("SELECT @@GLOBAL.log_bin") != "1";
}

std::optional<ServerError> TryWithRetry(Session& session, std::string_view sql) {
  constexpr int kTries = 5;
  for (int attempt = 1;; ++attempt) {
    std::optional<ServerError> refused = session.TryExecute(sql);
    if (!refused || attempt == kTries) return refused;
    if (refused->number != kDeadlock && refused->number != kLockWaitTimeout) return refused;
  }
}

void ExecuteWithRetry(Session& session, std::string_view sql) {
  if (const std::optional<ServerError> refused = TryWithRetry(session, sql)) {
    throw ToError("MySQL refused " + std::string(sql.substr(0, sql.find_first_of("(\n"))),
                  *refused);
  }
}

ShortLockWaits::ShortLockWaits(Session& session) : session_(session) {
  session_.Execute("SET SESSION lock_wait_timeout=6");
}

ShortLockWaits::~ShortLockWaits() {
  try {
    static_cast<void>(session_.TryExecute(kLoadPatience));
  } catch (const Error&) {
    // The connection is gone, and its settings with it.
  }
}

void ResetScriptSettings(Session& session) {
  session.Execute("SET NAMES utf8mb4");
  session.Execute(
      "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone='+00:00', "
      "foreign_key_checks=0, "
      "unique_checks=0");
}

}  // namespace oxbackup::mysql
