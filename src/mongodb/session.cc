#include "mongodb/session.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"

namespace oxbackup::mongodb {
namespace {

constexpr int kConnectTimeoutMs = 10'000;
constexpr int kSelectionTimeoutMs = 15'000;
// An index build answers after hours; a dead peer is noticed by TCP keepalive, which libmongoc
// sets.
constexpr int kSocketTimeoutMs = 24 * 3600 * 1000;

struct UriDestroy {
  void operator()(mongoc_uri_t* uri) const { mongoc_uri_destroy(uri); }
};
using Uri = std::unique_ptr<mongoc_uri_t, UriDestroy>;

bool IsUri(std::string_view text) {
  return text.starts_with("mongodb://") || text.starts_with("mongodb+srv://");
}

// libmongoc wants mongoc_init() once in a process, before anything else. A function-local static is
// the one way to have that without a global that every caller must know. It is never cleaned up:
// OpenSSL's own exit handlers may have run by then.
void InitialiseOnce() {
  static const bool initialised = [] {
    // Its own messages, which mongoc_init() has too, would reach the terminal behind the operator's
    // log.
    mongoc_log_set_handler(nullptr, nullptr);
    mongoc_init();
    return true;
  }();
  (void)initialised;
}

std::string HostAndPort(const ConnectOptions& options) {
  if (options.host.find(',') != std::string::npos) return options.host;
  if (options.host.starts_with('[') || options.host.find(':') == std::string::npos) {
    const bool has_port = options.host.find("]:") != std::string::npos;
    return has_port ? options.host : fmt::format("{}:{}", options.host, options.port);
  }
  const bool ipv6 = options.host.find(':') != options.host.rfind(':');
  return ipv6 ? fmt::format("[{}]:{}", options.host, options.port) : options.host;
}

void Require(bool accepted, const char* setting, const std::string& server) {
  if (accepted) return;
  throw Error(ErrorKind::kUsage, fmt::format("MongoDB's {} is not usable", setting))
      .While("preparing to connect to " + server)
      .Hint("check the setting: it must be UTF-8 text of the documented form");
}

Error Contradiction(const char* setting, const ConnectOptions& options) {
  return Error(ErrorKind::kUsage,
               fmt::format("the MongoDB address says something else of {} than the settings do",
                           setting))
      .While("preparing to connect to " + ServerName(options))
      .Hint("take it out of the address, or make the two the same");
}

// What a whole URI says counts: but it may not silently undo what the settings ask for.
void AddReplicaSetAndTls(const ConnectOptions& options, mongoc_uri_t* uri) {
  if (!options.replica_set.empty()) {
    const char* const given = mongoc_uri_get_replica_set(uri);
    if (given != nullptr && options.replica_set != given) {
      throw Contradiction("the replica set (MONGODB_REPLICA_SET)", options);
    }
    Require(mongoc_uri_set_option_as_utf8(uri, MONGOC_URI_REPLICASET, options.replica_set.c_str()),
            "replica set", ServerName(options));
  }
  if (!options.tls) return;
  if (mongoc_uri_has_option(uri, MONGOC_URI_TLS) &&
      !mongoc_uri_get_option_as_bool(uri, MONGOC_URI_TLS, false)) {
    throw Contradiction("TLS (MONGODB_USE_SSL)", options);
  }
  mongoc_uri_set_option_as_bool(uri, MONGOC_URI_TLS, true);
}

// Whether a URI with a user can do without his password: by a certificate, Kerberos or a cloud.
bool NeedsPassword(const mongoc_uri_t* uri) {
  const char* const given = mongoc_uri_get_auth_mechanism(uri);
  const std::string_view mechanism = given == nullptr ? "" : given;
  return mechanism.empty() || mechanism == "PLAIN" || mechanism.starts_with("SCRAM-");
}

// A URI with a user counts, but his password may be a setting: in a URI others can read it. Without
// one libmongoc 1.23 reads through a null pointer.
void AddCredentials(const ConnectOptions& options, mongoc_uri_t* uri) {
  const std::string name = ServerName(options);
  if (const char* const given = mongoc_uri_get_username(uri); given != nullptr) {
    if (mongoc_uri_get_password(uri) != nullptr || !NeedsPassword(uri)) return;
    const bool of_user = options.user.empty() || options.user == given;
    if (!of_user || options.password.empty()) {
      throw Error(ErrorKind::kUsage,
                  "the MongoDB address names a user, but there is no password for that user")
          .While("preparing to connect to " + name)
          .Hint(
              "set MONGODB_PASSWORD (or MONGODB_PASSWORD_FILE), and as MONGODB_USERNAME nothing or "
              "the same user");
    }
    Require(mongoc_uri_set_password(uri, options.password.c_str()), "password", name);
    return;
  }
  if (options.user.empty()) return;
  Require(mongoc_uri_set_username(uri, options.user.c_str()), "user name", name);
  Require(mongoc_uri_set_password(uri, options.password.c_str()), "password", name);
  if (!options.auth_database.empty()) {
    Require(mongoc_uri_set_auth_source(uri, options.auth_database.c_str()),
            "authentication database", name);
  }
  if (!options.auth_mechanism.empty()) {
    Require(mongoc_uri_set_auth_mechanism(uri, options.auth_mechanism.c_str()),
            "authentication mechanism", name);
  }
}

Uri MakeUri(const ConnectOptions& options) {
  const std::string& given = options.uri.empty() ? options.host : options.uri;
  const bool whole = IsUri(given);
  bson_error_t error;
  Uri uri(mongoc_uri_new_with_error(
      whole ? given.c_str() : fmt::format("mongodb://{}/", HostAndPort(options)).c_str(), &error));
  if (!uri) {
    // The library's message may quote the URI, and with it the password.
    throw Error(ErrorKind::kUsage, "the MongoDB address is not of the form host or mongodb://…")
        .Hint(
            "for example mongodb://db1:27017,db2:27017/?replicaSet=rs0; percent-encode special "
            "characters of user and password");
  }
  mongoc_uri_t* u = uri.get();
  AddCredentials(options, u);
  AddReplicaSetAndTls(options, u);
  if (!options.ca_file.empty()) {
    mongoc_uri_set_option_as_utf8(u, MONGOC_URI_TLSCAFILE, options.ca_file.c_str());
  }
  mongoc_uri_set_option_as_int32(u, MONGOC_URI_CONNECTTIMEOUTMS, kConnectTimeoutMs);
  mongoc_uri_set_option_as_int32(u, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, kSelectionTimeoutMs);
  mongoc_uri_set_option_as_int32(u, MONGOC_URI_SOCKETTIMEOUTMS, kSocketTimeoutMs);
  mongoc_uri_set_appname(u, "openedx-backup");
  return uri;
}

std::string HintFor(int code) {
  switch (code) {
    case kAuthenticationFailed:
      return "check user, password and authentication database (MONGODB_USERNAME, "
             "MONGODB_PASSWORD, MONGODB_AUTHENTICATION_DATABASE)";
    case kUnauthorized:
      return "give the user the roles backup, restore and readWriteAnyDatabase (or root) on the "
             "database admin";
    default:
      return {};
  }
}

// An error that is no command's refusal: the server was not reached, or the connection broke.
Error ConnectionError(const bson_error_t& error, const std::string& server) {
  const bool authentication =
      (error.domain == MONGOC_ERROR_CLIENT && error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE) ||
      (error.domain == MONGOC_ERROR_SERVER && error.code == kAuthenticationFailed);
  if (authentication) {
    return Error(ErrorKind::kSource, "MongoDB refused the user or password")
        .Cause(error.message)
        .While("connecting to " + server)
        .Hint(HintFor(kAuthenticationFailed));
  }
  if (error.domain == MONGOC_ERROR_SERVER_SELECTION) {
    return Error(ErrorKind::kSource, "no MongoDB server answers at " + server)
        .Cause(error.message)
        .Hint(
            "check that it runs, that host and port are right and reachable from here, and that "
            "TLS and the replica set's name are set as on the server");
  }
  return Error(ErrorKind::kSource, "the connection to MongoDB at " + server + " was lost")
      .Cause(error.message)
      .Hint("see the server's log for why it closed the connection, then run again");
}

std::optional<ServerFailure> FailureOf(std::string_view reply) {
  const auto ok = FindField(reply, "ok");
  if (!ok || ok->IsTrue()) return std::nullopt;
  ServerFailure failure;
  if (const auto code = FindField(reply, "code")) {
    failure.code = static_cast<int>(code->AsInt().value_or(0));
  }
  if (const auto name = FindField(reply, "codeName")) {
    failure.code_name = name->AsText().value_or("");
  }
  if (const auto message = FindField(reply, "errmsg")) {
    failure.message = message->AsText().value_or("");
  }
  return failure;
}

std::string TextField(const Bson& document, std::string_view key) {
  const auto field = FindField(document.bytes(), key);
  return field ? std::string(field->AsText().value_or("")) : std::string();
}

}  // namespace

std::string ServerName(const ConnectOptions& options) {
  const std::string& given = options.uri.empty() ? options.host : options.uri;
  if (!IsUri(given)) return HostAndPort(options);
  std::string_view rest(given);
  rest.remove_prefix(rest.find("://") + 3);
  rest = rest.substr(0, rest.find('/'));
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  return std::string(rest);
}

Error ServerFailure::ToError(const std::string& what_failed) const {
  Error error(ErrorKind::kSource, what_failed);
  error.Cause(code_name.empty() ? fmt::format("{} (code {})", message, code)
                                : fmt::format("{} ({}, code {})", message, code_name, code));
  if (std::string hint = HintFor(code); !hint.empty()) error.Hint(std::move(hint));
  return error;
}

Session::Session(const ConnectOptions& options, std::stop_token stop)
    : stop_(std::move(stop)), server_name_(ServerName(options)) {
  InitialiseOnce();
  const Uri uri = MakeUri(options);
  client_.reset(mongoc_client_new_from_uri(uri.get()));
  if (!client_) {
    throw Error(ErrorKind::kUsage, "the settings for MongoDB at " + server_name_ + " do not fit")
        .Hint("TLS settings without TLS, an unknown mechanism or an unknown option in the URI");
  }
  mongoc_client_set_error_api(client_.get(), MONGOC_ERROR_API_VERSION_2);
  Identify();
  StartServerSession();
}

Session::~Session() = default;

// An explicit session keeps a cursor's getMores with the session that opened it. Servers without
// sessions do without.
void Session::StartServerSession() {
  const std::unique_ptr<mongoc_session_opt_t, Destroy<mongoc_session_opts_destroy>> options(
      mongoc_session_opts_new());
  mongoc_session_opts_set_causal_consistency(options.get(), false);
  bson_error_t error;
  session_.reset(mongoc_client_start_session(client_.get(), options.get(), &error));
}

void Session::AppendTo(Bson& options) const {
  if (!session_) return;
  bson_error_t error;
  if (!mongoc_client_session_append(session_.get(), options.get(), &error)) {
    throw Error(ErrorKind::kInternal, "libmongoc refused its own session").Cause(error.message);
  }
}

Reply Session::TryRun(std::string_view database, const Bson& command) {
  if (stop_.stop_requested()) throw CancelledError();
  return Execute(database, command);
}

Reply Session::Execute(std::string_view database, const Bson& command) {
  Bson options;
  AppendTo(options);
  // libmongoc initialises the reply by itself.
  bson_t raw;
  bson_error_t error;
  const bool done =
      mongoc_client_command_with_opts(client_.get(), std::string(database).c_str(), command.get(),
                                      nullptr, options.get(), &raw, &error);
  Reply reply;
  if (!bson_steal(reply.document.get(), &raw)) {
    bson_destroy(&raw);
    throw Error(ErrorKind::kInternal, "libmongoc's reply could not be taken over");
  }
  reply.failure = FailureOf(reply.document.bytes());
  if (!done && !reply.failure) {
    if (error.domain == MONGOC_ERROR_SERVER && error.code != kAuthenticationFailed) {
      reply.failure = ServerFailure{static_cast<int>(error.code), "", error.message};
    } else {
      lost_ = true;
      throw ConnectionError(error, server_name_);
    }
  }
  return reply;
}

Bson Session::Run(std::string_view database, const Bson& command, const std::string& what_failed) {
  Reply reply = TryRun(database, command);
  if (reply.failure) throw reply.failure->ToError(what_failed);
  return std::move(reply.document);
}

void Session::RunToTidyUp(std::string_view database, const Bson& command) {
  const Reply reply = Execute(database, command);
  if (reply.failure) throw reply.failure->ToError("MongoDB refused to tidy up");
}

void Session::KillCursor(std::string_view database, std::string_view collection,
                         int64_t id) noexcept {
  if (lost_) return;
  try {
    (void)Execute(database,
                  Bson().Add("killCursors", collection).AddArray("cursors", Bson().Add("0", id)));
  } catch (const Error&) {
    // The server drops an idle cursor by itself after ten minutes.
  }
}

Reply Session::Hello() {
  Reply hello = TryRun("admin", Bson().Add("hello", int32_t{1}));
  // 4.4.0 and older do not know hello.
  if (!hello.ok()) hello = TryRun("admin", Bson().Add("isMaster", int32_t{1}));
  return hello;
}

void Session::Identify() {
  const Reply hello = Hello();
  if (hello.failure) throw hello.failure->ToError("MongoDB does not say what it is");
  server_.replica_set = TextField(hello.document, "setName");
  if (TextField(hello.document, "msg") == "isdbgrid") {
    server_.topology = Topology::kMongos;
  } else if (!server_.replica_set.empty()) {
    server_.topology = Topology::kReplicaSet;
  }

  const Bson build =
      Run("admin", Bson().Add("buildInfo", int32_t{1}), "MongoDB does not say which version it is");
  server_.version = TextField(build, "version");
  server_.flavour = "MongoDB";
  if (const auto ferretdb = FindField(build.bytes(), "ferretdb")) {
    server_.flavour = "FerretDB";
    if (const auto inner = ferretdb->AsDocument()) {
      if (const auto version = FindField(*inner, "version"); version && version->AsText()) {
        server_.version = fmt::format("{} (FerretDB {})", server_.version, *version->AsText());
      }
    }
  } else if (FindField(build.bytes(), "psmdbVersion")) {
    server_.flavour = "Percona Server for MongoDB";
  } else if (server_name_.find(".docdb.") != std::string::npos) {
    server_.flavour = "DocumentDB";  // Amazon's marks itself by its host name alone
  }
  if (const auto numbers = FindField(build.bytes(), "versionArray");
      numbers && numbers->AsDocument()) {
    const auto number = [&](std::string_view key) {
      const auto field = FindField(*numbers->AsDocument(), key);
      return field ? static_cast<int>(field->AsInt().value_or(0)) : 0;
    };
    server_.major = number("0");
    server_.minor = number("1");
    server_.patch = number("2");
  }
}

}  // namespace oxbackup::mongodb
