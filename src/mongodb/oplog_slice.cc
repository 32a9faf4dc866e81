#include "mongodb/oplog_slice.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "archive/chunk_cutter.h"
#include "base/error.h"
#include "mongodb/dump_path.h"
#include "mongodb/oplog_entry.h"
#include "mongodb/read_moment.h"

namespace oxbackup::mongodb {
namespace {

constexpr char kLocal[] = "local";
constexpr char kOplog[] = "oplog.rs";
constexpr int kOplogTries = 20;
// A cursor's batch lies in memory beside the part that is filled from it, twice while it arrives.
constexpr uint64_t kOplogBatchAllowance = uint64_t{32} << 20;

// Of the first document that a find gives; nothing when it gives none or is refused.
std::optional<Timestamp> FirstTime(Session& session, std::string_view database, const Bson& find,
                                   std::initializer_list<std::string_view> path,
                                   std::string* why_not = nullptr) {
  Bson command(find);
  command.Add("limit", int32_t{1}).Add("singleBatch", true);
  const Reply reply = session.TryRun(database, command);
  if (!reply.ok()) {
    if (why_not != nullptr) *why_not = reply.failure->message;
    return std::nullopt;
  }
  const auto document = FindPath(reply.document.bytes(), {"cursor", "firstBatch", "0"});
  const auto bytes = document ? document->AsDocument() : std::nullopt;
  const auto time = bytes ? FindPath(*bytes, path) : std::nullopt;
  return time ? time->AsTimestamp() : std::nullopt;
}

std::optional<Timestamp> OldestOpenTransaction(Session& session) {
  const Bson states = Bson().Add("0", "prepared").Add("1", "inProgress");
  Bson in;
  in.AddArray("$in", states);
  const Bson find = Bson()
                        .Add("find", "transactions")
                        .Add("filter", Bson().Add("state", in))
                        .Add("sort", Bson().Add("startOpTime", int32_t{1}));
  return FirstTime(session, "config", find, {"startOpTime", "ts"});
}

bool HoldsEntry(Session& session, Timestamp time) {
  const Bson find = Bson().Add("find", kOplog).Add("filter", Bson().Add("ts", time));
  return FirstTime(session, kLocal, find, {"ts"}) == time;
}

std::optional<Timestamp> MajorityPoint(Session& session) {
  const Reply hello = session.Hello();
  const auto time = FindPath(hello.document.bytes(), {"lastWrite", "majorityOpTime", "ts"});
  return time ? time->AsTimestamp() : std::nullopt;
}

Error RolledOver(Timestamp start) {
  return Error(
             ErrorKind::kSource,
             fmt::format("MongoDB's oplog no longer reaches back to {}, where the copy began: the "
                         "site wrote more meanwhile than the oplog holds",
                         start.Text()))
      .Hint(
          "make the oplog larger (replSetResizeOplog), or back up at a quieter time or with more "
          "readers (--mongodb-readers); nothing of this run is kept");
}

/// Cuts what it gets into members of the archive.
class SliceWriter {
 public:
  SliceWriter(ArchiveWriter& writer, const RunContext& run) : writer_(writer), run_(run) {
    Reserve();
  }

  void Add(std::string_view entry) {
    if (!content_.empty() && content_.size() + entry.size() > kTargetChunkBytes) HandOver(false);
    content_ += entry;
  }
  void Finish() { HandOver(true); }

 private:
  void Reserve() {
    reservation_ = run_.budget.Take(kMaxChunkBytes + kOplogBatchAllowance, run_.stop);
  }

  void HandOver(bool last) {
    Member member;
    member.info.path = std::string(kDumpFolder) + "oplog.bson";
    if (!last || parts_ > 0) member.info.path += fmt::format(".{:08}", parts_);
    ++parts_;
    member.content = std::exchange(content_, std::string());
    run_.progress.Add("mongodb", member.content.size(), 0, "oplog");
    reservation_.Resize(member.content.size());
    MemberGroup group;
    group.reservation = std::move(reservation_);
    group.members.push_back(std::move(member));
    writer_.Add(std::move(group));
    if (!last) Reserve();
  }

  ArchiveWriter& writer_;
  RunContext run_;
  std::string content_;
  Reservation reservation_;
  uint64_t parts_ = 0;
};

/// Reads entries in their order and passes on those that are wanted.
class SliceReader {
 public:
  SliceReader(OplogSlice& slice, const std::vector<std::string>& databases, SliceWriter& writer)
      : slice_(slice), databases_(databases.begin(), databases.end()), writer_(writer) {}

