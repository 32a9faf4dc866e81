// One connection to a MongoDB-protocol server, over libmongoc.
#pragma once

#include <mongoc/mongoc.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "mongodb/bson.h"

namespace oxbackup::mongodb {

/// Where a server is and who connects. `host` may be a whole "mongodb://" or "mongodb+srv://" URI
/// too (Tutor's MONGODB_HOST allows it); the other settings then add what it does not say, the
/// password of its user too.
struct ConnectOptions {
  std::string host = "localhost";
  int port = 27017;
  std::string user;  ///< empty: no authentication
  std::string password;
  std::string auth_database = "admin";
  std::string auth_mechanism;  ///< empty: what the server offers
  std::string replica_set;     ///< empty: the one server that is named
  bool tls = false;
  std::string ca_file;  ///< PEM; empty: the system's
  std::string uri;      ///< given whole, wins over host and port
};

/// "mongodb.example.org:27017": for messages; never with user or password.
std::string ServerName(const ConnectOptions& options);

/// Error codes of servers (MongoDB's error_codes.yml) that decide what we do next.
enum ServerCode : int {
  kBadValue = 2,
  kFailedToParse = 9,
  kUnauthorized = 13,
  kAuthenticationFailed = 18,
  kIllegalOperation = 20,
  kNamespaceNotFound = 26,
  kCursorNotFound = 43,
  kNamespaceExists = 48,
  kCommandNotFound = 59,
  kInvalidOptions = 72,
  kCommandNotSupported = 115,
  kNotAReplicaSet = 123,
  kCappedPositionLost = 136,
  kCommandNotSupportedOnView = 166,
  kQueryPlanKilled = 175,
  kCursorKilled = 237,
  kNotImplemented = 238,
  kSnapshotTooOld = 239,
  kSnapshotUnavailable = 246,
  kDuplicateKey = 11000,
};

/// What a server answered instead of doing it.
struct ServerFailure {
  int code = 0;
  std::string code_name;
  std::string message;

  /// Whether the server gave up a cursor and nothing else: what it was to read can be asked for
  /// anew.
  bool IsOfCursorAlone() const {
    return code == kCursorNotFound || code == kQueryPlanKilled || code == kCursorKilled;
  }
  /// An Error(kSource) with the server's words and a hint for the codes that operators meet.
  Error ToError(const std::string& what_failed) const;
};

/// A command's reply. `failure` is set when the server refused it.
struct Reply {
  Bson document;
  std::optional<ServerFailure> failure;

  bool ok() const { return !failure; }
};

enum class Topology { kStandalone, kReplicaSet, kMongos };

/// What answers at the other end.
struct ServerInfo {
  std::string flavour;  ///< "MongoDB", "Percona Server for MongoDB", "FerretDB", "DocumentDB"
  std::string version;  ///< "7.0.28", "7.0.77 (FerretDB v2.7.0)"
  int major = 0;        ///< of the protocol's version
  int minor = 0;
  int patch = 0;
  Topology topology = Topology::kStandalone;
  std::string replica_set;  ///< its name; empty unless a replica set

  bool AtLeast(int major_version, int minor_version) const {
    return major != major_version ? major > major_version : minor >= minor_version;
  }
};

/// A connection with a server session of its own (a FerretDB cursor can be read by the session that
/// opened it alone). One thread at a time; a worker has one each. All errors are Error(kSource).
class Session {
 public:
  /// Connects and authenticates. Throws with a hint what to check when no server answers, the
  /// password is wrong, or TLS fails. `stop`: no further command starts once it is requested
  /// (Error(kCancelled)); one that runs is waited for.
  Session(const ConnectOptions& options, std::stop_token stop);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Runs a command. A server's refusal is in the reply, a lost connection is thrown.
  [[nodiscard]] Reply TryRun(std::string_view database, const Bson& command);
  /// Runs a command that has to succeed. `what_failed` for the error's first line.
  Bson Run(std::string_view database, const Bson& command, const std::string& what_failed);

  /// What the server says of itself and of its last writes, as `hello` or its predecessor has it.
  [[nodiscard]] Reply Hello();

  const ServerInfo& server() const { return server_; }
  /// For libmongoc's own calls (bulk writes). Owned by the session.
  mongoc_client_t* client() { return client_.get(); }
  /// Adds the server session to the options of such a call.
  void AppendTo(Bson& options) const;
  /// Runs a command that puts something back, also after a stop. Throws when it did not succeed.
  void RunToTidyUp(std::string_view database, const Bson& command);
  /// Closes a cursor on the server, also after a stop; does nothing once the connection is lost.
  void KillCursor(std::string_view database, std::string_view collection, int64_t id) noexcept;

 private:
  template <auto Function>
  struct Destroy {
    template <class T>
    void operator()(T* object) const {
      Function(object);
    }
  };

  Reply Execute(std::string_view database, const Bson& command);
  void StartServerSession();
  void Identify();

  std::stop_token stop_;
  std::string server_name_;
  bool lost_ = false;  // the connection broke; nothing can be tidied up any more
  std::unique_ptr<mongoc_client_t, Destroy<mongoc_client_destroy>> client_;
  // Destroyed before the client.
  std::unique_ptr<mongoc_client_session_t, Destroy<mongoc_client_session_destroy>> session_;
  ServerInfo server_;
};

/// Reads the documents of a command that answers with a cursor (find, aggregate, listCollections,
/// listIndexes), by getMore commands of its own: libmongoc's cursors take no UUIDs and hide
/// atClusterTime. One thread at a time; must not outlive its session.
class Cursor {
 public:
  /// What Next() came to.
  enum class Step {
    kDocument,  ///< document() is there
    kEnd,
    kFailed,  ///< failure() says why; a killed cursor is for the caller to judge
  };

  /// Runs `command` at once. `batch_size`: documents a getMore asks for (0: as many as the server
  /// puts into a reply, up to 16 MB); the first batch is what `command` says.
  Cursor(Session& session, std::string_view database, const Bson& command, int32_t batch_size = 0);
  /// Closes it on the server when it was not read to its end; failures of that are of no interest.
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  [[nodiscard]] Step Next();
  /// The raw bytes; valid until the next call of Next().
  std::string_view document() const { return document_; }
  /// REQUIRES: the last Next() gave kFailed.
  const ServerFailure& failure() const { return *failure_; }
  /// The instant that the server read at, if it did (readConcern snapshot).
  std::optional<Timestamp> at_cluster_time() const { return at_cluster_time_; }
  /// Next(), where any failure ends the run: true while there is a document.
  [[nodiscard]] bool NextOrThrow(const std::string& what_failed);

 private:
  void Take(Reply reply, std::string_view batch_name);

  Session& session_;
  std::string database_;
  std::string collection_;  // as the server names it; getMore wants it
  const int32_t batch_size_;
  int64_t id_ = 0;  // 0: the server has no more batches
  Reply reply_;
  std::optional<FieldWalker> batch_;
  std::string_view document_;
  std::optional<ServerFailure> failure_;
  std::optional<Timestamp> at_cluster_time_;
};

}  // namespace oxbackup::mongodb
