#include "mongodb/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/bounded_queue.h"
#include "base/task_group.h"
#include "mongodb/bson_stream.h"
#include "mongodb/catalog.h"
#include "mongodb/live_names.h"
#include "mongodb/oplog_restore.h"

namespace oxbackup::mongodb {
namespace {

constexpr uint64_t kQueueBytes = uint64_t{8} << 20;

}  // namespace

bool HoldsAccounts(const DumpMember& member) {
  const bool of_admin = member.database == "admin" && (member.collection == "system.users" ||
                                                       member.collection == "system.roles");
  return of_admin || member.collection == "$admin.system.users" ||
         member.collection == "$admin.system.roles";
}

bool IsWanted(const DumpMember& member, const RestoreOptions& options,
              const NamespaceFilter& filter) {
  if (member.kind == DumpMemberKind::kOplog) return true;
  if (HoldsAccounts(member)) {
    // They are the whole server's: not wanted by who restores some collections of it.
    return member.kind == DumpMemberKind::kData && options.ns_rename.empty() &&
           filter.Includes("admin", member.collection);
  }
  if (member.database == "admin" || member.database == "local" || member.database == "config" ||
      member.database == options.record_database || IsServersOwn(member.collection)) {
    return false;
  }
  return filter.Includes(member.database, member.collection);
}

bool CheckLoadable(const CollectionMetadata& metadata, const std::string& ns,
                   const RestoreOptions& options, const ServerInfo& server) {
  if (metadata.view() && server.flavour == "FerretDB") return false;
  CheckServerTakes(metadata, ns, server);
  if (!options.no_index_restore) static_cast<void>(CreateIndexSpecs(metadata, ns, server));
  return true;
}

Loader::Loader(SessionPool& pool, const RestoreOptions& options, const RunContext& run)
    : pool_(pool),
      options_(options),
      run_(run),
      filter_(options),
      write_concern_(ParseWriteConcern(options.write_concern)),
      oplog_(pool, options.record_database) {}

void Loader::Load(ArchiveReader& reader, uint64_t expected_bytes) {
  run_.progress.Begin("mongodb", "load", expected_bytes);
  const auto threads = static_cast<uint64_t>(std::max(1, options_.workers));
  // Standing: a reader may hold memory of its own while it waits for us to take a member.
  const Reservation memory = run_.budget.TakeStanding(std::min(
      threads * kInsertWorkerBytes, std::max(kInsertWorkerBytes, run_.budget.limit() / 3)));
  if (reader.random_access()) {
    ReadInAnyOrder(reader);
  } else {
    ReadInOrder(reader);
  }
  std::erase_if(collections_, [](const auto& collection) { return collection->left_out; });
  SortCollections();
  if (oplog_.empty()) FinishCollections();
}

void Loader::FinishCollections() {
  run_.progress.Begin("mongodb", "index", 0);
  BuildIndexes(/*ttl=*/false, run_.stop);
  WarnOfDroppedOptions();
}

void Loader::ReplayOplog() {
  if (oplog_.empty()) return;
  run_.progress.Begin("mongodb", "oplog", 0);
  const OplogOutcome outcome =
      ReplayOplogOnto(collections_, oplog_, pool_, options_, filter_, run_);
  {
    const SessionPool::Lease session = pool_.Take();
    oplog_.Drop(*session);
  }
  run_.progress.Note("MongoDB oplog", outcome.Text());
  run_.log.Info("MongoDB: {}", outcome.Text());
  SortCollections();
  FinishCollections();
}

void Loader::SortCollections() {
  std::sort(collections_.begin(), collections_.end(), [](const auto& left, const auto& right) {
    return std::tie(left->database, left->name) < std::tie(right->database, right->name);
  });
}

void Loader::ReadInAnyOrder(ArchiveReader& reader) {
  const auto of_kind = [this](DumpMemberKind kind) {
    return [this, kind](const std::string& path) {
      const auto member = ParseDumpPath(path);
      return member && Wanted(*member) && member->kind == kind;
    };
  };
  // Everything that the server cannot have is found before the first document is loaded.
  reader.Read(
      of_kind(DumpMemberKind::kMetadata),
      [this](const MemberInfo& info, ByteSource& content) {
        if (info.type == MemberType::kFile) {
          TakeMetadata(*ParseDumpPath(info.path), info, content);
        }
      },
      1, run_);
  for (const auto& collection : collections_) Create(*collection);
  const auto data = [this, wanted = of_kind(DumpMemberKind::kData)](bool in_order) {
    return [this, wanted, in_order](const std::string& path) {
      if (!wanted(path)) return false;
      const auto member = ParseDumpPath(path);
      if (HoldsAccounts(*member)) return !in_order;
      const std::lock_guard lock(mutex_);
      const auto known = by_file_.find({member->database, member->collection});
      return (known != by_file_.end() && known->second->metadata.capped()) == in_order;
    };
  };
  const BatchSink sink = [this](RestoredCollection& collection, InsertBatch& batch) {
    Send(collection, batch);
  };
  const MemberConsumer consumer = [&](const MemberInfo& info, ByteSource& content) {
    if (info.type != MemberType::kFile) return;
    TakeDocuments(*ParseDumpPath(info.path), info, content, sink);
  };
  reader.Read(data(false), consumer, options_.workers, run_);
  // A capped collection keeps the order of its documents: one writer.
  reader.Read(data(true), consumer, 1, run_);
  reader.Read(
      of_kind(DumpMemberKind::kOplog),
      [this](const MemberInfo& info, ByteSource& content) {
        if (info.type == MemberType::kFile) TakeOplog(*ParseDumpPath(info.path), content);
      },
      1, run_);
}

// One thread reads and decompresses, another sends: the order stays, and both are busy.
void Loader::ReadInOrder(ArchiveReader& reader) {
  BoundedQueue<Work> queue(kQueueBytes);
  TaskGroup group(run_.stop);
  group.Run([&](const std::stop_token& stop) {
    while (auto work = queue.Pop(stop)) Send(*work->collection, work->batch);
  });
  const RunContext run = run_.WithStop(group.stop_token());
  const BatchSink sink = [&](RestoredCollection& collection, InsertBatch& batch) {
    const uint64_t cost = batch.array.size();
    queue.Push(Work{&collection, std::exchange(batch, {})}, cost, run.stop);
  };
  const auto read = [&] {
    reader.Read(
        [this](const std::string& path) {
          const auto member = ParseDumpPath(path);
          return member && Wanted(*member);
        },
        [&](const MemberInfo& info, ByteSource& content) {
          if (info.type != MemberType::kFile) return;
          const DumpMember member = *ParseDumpPath(info.path);
          if (member.kind == DumpMemberKind::kMetadata) {
            TakeMetadata(member, info, content);
          } else if (member.kind == DumpMemberKind::kOplog) {
            TakeOplog(member, content);
          } else {
            TakeDocuments(member, info, content, sink);
          }
        },
        1, run);
    queue.Close();
  };
  try {
    read();
  } catch (...) {
    // When the sender failed, its error is the cause and reading only noticed the stop.
    group.RequestStop();
    group.Wait();
    throw;
  }
  group.Wait();
  for (const auto& collection : collections_) {
    const bool has_options = !KeptOptions(collection->metadata).empty();
    if (!collection->created || collection->metadata.view()) {
      Create(*collection);
    } else if (has_options) {
      Recreate(*collection);
    }
  }
}

RestoredCollection& Loader::Collection(const DumpMember& member) {
  const std::lock_guard lock(mutex_);
  const auto key = std::make_pair(member.database, member.collection);
  const auto found = by_file_.find(key);
  if (found != by_file_.end()) return *found->second;
  auto collection = std::make_unique<RestoredCollection>();
  collection->source_database = member.database;
  collection->source_name = member.collection;
  std::tie(collection->database, collection->name) =
      filter_.Target(member.database, member.collection);
  by_file_[key] = collection.get();
  collections_.push_back(std::move(collection));
  return *collections_.back();
}

void Loader::PrepareDatabase(Session& session, const std::string& database) {
  const std::lock_guard lock(mutex_);
  if (!prepared_.insert(database).second) return;
  DropLoaded(session, database);
}

void Loader::TakeMetadata(const DumpMember& member, const MemberInfo& info, ByteSource& content) {
  RestoredCollection& collection = Collection(member);
  CollectionMetadata metadata = ParseMetadata(ReadAll(content, kMaxMetadataBytes), info.path);
  {
    // Its documents may be on their way already, when they came first.
    const std::lock_guard lock(collection.mutex);
    collection.metadata = std::move(metadata);
    if (!collection.metadata.collection.empty()) {
      collection.source_name = collection.metadata.collection;
      std::tie(collection.database, collection.name) =
          filter_.Target(member.database, collection.source_name);
    }
  }
  const SessionPool::Lease session = pool_.Take();
  if (CheckLoadable(collection.metadata, collection.ns(), options_, session->server())) return;
  run_.warnings.Add(
      fmt::format("{} is a view and was left out: FerretDB has none", collection.ns()));
  collection.left_out = true;
}

void Loader::TakeOplog(const DumpMember& member, ByteSource& content) {
  oplog_.Add(member.part, content);
}

void Loader::TakeAccounts(const DumpMember& member, const MemberInfo& info, ByteSource& content) {
  BsonStream documents(content, info.path);
  const std::lock_guard lock(mutex_);
  auto& accounts = member.collection.ends_with("users") ? accounts_.users : accounts_.roles;
  while (const auto document = documents.Next()) accounts.emplace_back(*document);
}

void Loader::TakeDocuments(const DumpMember& member, const MemberInfo& info, ByteSource& content,
                           const BatchSink& sink) {
  if (HoldsAccounts(member)) {
    TakeAccounts(member, info, content);
    return;
  }
  RestoredCollection& collection = Collection(member);
  std::optional<ServerInfo> server;
  {
    const SessionPool::Lease session = pool_.Take();
    server = session->server();
  }
  Create(collection);
  InsertBatch batch;
  DocumentDigests digests;
  uint64_t bytes = 0;
  const auto send = [&] {
    const uint64_t count = batch.count;
    sink(collection, batch);
    run_.progress.Add("mongodb", std::exchange(bytes, 0), count, collection.ns());
    run_.ThrowIfStopped();
  };
  WithContext([&] { return "loading " + info.path; },
              [&] {
                BsonStream documents(content, info.path);
                while (const auto document = documents.Next()) {
                  if (!batch.Fits(document->size())) send();
                  AddDocument(batch, digests, *document, collection.ns(), *server);
                  bytes += document->size();
                }
                if (!batch.empty()) send();
              });
  const std::lock_guard lock(collection.mutex);
  collection.digests.Merge(digests);
}

void Loader::Create(RestoredCollection& collection) {
  const std::lock_guard lock(collection.mutex);
  if (collection.created) return;
  const SessionPool::Lease session = pool_.Take();
  PrepareDatabase(*session, collection.database);
  collection.temp_name =
      NameBeside(session->server(), collection.database, collection.name, kRestoreSuffix);
  collection.created = true;
  if (collection.metadata.view()) return;
  Bson command = Bson().Add("create", collection.temp_name);
  command.Append(CreateOptions(collection.metadata, session->server()).bytes());
  session->Run(collection.database, command,
               fmt::format("MongoDB does not create a collection like {}", collection.ns()));
}

void Loader::Recreate(RestoredCollection& collection) {
  const SessionPool::Lease reader = pool_.Take();
  const SessionPool::Lease writer = pool_.Take();
  const std::string& database = collection.database;
  const std::string loose =
      NameBeside(reader->server(), database, collection.name + "__loose", kRestoreSuffix);
  const auto ns = [&](const std::string& name) { return database + "." + name; };
  reader->Run("admin",
              Bson().Add("renameCollection", ns(collection.temp_name)).Add("to", ns(loose)),
              "MongoDB does not rename " + ns(collection.temp_name));
  collection.created = false;
  Create(collection);
  const InsertTarget target{database, collection.temp_name, collection.ns(),
                            collection.metadata.capped(), write_concern_};
  InsertBatch batch;
  DocumentDigests unused;
  // In the order of insertion, which capped collections keep.
  Cursor documents(*reader, database,
                   Bson().Add("find", loose).Add("hint", Bson().Add("$natural", int32_t{1})));
  while (documents.NextOrThrow("MongoDB does not read back " + ns(loose))) {
    const std::string_view document = documents.document();
    if (!batch.Fits(document.size())) SendBatch(*writer, target, batch);
    AddDocument(batch, unused, document, collection.ns(), writer->server());
  }
  SendBatch(*writer, target, batch);
  DropCollection(*writer, database, loose);
}

void Loader::Send(RestoredCollection& collection, InsertBatch& batch) {
  InsertTarget target;
  {
    const std::lock_guard lock(collection.mutex);
    target = {collection.database, collection.temp_name, collection.ns(),
              collection.metadata.capped(), write_concern_};
  }
  const SessionPool::Lease session = pool_.Take();
  SendBatch(*session, target, batch);
}

void Loader::Drop(Session& session) {
  oplog_.Drop(session);
  std::set<std::string> databases(prepared_);
  // The oplog may have brought further ones.
  for (const auto& collection : collections_) databases.insert(collection->database);
  for (const std::string& database : databases) DropLoaded(session, database);
}

}  // namespace oxbackup::mongodb
