#include "mongodb/restore_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "mongodb/accounts_restore.h"
#include "mongodb/applied_record.h"
#include "mongodb/live_names.h"
#include "mongodb/live_removal.h"
#include "mongodb/load.h"
#include "mongodb/restore_plan.h"
#include "mongodb/swap.h"
#include "mongodb/verify.h"
#include "mongodb/write_lock.h"

namespace oxbackup::mongodb {
namespace {

void RefuseClosing(const SwapRecord& record) {
  if (record.state != SwapState::kClosing) return;
  throw Error(ErrorKind::kNotFound,
              "the restore had succeeded and its old data in MongoDB are being removed")
      .Hint("run any other command: it finishes removing them; then restore an older archive");
}

class MongodbTarget final : public RestoreTarget {
 public:
  MongodbTarget(ConnectOptions connect, RestoreOptions options, const RunContext& run)
      : connect_(std::move(connect)), options_(std::move(options)), run_(run), filter_(options_) {}

  std::string_view name() const override { return "mongodb"; }

  std::optional<OpenSwap> FindOpenSwap() override;
  // Nothing keeps two runs apart here.
  std::optional<OpenSwap> PeekOpenSwap() override { return FindOpenSwap(); }
  std::optional<SwapIntent> FindKeptSwap() override;
  void PrepareUndo(const SwapIntent& intent, bool begun) override;
  void DropKept() override { ForgetDoneSwaps(); }
  void CompleteSwap() override;
  void UndoSwap(const std::string& run_id) override;
  std::optional<AppliedArchive> Applied() override;
  RestorePlan Plan(const Manifest* manifest, RestoreRoom room) override;
  void PrepareRemoval(ArchiveReader& reader) override;
  void RemoveLive(const AppliedArchive& awaited) override;
  std::optional<AppliedArchive> Awaited() override;
  void ForgetAwaited() override;
  void Load(ArchiveReader& reader) override;
  void Verify(const ComponentManifest* expected) override;
  void WriteIntent(const SwapIntent& intent) override;
  void Swap() override;
  void CloseSwap(bool keep_old) override;
  void Abandon() override;
  int64_t swap_ms() const override { return swap_ms_; }

 private:
  /// A connection that a stop request does not end: what it does leaves the site whole.
  Session& Control() {
    if (!control_) control_ = std::make_unique<Session>(connect_, std::stop_token());
    return *control_;
  }
  Swapper MakeSwapper() { return Swapper(Control(), options_.before_step); }
  void Step(std::string_view what) const {
    if (options_.before_step) options_.before_step(what);
  }
  [[nodiscard]] std::optional<SwapRecord> FindRecord(bool also_done);
  [[nodiscard]] std::optional<SwapRecord> FindRecordOf(const std::string& run_id);
  void MarkUndoing(SwapRecord& record);
  void ForgetDoneSwaps();
  void NoteApplied(std::string_view step, const std::optional<Bson>& applied);
  void TellOutcome(const SwapOutcome& outcome);

