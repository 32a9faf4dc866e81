// What a server or the client library refused, and what an operator can do about it.
#pragma once

#include <string>

#include "base/error.h"

namespace oxbackup::mysql {

/// Error numbers that decisions depend on (the server's mysqld_error.h, the library's errmsg.h).
enum ErrorNumber : unsigned {
  kDiskFull = 1021,
  kDatabaseAccessDenied = 1044,
  kAccessDenied = 1045,
  kUnknownDatabase = 1049,
  kUnknownTable = 1051,
  kTableAccessDenied = 1142,
  kColumnAccessDenied = 1143,
  kNoSuchTable = 1146,
  kParseError = 1064,
  kRecordFileFull = 1114,
  kLockWaitTimeout = 1205,
  kDeadlock = 1213,
  kSpecificAccessDenied = 1227,
  kQueryInterrupted = 1317,
  kRoutineAccessDenied = 1370,
  kTableDefinitionChanged = 1412,
  kCannotConnectSocket = 2002,
  kCannotConnectHost = 2003,
  kUnknownHost = 2005,
  kServerGone = 2006,
  kServerLost = 2013,
  kTlsFailed = 2026,
  kPluginMissing = 2059,
  kEngineOutOfSpace = 3675,
  kSchemaReadOnly = 3989,
};

/// One refusal in the server's own words.
struct ServerError {
  unsigned number = 0;
  std::string message;

  /// True when the user lacks a right for the statement.
  bool IsMissingRight() const;
  /// True when the same statement may succeed later without anybody changing rights or the
  /// statement: a lock that somebody holds, a full disk, a server that is read-only.
  bool MayPass() const;
  /// True when the connection is no longer there.
  bool IsLostConnection() const;
};

/// Error(kSource) that says what failed, with the server's words and number as its cause and, where
/// one is known, a hint.
Error ToError(const std::string& what_failed, const ServerError& refused);

/// The same for a table that was being copied, "database.table": what the server says when it is
/// gone or no longer what it was is told as such.
Error ToTableError(const std::string& table, const ServerError& refused);

}  // namespace oxbackup::mysql
