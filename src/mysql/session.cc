#include "mysql/session.h"

#include <errmsg.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <mysql.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <mutex>

namespace oxbackup::mysql {
namespace {

// The start of a statement, for messages; never as far as a password or its hash.
std::string Head(std::string_view sql) {
  constexpr size_t kMost = 60;
  size_t length = std::min({sql.size(), sql.find('\n'), sql.find(" IDENTIFIED"), kMost});
  if (length == sql.size()) return std::string(sql);
  const auto inside_character = [&] {
    return (static_cast<unsigned char>(sql[length]) & 0xC0) == 0x80;
  };
  while (length > 0 && inside_character()) --length;
  return std::string(sql.substr(0, length)) + "…";
}

void SetOption(st_mysql* handle, mysql_option option, const void* value) {
  mysql_optionsv(handle, option, value);
}

// TLS costs both ends much processor time; nobody listens between two ends of one machine.
bool StaysOnThisMachine(const ConnectOptions& options) {
  return !options.socket.empty() || options.host == "localhost" || options.host == "::1" ||
         options.host.starts_with("127.");
}

void SetTls(st_mysql* handle, const ConnectOptions& options) {
  const bool wanted = options.tls == TlsMode::kRequired || options.tls == TlsMode::kVerify ||
                      (options.tls == TlsMode::kPreferred && !StaysOnThisMachine(options));
  // Both are set in every case: the library's defaults changed with version 3.4.
  const my_bool enforce = wanted ? 1 : 0;
  const my_bool verify = options.tls == TlsMode::kVerify ? 1 : 0;
  if (!options.tls_ca.empty()) SetOption(handle, MYSQL_OPT_SSL_CA, options.tls_ca.c_str());
  SetOption(handle, MYSQL_OPT_SSL_ENFORCE, &enforce);
  SetOption(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

// A server that vanished without a word (power, network) is noticed after two minutes, not never.
void WatchPeer(int fd) {
  const int on = 1;
  const int idle_seconds = 60;
  const int interval_seconds = 15;
  const int probes = 4;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_seconds, sizeof interval_seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

}  // namespace

const std::string& TextOf(const Row& row, size_t column) {
  static const std::string kEmpty;
  return row[column] ? *row[column] : kEmpty;
}

uint64_t ToNumber(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string Describe(const ConnectOptions& options) {
  if (!options.socket.empty()) return fmt::format("{}@{}", options.user, options.socket);
  return fmt::format("{}@{}:{}", options.user, options.host, options.port);
}

/// Shuts the socket down when a stop is requested. It holds a descriptor of its own: the library
/// closes its one when the connection is lost, and the number may by then belong to another file.
class Session::SocketStopper {
 public:
  SocketStopper(int socket, const std::stop_token& stop) : fd_(fcntl(socket, F_DUPFD_CLOEXEC, 0)) {
    callback_.emplace(stop, Shutdown{fd_});
  }
  ~SocketStopper() {
    callback_.reset();
    if (fd_ >= 0) close(fd_);
  }
  SocketStopper(const SocketStopper&) = delete;
  SocketStopper& operator=(const SocketStopper&) = delete;

  void ShutdownNow() const { Shutdown{fd_}(); }

 private:
  struct Shutdown {
    int fd;
    void operator()() const {
      if (fd >= 0) shutdown(fd, SHUT_RDWR);
    }
  };

  int fd_;
  std::optional<std::stop_callback<Shutdown>> callback_;
};

void Session::Closer::operator()(st_mysql* handle) const { mysql_close(handle); }

Session::Session(const ConnectOptions& options, const std::stop_token& stop)
    : options_(options), stop_(stop), where_(Describe(options)) {
  // mysql_init does this by itself, but not safely when several threads connect at once.
  static std::once_flag library_ready;
  std::call_once(library_ready, [] { mysql_library_init(0, nullptr, nullptr); });
  ThrowIfStopped();
  WithContext([&] { return "connecting to " + where_; },
              [&] {
                Connect();
                SetUp();
              });
}

Session::~Session() = default;

void Session::Connect() {
  handle_.reset(mysql_init(nullptr));
  if (!handle_) throw std::bad_alloc();
  st_mysql* const handle = handle_.get();
  const auto timeout = static_cast<unsigned>(options_.connect_timeout.count());
  const bool by_socket = !options_.socket.empty();
  const unsigned protocol = by_socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
  const unsigned long max_packet = 1UL << 30;  // the most that servers allow
  const unsigned local_infile = 0;
  SetOption(handle, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
  SetOption(handle, MYSQL_OPT_PROTOCOL, &protocol);
  SetOption(handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &max_packet);
  // A server can ask for any local file otherwise.
  SetOption(handle, MYSQL_OPT_LOCAL_INFILE, &local_infile);
  SetOption(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  SetTls(handle, options_);
  const bool connected =
      mysql_real_connect(handle, by_socket ? nullptr : options_.host.c_str(), options_.user.c_str(),
                         options_.password.c_str(), nullptr, static_cast<unsigned>(options_.port),
                         by_socket ? options_.socket.c_str() : nullptr, 0) != nullptr;
  if (!connected) {
    ThrowIfStopped();
    throw ToError("cannot connect to MySQL", {mysql_errno(handle), mysql_error(handle)});
  }
  if (options_.tls == TlsMode::kRequired && mysql_get_ssl_cipher(handle) == nullptr) {
    throw Error(ErrorKind::kSource, "the server offers no encrypted connection")
        .Hint("enable TLS on the server, or choose another TLS mode");
  }
  const int socket = static_cast<int>(mysql_get_socket(handle));
  if (!by_socket) WatchPeer(socket);
  stopper_ = std::make_unique<SocketStopper>(socket, stop_);
  connection_id_ = mysql_thread_id(handle);
  server_.version = mysql_get_server_info(handle);
  server_.number = static_cast<unsigned>(mysql_get_server_version(handle));
  server_.mariadb = server_.version.find("MariaDB") != std::string::npos;
}

void Session::SetUp() {
  // A day for each packet: a backup waits as long as the place it is written to makes it wait.
  std::string settings =
      "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone='+00:00', "
      "sql_quote_show_create=1,"
      " net_read_timeout=86400, net_write_timeout=86400, wait_timeout=604800,"
      " sql_select_limit=18446744073709551615, sql_safe_updates=0, autocommit=1";
  if (server_.mariadb) {
    settings += ", max_statement_time=0";
  } else {
    if (server_.IsMySqlFrom(50708)) settings += ", max_execution_time=0";
    if (server_.IsMySqlFrom(80000)) settings += ", information_schema_stats_expiry=0";
  }
  Execute("SET NAMES utf8mb4");
  Execute(settings);
}

void Session::ThrowIfStopped() {
  if (stop_.stop_requested()) throw CancelledError();
}

std::optional<ServerError> Session::Send(std::string_view sql) {
  ThrowIfStopped();
  if (mysql_real_query(handle_.get(), sql.data(), sql.size()) == 0) return std::nullopt;
  return TakeRefusal(sql);
}

ServerError Session::TakeRefusal(std::string_view sql) {
  ServerError refused{mysql_errno(handle_.get()), mysql_error(handle_.get())};
  if (stop_.stop_requested()) {
    KillOnServer();
    throw CancelledError();
  }
  const bool from_library = refused.number >= CR_MIN_ERROR && refused.number <= CR_MAX_ERROR;
  if (from_library || refused.IsLostConnection()) {
    throw ToError(refused.IsLostConnection() ? "the connection to MySQL broke"
                                             : "MySQL's answer cannot be read",
                  refused)
        .While(fmt::format("running {} on {}", Head(sql), where_));
  }
  return refused;
}

std::optional<ServerError> Session::TryExecute(std::string_view sql) {
  if (std::optional<ServerError> refused = Send(sql)) return refused;
  DrainResults();
  if (mysql_errno(handle_.get()) != 0) return TakeRefusal(sql);
  return std::nullopt;
}

void Session::DrainResults() {
  st_mysql* const handle = handle_.get();
  affected_rows_ = 0;
  do {
    if (MYSQL_RES* const result = mysql_use_result(handle)) {
      mysql_free_result(result);
    } else if (mysql_errno(handle) == 0) {
      affected_rows_ = mysql_affected_rows(handle);
    }
  } while (mysql_errno(handle) == 0 && mysql_next_result(handle) == 0);
}

void Session::Execute(std::string_view sql) {
  if (const std::optional<ServerError> refused = TryExecute(sql)) {
    throw ToError("MySQL refused " + Head(sql), *refused);
  }
}

std::optional<Rows> Session::TryQuery(std::string_view sql, ServerError& refused) {
  if (std::optional<ServerError> error = Send(sql)) {
    refused = std::move(*error);
    return std::nullopt;
  }
  Rows rows;
  MYSQL_RES* const result = mysql_store_result(handle_.get());
  if (result == nullptr) {
    if (mysql_errno(handle_.get()) == 0) return rows;
    refused = TakeRefusal(sql);
    return std::nullopt;
  }
  const std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> owner(result, mysql_free_result);
  const unsigned columns = mysql_num_fields(result);
  while (MYSQL_ROW values = mysql_fetch_row(result)) {
    const unsigned long* const lengths = mysql_fetch_lengths(result);
    Row& row = rows.emplace_back(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (values[i] != nullptr) row[i].emplace(values[i], lengths[i]);
    }
  }
  return rows;
}

Rows Session::Query(std::string_view sql) {
  ServerError refused;
  std::optional<Rows> rows = TryQuery(sql, refused);
  if (!rows) throw ToError("MySQL refused " + Head(sql), refused);
  return std::move(*rows);
}

std::string Session::QueryValue(std::string_view sql) {
  const Rows rows = Query(sql);
  return rows.empty() || rows[0].empty() ? "" : rows[0][0].value_or("");
}

RowStream Session::Stream(std::string_view sql) {
  ServerError refused;
  std::optional<RowStream> stream = TryStream(sql, refused);
  if (!stream) throw ToError("MySQL refused " + Head(sql), refused);
  return std::move(*stream);
}

std::optional<RowStream> Session::TryStream(std::string_view sql, ServerError& refused) {
  if (std::optional<ServerError> error = Send(sql)) {
    refused = std::move(*error);
    return std::nullopt;
  }
  MYSQL_RES* const result = mysql_use_result(handle_.get());
  if (result == nullptr) {
    refused = TakeRefusal(sql);
    return std::nullopt;
  }
  return RowStream(*this, result, sql);
}

unsigned Session::warning_count() const { return mysql_warning_count(handle_.get()); }

void Session::Interrupt() { stopper_->ShutdownNow(); }

void Session::KillOnServer() noexcept {
  // A closed socket ends no statement that is busy without sending (an ALTER, a lock wait).
  try {
    ConnectOptions options = options_;
    options.connect_timeout = std::chrono::seconds(2);
    Session other(options, std::stop_token());
    // Refused when the connection is gone by now, which is what was wanted.
    static_cast<void>(other.TryExecute(fmt::format("KILL {}", connection_id_)));
  } catch (const std::exception&) {
    // The run ends as cancelled either way; the server drops the statement when it next sends.
    return;
  }
}

RowStream::RowStream(Session& session, st_mysql_res* result, std::string_view sql)
    : session_(&session), result_(result), sql_(Head(sql)), columns_(mysql_num_fields(result)) {}

RowStream::RowStream(RowStream&& other) noexcept
    : session_(other.session_),
      result_(std::exchange(other.result_, nullptr)),
      sql_(std::move(other.sql_)),
      columns_(other.columns_),
      values_(other.values_),
      lengths_(other.lengths_),
      at_end_(other.at_end_) {}

RowStream::~RowStream() {
  if (result_ == nullptr) return;
  if (!at_end_) {
    session_->Interrupt();
    // A server that waits to send learns of a closed socket only from its next probe of the
    // connection, after minutes (seen on 9.7 and 10.11), and keeps the table locked until then.
    session_->KillOnServer();
  }
  mysql_free_result(result_);
}

bool RowStream::Next() {
  ServerError refused;
  const bool more = TryNext(refused);
  if (refused.number != 0) throw ToError("MySQL broke off while sending rows", refused);
  return more;
}

bool RowStream::TryNext(ServerError& refused) {
  refused = {};
  values_ = mysql_fetch_row(result_);
  if (values_ != nullptr) {
    lengths_ = mysql_fetch_lengths(result_);
    return true;
  }
  at_end_ = true;
  if (mysql_errno(session_->handle_.get()) != 0) refused = session_->TakeRefusal(sql_);
  return false;
}

}  // namespace oxbackup::mysql