  /// Reads from behind the last entry that was seen (at first: from the start) to the end, or to
  /// where the server gave up the cursor.
  void Read(Session& session, const RunContext& run) {
    Bson range = last_ ? Bson().Add("$gt", *last_) : Bson().Add("$gte", slice_.start.begin);
    range.Add("$lte", slice_.end);
    Bson find = Bson().Add("find", kOplog).Add("filter", Bson().Add("ts", range));
    // (manual) From 4.4 on the server goes straight to the first entry by itself.
    if (!session.server().AtLeast(4, 4)) find.Add("oplogReplay", true);
    Cursor cursor(session, kLocal, find);
    for (;;) {
      const Cursor::Step step = cursor.Next();
      if (step == Cursor::Step::kEnd) return;
      if (step == Cursor::Step::kFailed) {
        // Whether what lies behind it is still all there is asked at the end, of the start.
        if (cursor.failure().IsOfCursorAlone()) return;
        if (cursor.failure().code == kCappedPositionLost) throw RolledOver(slice_.start.begin);
        throw cursor.failure().ToError("MongoDB does not read its oplog");
      }
      run.ThrowIfStopped();
      Take(cursor.document());
    }
  }
  bool reached_end() const { return last_ == slice_.end; }

 private:
  void Take(std::string_view entry) {
    const auto time = RequiredField(entry, "ts").AsTimestamp();
    if (!last_ && time != slice_.start.begin) throw RolledOver(slice_.start.begin);
    last_ = time;
    const auto wall = FindField(entry, "wall");
    if (last_ == slice_.end && wall && wall->type == BsonType::kDate) {
      slice_.moment = TimePoint(std::chrono::milliseconds(DateOf(*wall)));
    }
    if (*last_ <= slice_.start.known && !BelongsToOpenTransaction(entry)) return;
    const auto kept = KeptOplogEntry(entry, databases_, slice_.touched);
    if (!kept) return;
    ++slice_.entries;
    writer_.Add(*kept);
  }

  // Of entries that the copy holds anyway: one that began before the slice was over by then.
  bool BelongsToOpenTransaction(std::string_view entry) {
    if (!LeavesTransactionOpen(entry)) return false;
    const std::string key = TransactionKey(entry);
    if (ContinuesTransaction(entry)) return begun_.contains(key);
    begun_.insert(key);
    return true;
  }

  static int64_t DateOf(const Element& date) {
    uint64_t value = 0;
    for (size_t at = 8; at-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(date.value[at]);
    }
    return static_cast<int64_t>(value);
  }

  OplogSlice& slice_;
  const std::set<std::string> databases_;
  SliceWriter& writer_;
  std::set<std::string> begun_;  // transactions, by their keys
  std::optional<Timestamp> last_;
};

}  // namespace

std::optional<OplogStart> FindOplogStart(Session& session, std::string& why_not) {
  const ServerInfo& server = session.server();
  // FerretDB's own has no UUIDs and forms that MongoDB's has not.
  if (server.topology != Topology::kReplicaSet || server.flavour == "FerretDB") {
    why_not = "it has no oplog of a replica set";
    return std::nullopt;
  }
  const Bson newest = Bson().Add("find", kOplog).Add("sort", Bson().Add("$natural", int32_t{-1}));
  why_not = "its oplog is empty";
  const auto last = FirstTime(session, kLocal, newest, {"ts"}, &why_not);
  if (!last) return std::nullopt;
  OplogStart start{*last, *last};
  if (const auto majority = MajorityPoint(session)) start.known = std::min(*last, *majority);
  // Asked for after the point was fixed: what began in between is newer than it anyway.
  const auto open = OldestOpenTransaction(session);
  start.begin = open ? std::min(start.known, *open) : start.known;
  if (!HoldsEntry(session, start.begin)) {
    why_not = fmt::format("its oplog does not hold {}", start.begin.Text());
    return std::nullopt;
  }
  why_not.clear();
  return start;
}

OplogSlice CopyOplog(Session& session, const OplogStart& start,
                     const std::vector<std::string>& databases, ArchiveWriter& writer,
                     const RunContext& run) {
  OplogSlice slice;
  slice.start = start;
  const Bson newest = Bson().Add("find", kOplog).Add("sort", Bson().Add("$natural", int32_t{-1}));
  // What the member that is asked has applied; the oplog's newest entry may be newer on others.
  auto end = LastWrite(session);
  if (!end) end = FirstTime(session, kLocal, newest, {"ts"});
  if (!end || *end < start.known) {
    throw Error(ErrorKind::kSource, "MongoDB does not say where its oplog ends")
        .Hint("see whether the replica set lost its primary meanwhile, then run again");
  }
  slice.end = *end;
  slice.moment = TimePoint(std::chrono::seconds(end->seconds));
  SliceWriter parts(writer, run);
  SliceReader reader(slice, databases, parts);
  reader.Read(session, run);
  for (int again = 0; again < kOplogTries && !reader.reached_end(); ++again) {
    PauseBeforeRetry(run);
    reader.Read(session, run);
  }
  if (!HoldsEntry(session, start.begin)) throw RolledOver(start.begin);
  if (!reader.reached_end()) {
    throw Error(ErrorKind::kSource,
                "MongoDB's oplog does not give its entries up to " + slice.end.Text())
        .Hint("see whether the replica set lost its primary meanwhile, then run again");
  }
  parts.Finish();
  return slice;
}

}  // namespace oxbackup::mongodb
