// Loads the collections of an archive into temporary ones beside the live ones.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "archive/archive_reader.h"
#include "base/run_context.h"
#include "mongodb/collection_metadata.h"
#include "mongodb/dump_path.h"
#include "mongodb/insert_batch.h"
#include "mongodb/oplog_store.h"
#include "mongodb/restore_options.h"
#include "mongodb/session_pool.h"

namespace oxbackup::mongodb {

/// A collection or view on its way from the archive to its live name.
struct RestoredCollection {
  std::string source_database;
  std::string source_name;  ///< as the manifest has it
  std::string database;
  std::string name;
  std::string temp_name;  ///< where it is loaded; unused for views
  CollectionMetadata metadata;
  bool created = false;
  bool left_out = false;  ///< a view for a server without views

  mutable std::mutex mutex;
  DocumentDigests digests;  ///< guarded by mutex

  std::string ns() const { return database + "." + name; }
};

/// A collection's metadata are not larger, bytes.
inline constexpr uint64_t kMaxMetadataBytes = uint64_t{64} << 20;

/// Whether a member has users or roles of the server.
bool HoldsAccounts(const DumpMember& member);
/// Whether a restore takes a member of a dump.
bool IsWanted(const DumpMember& member, const RestoreOptions& options,
              const NamespaceFilter& filter);
/// Throws Error(kUsage) when the server cannot have the collection or one of its indexes; false for
/// a view that is left out, since the server has none. `ns`: where it is to be.
bool CheckLoadable(const CollectionMetadata& metadata, const std::string& ns,
                   const RestoreOptions& options, const ServerInfo& server);

/// Accounts of the archive, raw documents of admin.system.users and admin.system.roles.
struct ArchivedAccounts {
  std::vector<std::string> users;
  std::vector<std::string> roles;
};

/// Loads once. Used by one thread; it has threads of its own inside Load. After an error the
/// temporary collections are left for Drop.
class Loader {
 public:
  /// All must outlive the loader.
  Loader(SessionPool& pool, const RestoreOptions& options, const RunContext& run);

  /// Removes what earlier, broken loads left in the databases that it comes to, loads documents and
  /// builds indexes (all but those that let the server delete documents by their age:
  /// BuildTtlIndexes). With an oplog in the archive, ReplayOplog builds them. Throws Error (kUsage
  /// for what the server cannot have, before anything of it is loaded where the archive can be read
  /// in any order; kSource; kCorrupt).
  void Load(ArchiveReader& reader, uint64_t expected_bytes);
  /// Brings the collections to the moment of the archive's oplog, if it has one, and builds their
  /// indexes: before, the collections are of different moments, which unique indexes may not bear.
  /// REQUIRES: Load has returned; what it loaded is verified, since it changes here. Throws Error
  /// (kCorrupt naming the entry that cannot be replayed exactly, kSource).
  void ReplayOplog();
  /// Indexes with expireAfterSeconds. To be built when everything has been compared, since the
  /// server may begin to delete at once.
  void BuildTtlIndexes();
  /// Drops all temporary collections.
  void Drop(Session& session);

  /// Sorted by database and name. REQUIRES: Load has returned.
  const std::vector<std::unique_ptr<RestoredCollection>>& collections() const {
    return collections_;
  }
  const ArchivedAccounts& accounts() const { return accounts_; }

 private:
  struct Work {
    RestoredCollection* collection = nullptr;
    InsertBatch batch;
  };
  using BatchSink = std::function<void(RestoredCollection& collection, InsertBatch& batch)>;

  bool Wanted(const DumpMember& member) { return IsWanted(member, options_, filter_); }
  RestoredCollection& Collection(const DumpMember& member);
  void PrepareDatabase(Session& session, const std::string& database);
  void ReadInAnyOrder(ArchiveReader& reader);
  void ReadInOrder(ArchiveReader& reader);
  void TakeMetadata(const DumpMember& member, const MemberInfo& info, ByteSource& content);
  void TakeDocuments(const DumpMember& member, const MemberInfo& info, ByteSource& content,
                     const BatchSink& sink);
  void TakeOplog(const DumpMember& member, ByteSource& content);
  void TakeAccounts(const DumpMember& member, const MemberInfo& info, ByteSource& content);
  void Create(RestoredCollection& collection);
  /// Loads again, with the options that became known after the documents.
  void Recreate(RestoredCollection& collection);
  void Send(RestoredCollection& collection, InsertBatch& batch);
  void BuildIndexes(bool ttl, const std::stop_token& stop);
  void FinishCollections();
  void SortCollections();
  void WarnOfDroppedOptions();
  void WarnOfChangedIndexes(const RestoredCollection& collection, const ServerInfo& server);

  SessionPool& pool_;
  const RestoreOptions& options_;
  const RunContext run_;
  const NamespaceFilter filter_;
  const Bson write_concern_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<RestoredCollection>> collections_;  // guarded by mutex_ in Load
  std::map<std::pair<std::string, std::string>, RestoredCollection*> by_file_;  // guarded by mutex_
  std::set<std::string> prepared_;                                              // guarded by mutex_
  ArchivedAccounts accounts_;  // guarded by mutex_ in Load
  OplogStore oplog_;
};

}  // namespace oxbackup::mongodb