  const ConnectOptions connect_;
  const RestoreOptions options_;
  const RunContext run_;
  const NamespaceFilter filter_;
  std::unique_ptr<Session> control_;
  std::optional<LiveRemoval> removal_;  // uses control_
  std::unique_ptr<SessionPool> pool_;
  std::unique_ptr<Loader> loader_;
  uint64_t expected_bytes_ = 0;
  std::optional<SwapRecord> record_;
  int64_t swap_ms_ = 0;
};

std::optional<SwapRecord> MongodbTarget::FindRecord(bool also_done) {
  std::optional<SwapRecord> last_done;
  for (SwapRecord& record : ReadSwapRecords(Control(), options_.record_database)) {
    if (record.state != SwapState::kDone) return std::move(record);
    last_done = std::move(record);
  }
  return also_done ? std::move(last_done) : std::nullopt;
}

std::optional<SwapRecord> MongodbTarget::FindRecordOf(const std::string& run_id) {
  for (SwapRecord& record : ReadSwapRecords(Control(), options_.record_database)) {
    if (record.intent.run_id == run_id) return std::move(record);
  }
  return std::nullopt;
}

std::optional<OpenSwap> MongodbTarget::FindOpenSwap() {
  const std::optional<SwapRecord> record = FindRecord(/*also_done=*/false);
  if (!record) return std::nullopt;
  switch (record->state) {
    case SwapState::kUndoing:
      return OpenSwap{record->intent, "being undone", OpenSwap::Stage::kUndoing};
    case SwapState::kClosing:
      return OpenSwap{record->intent, "swapped; the old data are being removed",
                      OpenSwap::Stage::kClosing};
    default:
      return OpenSwap{
          record->intent,
          fmt::format("{} of {} swapped", MakeSwapper().CountDone(*record),
                      FormatCounted(record->moves.size(), "collection", "collections"))};
  }
}

std::optional<SwapIntent> MongodbTarget::FindKeptSwap() {
  const std::optional<SwapRecord> record = FindRecord(/*also_done=*/true);
  if (!record || record->state != SwapState::kDone) return std::nullopt;
  return record->intent;
}

// Of a finished swap all is in, so what has the names of loaded collections is from a later restore
// that died while it loaded: in the place where the moves back put what is live now.
void MongodbTarget::MarkUndoing(SwapRecord& record) {
  if (record.state == SwapState::kDone) {
    std::set<std::string> databases;
    for (const SwapMove& move : record.moves) databases.insert(move.database);
    for (const SwapCopy& copy : record.copies) databases.insert(copy.database);
    for (const std::string& database : databases) {
      Step("drop what was loaded into " + database);
      DropLoaded(Control(), database);
    }
  }
  record.state = SwapState::kUndoing;
  Step("mark the swap as being undone");
  WriteSwapRecord(Control(), options_.record_database, record);
}

void MongodbTarget::PrepareUndo(const SwapIntent& intent, bool begun) {
  std::optional<SwapRecord> record = FindRecordOf(intent.run_id);
  if (!record) return;
  RefuseClosing(*record);
  const SwapState state = begun ? SwapState::kUndoing : SwapState::kDone;
  if (record->state == state && record->intent == intent) return;
  record->intent = intent;
  if (begun) {
    MarkUndoing(*record);
    return;
  }
  record->state = state;
  WriteSwapRecord(Control(), options_.record_database, *record);
}

void MongodbTarget::CompleteSwap() {
  const std::optional<SwapRecord> record = FindRecord(/*also_done=*/false);
  if (!record || record->state == SwapState::kClosing) return;
  if (record->state == SwapState::kUndoing) {
    UndoSwap(record->intent.run_id);
    return;
  }
  TellOutcome(MakeSwapper().Carry(*record, SwapDirection::kForward));
}

void MongodbTarget::UndoSwap(const std::string& run_id) {
  std::optional<SwapRecord> record =
      run_id.empty() ? FindRecord(/*also_done=*/true) : FindRecordOf(run_id);
  if (!record) {
    if (!run_id.empty()) return;
    throw Error(ErrorKind::kNotFound, "MongoDB has no replaced data to go back to")
        .Hint("old data are kept by restore --keep-old, until the next restore");
  }
  RefuseClosing(*record);
  Swapper swapper = MakeSwapper();
  if (record->state != SwapState::kUndoing) MarkUndoing(*record);
  TellOutcome(swapper.Carry(*record, SwapDirection::kBackward));
  // Until the record is closed this is not looked at, whatever it holds.
  NoteApplied("note what is live again", record->old_applied);
  swapper.DropRestored(*record);
  Step("remove the record");
  RemoveSwapRecord(Control(), options_.record_database, *record);
  record_.reset();
}

void MongodbTarget::NoteApplied(std::string_view step, const std::optional<Bson>& applied) {
  Step(step);
  WriteApplied(Control(), options_.record_database, applied);
}

std::optional<AppliedArchive> MongodbTarget::Applied() {
  const std::optional<SwapRecord> record = FindRecord(/*also_done=*/false);
  if (record && record->state != SwapState::kClosing) return std::nullopt;
  const std::optional<Bson> applied = ReadApplied(Control(), options_.record_database);
  return applied ? StillApplied(Control(), *applied, ScopeOf(options_)) : std::nullopt;
}

RestorePlan MongodbTarget::Plan(const Manifest* manifest, RestoreRoom room) {
  RefuseLockedServer(Control());
  const ComponentManifest* const component =
      manifest == nullptr ? nullptr : manifest->Find("mongodb");
  if (component != nullptr) {
    for (const ObjectEntry& object : component->objects) expected_bytes_ += object.raw_bytes;
  }
  return MakeRestorePlan(Control(), component, options_, filter_, room);
}

void MongodbTarget::PrepareRemoval(ArchiveReader& reader) {
  removal_.emplace(Control(), options_, run_);
  removal_->Prepare(reader);
}

void MongodbTarget::RemoveLive(const AppliedArchive& awaited) {
  run_.progress.Begin(name(), "remove", 0);
  NoteApplied("note that what is live goes", RemovalNote(awaited));
  removal_->Remove();
}

std::optional<AppliedArchive> MongodbTarget::Awaited() {
  const std::optional<Bson> note = ReadApplied(Control(), options_.record_database);
  return note ? ParseRemoval(TextOf(note->bytes(), kRemovalField)) : std::nullopt;
}

void MongodbTarget::ForgetAwaited() {
  if (Awaited()) NoteApplied("forget the data that were awaited", std::nullopt);
}

void MongodbTarget::Load(ArchiveReader& reader) {
  pool_ = std::make_unique<SessionPool>(connect_, run_.stop);
  loader_ = std::make_unique<Loader>(*pool_, options_, run_);
  loader_->Load(reader, expected_bytes_);
}

void MongodbTarget::Verify(const ComponentManifest* expected) {
  std::vector<const RestoredCollection*> collections;
  std::vector<CollectionName> names;
  uint64_t moved_ids = 0;
  for (const auto& collection : loader_->collections()) {
    if (collection->metadata.view()) continue;
    collections.push_back(collection.get());
    names.emplace_back(collection->database, collection->temp_name);
    moved_ids += collection->digests.moved_ids;
  }
  if (expected != nullptr) CheckAgainstManifest(loader_->collections(), *expected, filter_);
  run_.progress.Begin(name(), "verify", expected_bytes_);
  const auto digests = DigestCollections(*pool_, names, options_.workers, run_);
  for (size_t at = 0; at < names.size(); ++at) {
    const ContentDigest& loaded = collections[at]->digests.expected;
    if (digests[at] == loaded) continue;
    throw Error(ErrorKind::kCorrupt,
                fmt::format("{} on the server is not what was loaded", collections[at]->ns()))
        .Cause(fmt::format("{} instead of {}",
                           DescribeDigest(digests[at].count(), digests[at].Hex()),
                           DescribeDigest(loaded.count(), loaded.Hex())))
        .Hint("see whether something else writes to the server, and its log");
  }
  if (moved_ids > 0) {
    run_.warnings.Add(
        fmt::format("{} did not begin with _id; MongoDB put it first, all else is as it was",
                    FormatCounted(moved_ids, "document", "documents")));
  }
  loader_->ReplayOplog();
}

void MongodbTarget::ForgetDoneSwaps() {
  for (SwapRecord& record : ReadSwapRecords(Control(), options_.record_database)) {
    if (record.state != SwapState::kDone) {
      throw Error(ErrorKind::kUsage, "an earlier restore has not ended its swap")
          .Hint(
              "a backup or a restore with the settings of that one finishes it, restore --undo "
              "takes it back");
    }
    record.state = SwapState::kClosing;
    WriteSwapRecord(Control(), options_.record_database, record);
    MakeSwapper().DropOld(record);
    RemoveSwapRecord(Control(), options_.record_database, record);
  }
}

void MongodbTarget::WriteIntent(const SwapIntent& intent) {
  ForgetDoneSwaps();
  loader_->BuildTtlIndexes();
  SwapRecord record = PlanMoves(Control(), loader_->collections(), options_);
  record.intent = intent;
  record.scope = ScopeOf(options_);
  record.old_applied = ReadApplied(Control(), options_.record_database);
  Swapper swapper = MakeSwapper();
  for (const SwapCopy& copy : record.copies) swapper.KeepCopy(copy);
  swapper.CheckUntouched(record);
  Step("write the record");
  WriteSwapRecord(Control(), options_.record_database, record);
  record_ = std::move(record);
}

void MongodbTarget::TellOutcome(const SwapOutcome& outcome) {
  swap_ms_ += outcome.milliseconds;
  if (!outcome.one_step) {
    const std::string how = fmt::format(
        "collections were renamed one by one within {}, since the server refuses to do it in one "
        "step ({}); readers may have seen old and new side by side",
        FormatDuration(std::chrono::milliseconds(outcome.milliseconds)), outcome.why_not);
    run_.progress.Note("MongoDB swap", how);
    // Where the server has no such step there is nothing that anybody could do.
    if (outcome.lacks_right) {
      run_.warnings.Add("MongoDB: " + how +
                        ". A role with anyAction on anyResource makes it one step");
    }
  }
  for (const std::string& stray : outcome.strays) {
    run_.warnings.Add(fmt::format(
        "{} holds what the site wrote in the way of the swap; look at it, then drop it", stray));
  }
}

void MongodbTarget::Swap() {
  run_.progress.Begin(name(), "swap", 0);
  Swapper swapper = MakeSwapper();
  swapper.CheckUntouched(*record_);
  TellOutcome(swapper.Carry(*record_, SwapDirection::kForward));
  if (loader_) RestoreAccounts(Control(), loader_->accounts(), run_);
}

void MongodbTarget::CloseSwap(bool keep_old) {
  std::optional<SwapRecord> record = FindRecord(/*also_done=*/false);
  if (!record) return;
  Swapper swapper = MakeSwapper();
  if (record->state == SwapState::kUndoing || !swapper.AllIn(*record)) {
    throw Error(ErrorKind::kInternal, "a swap is to be closed that is not done");
  }
  const bool keep = keep_old && record->state == SwapState::kOpen;
  // Before the state: until that is written, what is noted does not count.
  if (record->state == SwapState::kOpen) NoteApplied("note what is live now", AppliedBy(*record));
  record->state = keep ? SwapState::kDone : SwapState::kClosing;
  const SwapRecord loaded = *record;
  if (keep) record->ForgetLoadedCopies();
  Step("close the record");
  WriteSwapRecord(Control(), options_.record_database, *record);
  if (keep) {
    swapper.DropLoadedCopies(loaded);
  } else {
    swapper.DropOld(*record);
    Step("remove the record");
    RemoveSwapRecord(Control(), options_.record_database, *record);
  }
  record_.reset();
  run_.progress.Done(name());
}

void MongodbTarget::Abandon() {
  if (record_) {
    RemoveSwapRecord(Control(), options_.record_database, *record_);
    record_.reset();
  }
  if (loader_) loader_->Drop(Control());
  loader_.reset();
}

}  // namespace

std::unique_ptr<RestoreTarget> MakeRestoreTarget(const ConnectOptions& connect,
                                                 const RestoreOptions& options,
                                                 const RunContext& run) {
  return std::make_unique<MongodbTarget>(connect, options, run);
}

}  // namespace oxbackup::mongodb
