#include "mysql/server_error.h"

#include <fmt/format.h>

namespace oxbackup::mysql {
namespace {

std::string HintFor(const ServerError& refused) {
  if (refused.IsMissingRight()) {
    return "grant the missing right to this user, or use an administrative account";
  }
  if (refused.IsLostConnection()) {
    return "see the server's error log for why it closed the connection (restart, crash, out of "
           "memory, KILL), then run the command again";
  }
  switch (refused.number) {
    case kAccessDenied:
      return "check the user name and the password (MYSQL_ROOT_USERNAME, MYSQL_ROOT_PASSWORD or "
             "MYSQL_ROOT_PASSWORD_FILE); an account that is to use TLS needs --mysql-tls required";
    case 3159:  // ER_SECURE_TRANSPORT_REQUIRED
      return "the server takes encrypted connections alone: --mysql-tls required";
    case 3118:  // ER_ACCOUNT_HAS_BEEN_LOCKED
    case 4151:  // MariaDB's ER_ACCOUNT_HAS_BEEN_LOCKED
      return "unlock the account on the server (ALTER USER … ACCOUNT UNLOCK)";
    case 1820:  // ER_MUST_CHANGE_PASSWORD
    case 1862:  // ER_MUST_CHANGE_PASSWORD_LOGIN
      return "the account's password has expired: set one on the server (ALTER USER … IDENTIFIED "
             "BY)";
    case kCannotConnectSocket:
    case kCannotConnectHost:
      return "check that the server runs and that MYSQL_HOST and MYSQL_PORT lead to it";
    case kUnknownHost:
      return "check MYSQL_HOST: the name does not resolve here";
    case kUnknownDatabase:
      return "check the list of databases (MYSQL_DATABASES)";
    case kLockWaitTimeout:
    case kDeadlock:
      return "another connection holds a lock (SHOW PROCESSLIST shows which); run the command "
             "again "
             "when it is gone";
    case kTlsFailed:
      return "check the certificate authority and the host name, or choose another TLS mode";
    case kPluginMissing:
      return "the client library lacks the plugin for this account's authentication: install the "
             "plugins of libmariadb3, or point MARIADB_PLUGIN_DIR to them";
    case 1040:  // ER_CON_COUNT_ERROR
    case 1203:  // ER_TOO_MANY_USER_CONNECTIONS
    case 1226:  // ER_USER_LIMIT_REACHED
      return "raise the server's limit of connections; a backup can do with fewer "
             "(--mysql-readers)";
    case 1129:  // ER_HOST_IS_BLOCKED
      return "run FLUSH HOSTS on the server";
    case kDiskFull:
    case kRecordFileFull:
    case kEngineOutOfSpace:
      return "make room on the server's disk";
    case 1419:  // ER_BINLOG_CREATE_ROUTINE_NEED_SUPER
      return "SET GLOBAL log_bin_trust_function_creators=ON for the time of the restore, or grant "
             "SUPER to this user";
    case kSchemaReadOnly:
      return "run ALTER DATABASE … READ ONLY=0 for it, then the command again";
    case 1153:  // ER_NET_PACKET_TOO_LARGE
    case 1301:  // ER_WARN_ALLOWED_PACKET_OVERFLOWED
      return "raise max_allowed_packet on the server (up to 1G)";
    case 1115:  // ER_UNKNOWN_CHARACTER_SET
    case 1273:  // ER_UNKNOWN_COLLATION
      return "this server does not know a character set or collation of the backup: restore into a "
             "server of the kind and version that it comes from, or newer (utf8mb4_0900_… needs "
             "MySQL 8.0 or newer, utf8mb4_uca1400_… MariaDB 10.10 or newer)";
    case 3510:  // ER_TABLESPACE_MISSING_WITH_NAME
      return "make the tablespace on this server first (CREATE TABLESPACE … ADD DATAFILE "
             "'….ibd'), then run the command again";
    default:
      return "";
  }
}

}  // namespace

bool ServerError::IsMissingRight() const {
  return number == kDatabaseAccessDenied || number == kTableAccessDenied ||
         number == kColumnAccessDenied || number == kSpecificAccessDenied ||
         number == kRoutineAccessDenied;
}

bool ServerError::MayPass() const {
  switch (number) {
    case 3:  // EE_WRITE
    case kDiskFull:
    case kRecordFileFull:
    case kEngineOutOfSpace:
    case kLockWaitTimeout:
    case kDeadlock:
    case kQueryInterrupted:
    case kSchemaReadOnly:
    case 1030:  // ER_GET_ERRNO
    case 1037:  // ER_OUTOFMEMORY
    case 1038:  // ER_OUT_OF_SORTMEMORY
    case 1041:  // ER_OUT_OF_RESOURCES
    case 1290:  // ER_OPTION_PREVENTS_STATEMENT
    case 1836:  // ER_READ_ONLY_MODE
      return true;
    default:
      return false;
  }
}

bool ServerError::IsLostConnection() const {
  constexpr unsigned kShutdown = 1053;
  constexpr unsigned kConnectionKilled = 1927;  // MariaDB
  constexpr unsigned kClientWasIdle = 4031;     // MySQL 8.0.24 and later
  return number == kServerGone || number == kServerLost || number == kShutdown ||
         number == kConnectionKilled || number == kClientWasIdle;
}

Error ToError(const std::string& what_failed, const ServerError& refused) {
  Error error(ErrorKind::kSource, what_failed);
  error.Cause(fmt::format("{} ({})", refused.message, refused.number));
  error.Hint(HintFor(refused));
  return error;
}

Error ToTableError(const std::string& table, const ServerError& refused) {
  constexpr unsigned kUnknownColumn = 1054;
  constexpr unsigned kNoSuchKey = 1176;
  switch (refused.number) {
    case kUnknownDatabase:
    case kUnknownTable:
    case kUnknownColumn:
    case kNoSuchTable:
    case kNoSuchKey:
    case kTableDefinitionChanged:
      return Error(ErrorKind::kSource,
                   fmt::format("the table {} was dropped or altered while it was copied", table))
          .Cause(fmt::format("{} ({})", refused.message, refused.number))
          .Hint("run the backup again when no migration is running");
    default:
      return ToError("MySQL refused to read the table " + table, refused);
  }
}

}  // namespace oxbackup::mysql
