#include "mongodb/dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "archive/group_builder.h"
#include "base/text.h"
#include "mongodb/catalog.h"
#include "mongodb/collection_copier.h"
#include "mongodb/dump_path.h"
#include "mongodb/earlier_restores.h"
#include "mongodb/live_names.h"
#include "mongodb/oplog_slice.h"
#include "mongodb/read_moment.h"
#include "mongodb/read_plan.h"
#include "mongodb/user_dump.h"
#include "mongodb/write_lock.h"

namespace oxbackup::mongodb {
namespace {

class MongoBackupSource final : public BackupSource {
 public:
  MongoBackupSource(ConnectOptions connect, DumpOptions options, const RunContext& run)
      : connect_(std::move(connect)), options_(std::move(options)), run_(run) {}

  std::string_view name() const override { return "mongodb"; }
  void Prepare() override;
  void TakeSnapshot() override;
  bool moment_is_end_of_copy() const override { return replays() || locks_; }
  void Copy(ArchiveWriter& writer) override;
  void ReleaseMoment() override;
  ComponentManifest Finish() override;

 private:
  std::vector<CollectionInfo> ReadSite();
  void CheckRights();
  bool FindsByUuid();
  void WriteMetadata(ArchiveWriter& writer,
                     const std::function<bool(const CollectionInfo&)>& is_due) const;
  void HoldWriters(CollectionCopier& copier, ArchiveWriter& writer);
  std::vector<std::vector<CollectionInfo>> Stages() const;
  std::string Consistency() const;
  /// Whether a slice of the oplog makes the copy one of one moment.
  bool replays() const { return oplog_start_ && !moment_.at_cluster_time; }
  void LeaveTheInstant();
  void CopyOplogSlice(ArchiveWriter& writer);
  void NotePosition(const char* name);
  void WarnOfLateCollections() const;

