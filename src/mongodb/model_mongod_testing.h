// A small model of a real mongod in memory: enough of one to dump from, to restore into and to
// break in the middle. It behaves as measured on real mongods (rename semantics, _id first, zero
// timestamps, refused index kinds), not as the testbed's servers do.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mongodb/scripted_server_testing.h"

namespace oxbackup::mongodb {

struct ModelOptions {
  std::string version = "4.4.0";
  bool replica_set = false;
  /// What FerretDB has not: applyOps is 59 CommandNotFound, create drops its options, find ignores
  /// min and max, renames across databases or of names with a dot are refused.
  bool ferretdb = false;
  /// A replica set's local.oplog.rs grows with every write, as on 4.4.
  bool oplog = false;
  /// The account has the roles backup and restore alone, as recorded: neither update nor delete,
  /// and an applyOps with several commands is not for it (mongod's source: one in which each of
  /// them is alone in an applyOps of its own is).
  bool backup_and_restore = false;
  /// find and getMore give at most this many documents a batch.
  int32_t batch_documents = 101;
};

/// One collection or view.
struct ModelCollection {
  Uuid uuid{};
  bool view = false;
  Bson options;
  std::vector<Bson> indexes;  ///< without the one on _id
  /// In insertion order.
  std::map<uint64_t, std::string> documents;
  std::map<std::string, uint64_t> by_id;  ///< EqualityKey of _id -> its place in `documents`
};

/// Answers the commands of a ScriptedServer, which must outlive the model's last command; the model
/// must outlive the server's connections (declare the model first). Thread-safe.
class ModelMongod {
 public:
  explicit ModelMongod(ModelOptions options = {}) : options_(std::move(options)) {}
  void AttachTo(ScriptedServer& server);

  /// Changes the data as a test likes: `ns` is "db.collection".
  void Create(const std::string& ns, std::string_view options_json = "{}");
  void Insert(const std::string& ns, std::string_view document_json);
  void InsertRaw(const std::string& ns, std::string document);
  /// Canonical extended JSON of all documents, sorted; empty when there is no such collection.
  std::vector<std::string> Documents(const std::string& ns) const;
  std::vector<std::string> RawDocuments(const std::string& ns) const;
  /// Names of the collections and views of a database, sorted.
  std::vector<std::string> Names(const std::string& database) const;
  /// Nothing when there is no such collection.
  std::optional<ModelCollection> Find(const std::string& ns) const;
  /// Name and content of every collection whose name `keep` accepts: to compare whole states.
  std::map<std::string, std::vector<std::string>> State(
      const std::function<bool(const std::string& ns)>& keep) const;

  /// Runs a command as a connection would.
  Bson Run(const ScriptedCommand& command);

 private:
  struct OpenCursor {
    std::string ns;
    std::string collection;  // name of its namespace without the database
    Uuid uuid{};
    std::vector<std::string> documents;
    size_t at = 0;
  };
  /// In a cursor whose collection was renamed or dropped: its next getMore is 175.
  static constexpr Uuid kKilled = {0xff};
  using Method = Bson (ModelMongod::*)(const ScriptedCommand&);
  static const std::map<std::string, Method>& Methods();

  // All REQUIRE: mutex_ is held.
  Bson ServerStatus(const ScriptedCommand& command);
  Bson BuildInfo(const ScriptedCommand& command);
  Bson Hello(const ScriptedCommand& command);
  Bson ListDatabases(const ScriptedCommand& command);
  Bson ListCollections(const ScriptedCommand& command);
  Bson ListIndexes(const ScriptedCommand& command);
  Bson CreateCommand(const ScriptedCommand& command);
  Bson DropCommand(const ScriptedCommand& command);
  Bson DropDatabase(const ScriptedCommand& command);
  Bson CollMod(const ScriptedCommand& command);
  Bson CreateIndexes(const ScriptedCommand& command);
  Bson InsertCommand(const ScriptedCommand& command);
  Bson UpdateCommand(const ScriptedCommand& command);
  Bson DeleteCommand(const ScriptedCommand& command);
  Bson FindCommand(const ScriptedCommand& command);
  Bson GetMore(const ScriptedCommand& command);
  Bson KillCursors(const ScriptedCommand& command);
  Bson Count(const ScriptedCommand& command);
  Bson Stats(const ScriptedCommand& command);
  Bson Rename(const ScriptedCommand& command);
  Bson ApplyOps(const ScriptedCommand& command);
  std::optional<Bson> ApplyWrite(std::string_view op, std::string_view entry);
  std::optional<Bson> ApplyCommand(std::string_view entry, uint64_t connection);
  bool Refuses(const ScriptedCommand& command) const;
  Bson ConnectionStatus(const ScriptedCommand& command);

  /// Appends an entry to the oplog, when there is one. `o2` empty: none.
  void LogWrite(std::string_view op, const std::string& ns, const Uuid& uuid, const Bson& what,
                const Bson& o2 = {});
  void LogCommand(const std::string& ns, const Uuid& uuid, const Bson& command) {
    LogWrite("c", ns.substr(0, ns.find('.')) + ".$cmd", uuid, command);
  }
  static Bson IsAViewForRead(const std::string& ns);
  Bson CursorReply(OpenCursor cursor, const ScriptedCommand& command);
  ModelCollection* FindLocked(const std::string& ns);
  ModelCollection& Make(const std::string& ns);
  /// The namespace that a command's first field names, by text or UUID; nothing: unknown UUID.
  std::optional<std::string> Namespace(const ScriptedCommand& command);
  /// Nothing, or why not.
  std::optional<Bson> Store(ModelCollection& collection, const std::string& ns,
                            std::string_view document, bool upsert, bool keeps_zero = false);
  bool MoveAside(const std::string& ns);
  void KillCursorsOf(const Uuid& uuid);

  const ModelOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, ModelCollection> collections_;  // guarded by mutex_
  std::map<int64_t, OpenCursor> cursors_;               // guarded by mutex_
  uint64_t next_ = 1;                                   // guarded by mutex_
  Timestamp last_write_{1'700'000'000, 0};              // guarded by mutex_
};

}  // namespace oxbackup::mongodb
