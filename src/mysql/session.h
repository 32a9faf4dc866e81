// A connection to a MySQL or MariaDB server.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mysql/connect_options.h"
#include "mysql/server_error.h"

struct st_mysql;
struct st_mysql_res;

namespace oxbackup::mysql {

/// A small result's row; NULL is nothing.
using Row = std::vector<std::optional<std::string>>;
using Rows = std::vector<Row>;

/// A value of a row; "" for NULL.
const std::string& TextOf(const Row& row, size_t column);

/// The number that a text of decimal digits begins with; 0 where there is none.
uint64_t ToNumber(std::string_view text);

/// Which server it is.
struct ServerInfo {
  bool mariadb = false;
  std::string version;  ///< as the server says it: "9.7.4-2", "10.11.19-MariaDB-0+deb12u1"
  unsigned number = 0;  ///< 80403 for 8.4.3, 101119 for 10.11.19

  std::string_view flavour() const { return mariadb ? "MariaDB" : "MySQL"; }
  /// True on MySQL (not MariaDB) of this version or later.
  bool IsMySqlFrom(unsigned version_number) const { return !mariadb && number >= version_number; }
};

class RowStream;

/// One connection. One thread at a time.
///
/// Every session speaks utf8mb4, has the time zone +00:00, the sql_mode
/// NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES
/// (so zero dates, 31 February and every other stored value pass), no limits of time for statements
/// and fresh statistics in information_schema.
///
/// A stop request ends a statement at once: the socket is shut down, the statement is killed on the
/// server, and Error(kCancelled) is thrown. The session is unusable then, as after any lost
/// connection; it never connects again by itself.
class Session {
 public:
  /// Connects. Throws Error(kSource) with a hint when that fails, Error(kCancelled) when `stop` was
  /// requested meanwhile.
  Session(const ConnectOptions& options, const std::stop_token& stop);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs a statement and drops its result. Throws Error(kSource): "MySQL refused SELECT …".
  void Execute(std::string_view sql);
  /// The same, but what the server itself refuses is returned. A lost connection is thrown.
  [[nodiscard]] std::optional<ServerError> TryExecute(std::string_view sql);
  /// Runs a statement whose result fits into memory easily.
  Rows Query(std::string_view sql);
  /// The same; nothing when the server itself refuses, and then `refused` says why.
  [[nodiscard]] std::optional<Rows> TryQuery(std::string_view sql, ServerError& refused);
  /// The first column of the first row; empty when there is no row or it is NULL.
  std::string QueryValue(std::string_view sql);
  /// Starts a statement whose rows are read one by one. No other call until the stream is
  /// destroyed.
  RowStream Stream(std::string_view sql);
  /// The same; nothing when the server itself refuses, and then `refused` says why.
  [[nodiscard]] std::optional<RowStream> TryStream(std::string_view sql, ServerError& refused);

  /// Breaks the connection: a call that waits for the server ends with an error. Thread-safe.
  void Interrupt();

  /// Rows that the last Execute or TryExecute inserted, changed or deleted.
  uint64_t affected_rows() const { return affected_rows_; }
  /// Warnings that the last statement left (SHOW WARNINGS).
  unsigned warning_count() const;
  const ServerInfo& server() const { return server_; }
  /// "root@db:3306", for messages.
  const std::string& where() const { return where_; }

 private:
  friend class RowStream;
  class SocketStopper;
  struct Closer {
    void operator()(st_mysql* handle) const;
  };

  void Connect();
  void SetUp();
  void ThrowIfStopped();
  /// Sends a statement and reads the head of its answer; what the server refuses is returned.
  std::optional<ServerError> Send(std::string_view sql);
  /// The connection's present error. Throws when it is no refusal but the end of the connection.
  ServerError TakeRefusal(std::string_view sql);
  void DrainResults();
  void KillOnServer() noexcept;

  ConnectOptions options_;
  std::stop_token stop_;
  std::string where_;
  std::unique_ptr<st_mysql, Closer> handle_;
  std::unique_ptr<SocketStopper> stopper_;  // destroyed before handle_ closes the socket
  ServerInfo server_;
  uint64_t connection_id_ = 0;  // the server's number for it (KILL)
  uint64_t affected_rows_ = 0;
};

/// The rows of one statement as they arrive. Must not outlive its session. Destroyed before its
/// end it closes the connection, since the rest would have to be read first, and ends the statement
/// on the server.
class RowStream {
 public:
  ~RowStream();
  RowStream(RowStream&& other) noexcept;
  RowStream& operator=(RowStream&&) = delete;

  /// Fetches the next row; false after the last one. Throws Error(kSource) when the server breaks
  /// off, Error(kCancelled) on a stop request.
  bool Next();
  /// The same, but false also when the server itself refuses to go on: then `refused` says why,
  /// otherwise its number is 0.
  [[nodiscard]] bool TryNext(ServerError& refused);
  /// The present row: pointers to the columns' bytes (nullptr for NULL) and their lengths, valid
  /// until the next call of Next.
  std::span<const char* const> values() const { return {values_, columns_}; }
  std::span<const unsigned long> lengths() const { return {lengths_, columns_}; }
  /// REQUIRES: the column is not NULL.
  std::string_view Value(size_t column) const { return {values_[column], lengths_[column]}; }

 private:
  friend class Session;
  RowStream(Session& session, st_mysql_res* result, std::string_view sql);

  Session* session_;
  st_mysql_res* result_;
  std::string sql_;
  size_t columns_;
  const char* const* values_ = nullptr;
  const unsigned long* lengths_ = nullptr;
  bool at_end_ = false;
};

}  // namespace oxbackup::mysql