  const ConnectOptions connect_;
  const DumpOptions options_;
  RunContext run_;
  std::unique_ptr<Session> session_;
  std::optional<HistoryWindow> window_;  // destroyed before the session
  bool locks_ = false;                   // writers are held for the moment
  std::optional<WriteLock> lock_;        // destroyed before the session; kept when released
  std::vector<std::string> databases_;
  std::vector<CollectionInfo> catalog_;
  ReadMoment moment_;
  TimePoint started_{};
  TimePoint finished_{};
  std::vector<ObjectEntry> objects_;
  std::set<std::string> kept_;  // by restore --keep-old, with full names
  std::set<std::string> left_out_;
  std::map<std::string, std::string> positions_;
  std::optional<OplogStart> oplog_start_;  // where a slice of the oplog would begin
  std::string why_no_oplog_;
  std::optional<OplogSlice> oplog_;
  std::vector<std::string> late_;  // read later than the common instant
};

void MongoBackupSource::Prepare() {
  session_ = std::make_unique<Session>(connect_, run_.stop);
  const ServerInfo& server = session_->server();
  run_.log.Info("MongoDB: {} {} at {}{}", server.flavour, server.version, ServerName(connect_),
                server.replica_set.empty() ? "" : ", replica set " + server.replica_set);
  databases_ = ReadDatabases(*session_, options_.databases);
  std::erase(databases_, options_.record_database);
  if (databases_.empty()) {
    run_.warnings.Add(
        fmt::format("MongoDB at {} holds no databases to back up: is it the right server?",
                    ServerName(connect_)));
  }
  kept_ = KeptCollections(*session_, options_.record_database);
  catalog_ = ReadSite();
  CheckRights();
}

// The catalog without what restores of ours left beside the live collections: copied, it would come
// back under names that the next restore takes for its own. What was kept on purpose is no news.
std::vector<CollectionInfo> MongoBackupSource::ReadSite() {
  std::vector<CollectionInfo> catalog = ReadCatalog(*session_, databases_);
  std::erase_if(catalog, [this](const CollectionInfo& collection) {
    if (!IsBeside(collection.name)) return false;
    if (!kept_.contains(collection.full_name())) left_out_.insert(collection.full_name());
    return true;
  });
  return catalog;
}

// Better now than after an hour of copying: one read in every database.
void MongoBackupSource::CheckRights() {
  std::string checked;
  for (const CollectionInfo& collection : catalog_) {
    if (collection.is_view() || collection.database == checked) continue;
    checked = collection.database;
    session_->Run(collection.database,
                  Bson()
                      .Add("find", collection.stored_name())
                      .Add("limit", int32_t{1})
                      .Add("singleBatch", true),
                  "cannot read the database " + collection.database);
  }
}

// The role backup may, plain read roles and servers other than MongoDB may not. One that was
// dropped meanwhile (26) is no answer to that, unless they all were.
bool MongoBackupSource::FindsByUuid() {
  bool dropped = false;
  for (const CollectionInfo& collection : catalog_) {
    if (!collection.uuid || collection.is_view()) continue;
    const Reply reply = session_->TryRun(
        collection.database,
        Bson().Add("find", *collection.uuid).Add("limit", int32_t{1}).Add("singleBatch", true));
    dropped = reply.failure && reply.failure->code == kNamespaceNotFound;
    if (!dropped) return reply.ok();
  }
  return dropped;
}

// The oplog is noted beside the instant: a copy that takes longer than the server keeps that is
// made one of one moment by a slice. What was created before the slice begins must be in the
// catalog, which FixMoment reads after it.
void MongoBackupSource::TakeSnapshot() {
  oplog_start_ = FindOplogStart(*session_, why_no_oplog_);
  moment_ = FixMoment(
      *session_, [this] { return ReadSite(); }, catalog_, run_);
  if (moment_.at_cluster_time) window_.emplace(*session_, run_);
  locks_ = options_.write_lock && !moment_.at_cluster_time && !oplog_start_;
  if (locks_) CheckWriteLock(*session_);
  started_ = run_.clock.Now();
  NotePosition("oplog_before");
  run_.progress.Note("MongoDB", Consistency());
  run_.log.Info("MongoDB: {}", Consistency());
}

std::string MongoBackupSource::Consistency() const {
  const ServerInfo& server = session_->server();
  if (moment_.at_cluster_time) {
    std::string text = fmt::format("one instant for all collections, by snapshot reads at {}",
                                   moment_.at_cluster_time->Text());
    if (!server.replica_set.empty()) text += " of the replica set " + server.replica_set;
    const bool capped = std::any_of(catalog_.begin(), catalog_.end(),
                                    [](const auto& collection) { return collection.is_capped(); });
    if (capped) text += "; capped collections as they were when they were read";
    if (!late_.empty()) text += fmt::format("; but read later: {}", fmt::join(late_, ", "));
    return text;
  }
  if (oplog_) {
    return fmt::format(
        "one moment for all collections, oplog replayed to {} by a restore; they were read one "
        "after "
        "the other from {} on, replica set {} ({})",
        oplog_->end.Text(), oplog_->start.begin.Text(), server.replica_set, moment_.why_not);
  }
  if (replays()) {
    return fmt::format(
        "one moment for all collections: the end of the copy, by the oplog of the replica set {} "
        "from {} on ({})",
        server.replica_set, oplog_start_->begin.Text(), moment_.why_not);
  }
  if (locks_) {
    const bool released = lock_ && lock_->held().count() > 0;
    return fmt::format(
        "one moment for all collections: writers held{} while everything that changes was read "
        "(fsyncLock; {})",
        released ? fmt::format(" for {} ms", lock_->held().count()) : "", moment_.why_not);
  }
  return fmt::format(
      "collections one after the other while the site may write, what refers to others first "
      "({}{})",
      moment_.why_not, why_no_oplog_.empty() ? "" : "; " + why_no_oplog_);
}

void MongoBackupSource::WriteMetadata(
    ArchiveWriter& writer, const std::function<bool(const CollectionInfo&)>& is_due) const {
  GroupBuilder groups(writer, run_);
  for (const CollectionInfo& collection : catalog_) {
    if (!is_due(collection)) continue;
    Member member;
    member.info.path = MemberPath(collection.database, collection.name, ".metadata.json");
    member.content = MetadataJson(collection);
    groups.Add(std::move(member));
  }
  groups.Flush();
}

// What is only ever added to is copied, up to a minute ago, before writers are held: then they wait
// for what changes and the last minute of the rest alone. The minute is for clocks that differ and
// for documents that were made a while before they were sent; the counts show what it did not
// cover.
void MongoBackupSource::HoldWriters(CollectionCopier& copier, ArchiveWriter& writer) {
  constexpr std::chrono::seconds kTail(60);
  const auto is_early = [](const CollectionInfo& collection) {
    return IsInsertOnly(collection.name) && !collection.is_view();
  };
  std::map<std::string, std::string> early;  // by full name, its metadata
  std::vector<CollectionInfo> collections;
  for (const CollectionInfo& collection : catalog_) {
    if (!is_early(collection)) continue;
    collections.push_back(collection);
    early.emplace(collection.full_name(), MetadataJson(collection));
  }
  WriteMetadata(writer, is_early);
  const auto border = std::chrono::duration_cast<std::chrono::seconds>(
      (run_.clock.Now() - kTail).time_since_epoch());
  copier.CopyOlder(collections, ObjectIdAt(static_cast<uint64_t>(border.count())));
  lock_.emplace(*session_, connect_, run_);
  catalog_ = ReadSite();
  std::map<std::string, std::string> now;
  for (const CollectionInfo& collection : catalog_) {
    if (early.contains(collection.full_name())) {
      now.emplace(collection.full_name(), MetadataJson(collection));
    }
  }
  if (now != early) {
    throw Error(ErrorKind::kSource,
                "a collection of MongoDB was dropped, replaced or altered while it was copied")
        .Hint("run the backup again; nothing of this run is kept");
  }
  WriteMetadata(writer, [&](const CollectionInfo& collection) {
    return !early.contains(collection.full_name());
  });
}

void MongoBackupSource::ReleaseMoment() {
  if (!lock_) return;
  lock_->Release();
  run_.progress.Note("MongoDB", Consistency());
  run_.log.Info("MongoDB: {}", Consistency());
}

std::vector<std::vector<CollectionInfo>> MongoBackupSource::Stages() const {
  std::map<int, std::vector<CollectionInfo>> stages;
  for (const CollectionInfo& collection : catalog_) {
    if (collection.is_view()) continue;
    const bool one_moment = moment_.at_cluster_time || replays() || locks_;
    stages[one_moment ? 0 : ReadStage(collection.name)].push_back(collection);
  }
  std::vector<std::vector<CollectionInfo>> ordered;
  for (auto& [stage, collections] : stages) ordered.push_back(std::move(collections));
  return ordered;
}

void MongoBackupSource::Copy(ArchiveWriter& writer) {
  uint64_t expected = 0;
  for (const CollectionInfo& collection : catalog_) expected += collection.bytes;
  run_.progress.Begin("mongodb", "dump", expected);
  if (!left_out_.empty()) {
    run_.warnings.Add(fmt::format(
        "MongoDB: not in the backup, since an earlier restore left it: {}; drop it, or finish or "
        "undo that restore",
        fmt::join(left_out_, ", ")));
  }
  CollectionCopier copier(CopierOptions{connect_, options_.readers, FindsByUuid(), locks_, moment_},
                          writer, run_);
  if (locks_) {
    HoldWriters(copier, writer);
  } else {
    // All of it before any data, so that a restore from a pipe knows every collection beforehand.
    WriteMetadata(writer, [](const CollectionInfo&) { return true; });
  }
  for (const std::vector<CollectionInfo>& stage : Stages()) {
    for (const auto& output : copier.Copy(stage)) {
      if (output->dropped()) continue;
      objects_.push_back(output->Entry());
      if (output->left_the_instant()) late_.push_back(output->collection().full_name());
    }
  }
  for (const CollectionInfo& collection : catalog_) {
    if (collection.is_view()) objects_.push_back(CollectionOutput(collection, false).Entry());
  }
  if (options_.users) {
    for (ObjectEntry& entry : DumpUsers(*session_, writer, run_)) {
      objects_.push_back(std::move(entry));
    }
  }
  if (!late_.empty() && oplog_start_) LeaveTheInstant();
  if (replays()) CopyOplogSlice(writer);
  // What is read one after the other can be of two times.
  if (!moment_.at_cluster_time && !replays() && !locks_) RefuseIfOvertaken(*session_, catalog_);
  finished_ = run_.clock.Now();
  NotePosition("oplog_after");
  WarnOfLateCollections();
  run_.progress.Done("mongodb");
}

// Whatever was read at it is as good as what was read later: the slice changes both alike.
void MongoBackupSource::LeaveTheInstant() {
  moment_.why_not = fmt::format("the server no longer had the instant {} for {}",
                                moment_.at_cluster_time->Text(), fmt::join(late_, ", "));
  moment_.at_cluster_time.reset();
  late_.clear();
  run_.log.Info("MongoDB: {}; the oplog makes it one moment", moment_.why_not);
}

// Digests describe the documents as they were read; what the oplog changes is marked, so that
// nobody compares it with a site.
void MongoBackupSource::CopyOplogSlice(ArchiveWriter& writer) {
  oplog_ = CopyOplog(*session_, *oplog_start_, databases_, writer, run_);
  positions_["oplog_start"] = oplog_->start.begin.Text();
  positions_["oplog_end"] = oplog_->end.Text();
  positions_["oplog_entries"] = std::to_string(oplog_->entries);
  if (!oplog_->touched.added.empty()) {
    positions_[kAddedByOplog] = fmt::format("{}", fmt::join(oplog_->touched.added, "\n"));
  }
  for (ObjectEntry& object : objects_) {
    const auto uuid = object.details.find("uuid");
    if (oplog_->touched.Has(object.database + "." + object.name,
                            uuid == object.details.end() ? "" : uuid->second)) {
      object.details[kStateDetail] = kBeforeOplog;
    }
  }
  if (!oplog_->touched.cannot_replay.empty()) {
    run_.warnings.Add(fmt::format(
        "MongoDB: during the copy the site did what a restore of this archive cannot do "
        "again, and refuses: {}. Back up again, or restore it without that collection "
        "(--nsExclude in MONGORESTORE_ADDITIONAL_OPTIONS)",
        fmt::join(oplog_->touched.cannot_replay, ", ")));
  }
  run_.progress.Note("MongoDB", Consistency());
  run_.log.Info("MongoDB: {}", Consistency());
}

void MongoBackupSource::NotePosition(const char* name) {
  // A slice of the oplog says where it begins and ends by itself.
  if (session_->server().topology != Topology::kReplicaSet || replays()) return;
  if (const auto position = LastWrite(*session_)) positions_[name] = position->Text();
}

void MongoBackupSource::WarnOfLateCollections() const {
  if (late_.empty()) return;
  run_.warnings.Add(
      fmt::format("MongoDB: the server no longer had the common instant for {}, read later than "
                  "the rest; raise "
                  "its minSnapshotHistoryWindowInSeconds above the backup's duration",
                  fmt::join(late_, ", ")));
}

ComponentManifest MongoBackupSource::Finish() {
  window_.reset();
  ReleaseMoment();
  ComponentManifest manifest;
  manifest.positions = positions_;
  manifest.name = "mongodb";
  manifest.server_flavour = session_->server().flavour;
  manifest.server_version = session_->server().version;
  manifest.consistency = Consistency();
  if (moment_.at_cluster_time) {
    manifest.positions["at_cluster_time"] = moment_.at_cluster_time->Text();
    manifest.moment = TimePoint(std::chrono::seconds(moment_.at_cluster_time->seconds));
  } else if (oplog_) {
    manifest.moment = oplog_->moment;
  } else if (lock_) {
    manifest.moment = lock_->since();
  } else {
    manifest.moment = started_;
  }
  manifest.positions["read_from"] = FormatRfc3339(started_);
  manifest.positions["read_to"] = FormatRfc3339(finished_);
  std::sort(objects_.begin(), objects_.end(), [](const ObjectEntry& a, const ObjectEntry& b) {
    return std::tie(a.database, a.name) < std::tie(b.database, b.name);
  });
  manifest.objects = std::move(objects_);
  lock_.reset();
  session_.reset();
  return manifest;
}

}  // namespace

std::unique_ptr<BackupSource> MakeBackupSource(ConnectOptions connect, DumpOptions options,
                                               const RunContext& run) {
  return std::make_unique<MongoBackupSource>(std::move(connect), std::move(options), run);
}

}  // namespace oxbackup::mongodb
