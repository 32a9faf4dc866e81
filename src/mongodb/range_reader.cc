#include "mongodb/range_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace oxbackup::mongodb {
namespace {

// What a reader asks for at once: enough to keep the server busy, little enough to count as small
// beside a part.
constexpr uint64_t kBatchBytes = uint64_t{4} << 20;
constexpr int32_t kMostDocuments = 50'000;
constexpr int kRangeTries = 10;

int32_t BatchSize(const CollectionInfo& collection) {
  const uint64_t average =
      collection.documents == 0 ? 4096 : collection.bytes / collection.documents + 1;
  return static_cast<int32_t>(
      std::clamp<uint64_t>(kBatchBytes / std::max<uint64_t>(average, 1), 1, kMostDocuments));
}

bool KillsCursorsOnly(const ServerFailure& failure) {
  return failure.IsOfCursorAlone() || failure.code == kCappedPositionLost;
}

bool InstantIsGone(int code) { return code == kSnapshotUnavailable || code == kSnapshotTooOld; }

}  // namespace

RangeReader::RangeReader(Session& session, RangeRead read, const RunContext& run)
    : session_(session),
      read_(std::move(read)),
      run_(run),
      batch_size_(BatchSize(read_.collection)) {
  Open();
}

void RangeReader::Open() {
  Bson find;
  if (read_.by_uuid && read_.collection.uuid) {
    find.Add("find", *read_.collection.uuid);
  } else {
    find.Add("find", read_.collection.stored_name());
  }
  IdRange range = read_.range;
  skip_last_ = last_.has_value();
  if (last_) range.from = last_;
  AddRange(range, find);
  find.Add("batchSize", batch_size_);
  if (read_.at_cluster_time) find.Add("readConcern", ReadConcernAt(read_.at_cluster_time));
  gave_any_ = false;
  cursor_.reset();  // closes the old one first
  cursor_.emplace(session_, read_.collection.database, find, batch_size_);
}

RangeReader::Step RangeReader::Next() {
  for (;;) {
    switch (cursor_->Next()) {
      case Cursor::Step::kDocument: {
        const auto field = FindField(cursor_->document(), "_id");
        id_ = field.value_or(Element());
        gave_any_ = true;
        if (std::exchange(skip_last_, false) && field && IdValue::Of(*field) == *last_) continue;
        if (read_.range.resumable()) {
          last_ = IdValue::Of(id_);
          tries_ = 0;
        }
        return Step::kDocument;
      }
      case Cursor::Step::kEnd:
        // What was found at the instant is of the instant, whatever has its name by now: from 7.0
        // on the server still knows a collection that was dropped since.
        if (read_.at_cluster_time && gave_any_) return Step::kEnd;
        return StillThere() ? Step::kEnd : Step::kDropped;
      case Cursor::Step::kFailed: {
        const ServerFailure failure = cursor_->failure();
        const Step step = Recover(failure);
        if (step != Step::kDocument) return step;
        continue;
      }
    }
  }
}

// kDocument: the cursor is open again and goes on where the old one stopped.
RangeReader::Step RangeReader::Recover(const ServerFailure& failure) {
  const std::string what = "cannot read the collection " + read_.collection.full_name();
  if (++tries_ > kRangeTries) {
    throw failure.ToError(what)
        .Tried(fmt::format("reading on {} times", kRangeTries))
        .Hint("it is renamed, dropped or rebuilt again and again: run the backup at another time");
  }
  if (failure.code == kNamespaceNotFound) return Step::kDropped;
  if (InstantIsGone(failure.code) && read_.at_cluster_time) {
    read_.at_cluster_time.reset();
    left_the_instant_ = true;
  } else if (!KillsCursorsOnly(failure)) {
    throw failure.ToError(what);
  }
  run_.log.Debug("reading on in {} after: {}", read_.collection.full_name(), failure.message);
  if (!StillThere()) return Step::kDropped;
  const bool goes_on = last_.has_value();
  Open();
  return goes_on ? Step::kDocument : Step::kStartOver;
}

// A find by name of a collection that was renamed or dropped gives nothing or another collection's
// documents, without an error; by UUID the server itself says so.
bool RangeReader::StillThere() {
  if (read_.by_uuid) return true;
  const auto now =
      FindCollection(session_, read_.collection.database, read_.collection.stored_name());
  if (!now) return false;
  return !read_.collection.uuid || now->uuid == read_.collection.uuid;
}

}  // namespace oxbackup::mongodb
