#include "mongodb/swap_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/error.h"

namespace oxbackup::mongodb {
namespace {

constexpr std::array<std::pair<SwapState, const char*>, 5> kStates = {{
    {SwapState::kOpen, "open"},
    {SwapState::kDone, "done"},
    {SwapState::kUndoing, "undoing"},
    {SwapState::kClosing, "closing"},
    {SwapState::kClosed, "closed"},
}};

// A view's definition as the bytes of a binary: servers check the names of a document's fields, and
// those of a pipeline begin with '$'.
void AddView(Bson& document, std::string_view key, const Bson& view) {
  const std::string_view bytes = view.bytes();
  // BSON lengths are those of a document: four bytes, little-endian. Subtype 0.
  const Bson length_only = Bson().Add("n", static_cast<int32_t>(bytes.size()));
  std::string value(FindField(length_only.bytes(), "n")->value);
  value += '\0';
  document.AddValue(key, BsonType::kBinary, value.append(bytes));
}

std::optional<Bson> ViewOf(std::string_view document, std::string_view key) {
  constexpr size_t kBinaryHead = 5;
  const auto field = FindField(document, key);
  if (!field || field->type != BsonType::kBinary) return std::nullopt;
  return Bson(field->value.substr(kBinaryHead));
}

std::optional<Uuid> UuidIn(std::string_view document, std::string_view key) {
  const auto field = FindField(document, key);
  return field ? field->AsUuid() : std::nullopt;
}

Bson ToBson(const SwapMove& move) {
  Bson document;
  document.Add("database", move.database).Add("name", move.name);
  document.Add("restored", move.restored).Add("old", move.old).Add("stray", move.stray);
  if (move.old_view) AddView(document, "old_view", *move.old_view);
  if (move.new_view) AddView(document, "new_view", *move.new_view);
  if (move.old_uuid) document.Add("old_uuid", *move.old_uuid);
  if (move.restored_uuid) document.Add("restored_uuid", *move.restored_uuid);
  return document;
}

SwapMove ParseMove(std::string_view document) {
  SwapMove move;
  move.database = TextOf(document, "database");
  move.name = TextOf(document, "name");
  move.restored = TextOf(document, "restored");
  move.old = TextOf(document, "old");
  move.stray = TextOf(document, "stray");
  move.old_view = ViewOf(document, "old_view");
  move.new_view = ViewOf(document, "new_view");
  move.old_uuid = UuidIn(document, "old_uuid");
  move.restored_uuid = UuidIn(document, "restored_uuid");
  return move;
}

template <class Parse>
void ForEachDocument(std::string_view document, std::string_view key, Parse&& parse) {
  const auto array = FindField(document, key);
  if (!array || !array->AsDocument()) return;
  FieldWalker walker(*array->AsDocument());
  while (const auto item = walker.Next()) {
    if (item->AsDocument()) parse(*item->AsDocument());
  }
}

// Calls `each` with every document of the records. False: the user may not read them.
template <class Each>
bool ForEachRecord(Session& session, const std::string& database, Each&& each) {
  Cursor cursor(session, database, Bson().Add("find", kRecordCollection));
  for (;;) {
    const Cursor::Step step = cursor.Next();
    if (step == Cursor::Step::kEnd) return true;
    if (step == Cursor::Step::kFailed) {
      if (cursor.failure().code == kUnauthorized) return false;
      throw cursor.failure().ToError("MongoDB does not show the records of earlier restores");
    }
    each(cursor.document());
  }
}

// Tutor 13 to 17 start theirs with --nojournal. The server then refuses the whole command
// (validateWriteConcern in its source), so nothing was written.
bool LacksJournal(const Reply& reply) {
  return reply.failure && reply.failure->code == kBadValue &&
         reply.failure->message.find("journaling") != std::string::npos;
}

// What such a server has written is safe from its next checkpoint on, which it makes every minute
// by itself. An account that may not ask for one (it takes hostManager or root) gets no more than
// that.
void MakeCheckpoint(Session& session, const std::string& what) {
  const Reply reply = session.TryRun("admin", Bson().Add("fsync", int32_t{1}));
  if (reply.failure && reply.failure->code != kUnauthorized) throw reply.failure->ToError(what);
}

}  // namespace

Bson ToBson(const SwapRecord& record) {
  Bson moves;
  for (size_t at = 0; at < record.moves.size(); ++at) {
    moves.Add(std::to_string(at), ToBson(record.moves[at]));
  }
  Bson copies;
  for (size_t at = 0; at < record.copies.size(); ++at) {
    const SwapCopy& copy = record.copies[at];
    Bson entry = Bson().Add("database", copy.database).Add("name", copy.name);
    entry.Add("restored", copy.restored).Add("old", copy.old);
    copies.Add(std::to_string(at), entry);
  }
  Bson document;
  // With the number, so that two runs cannot both write what comes next.
  document.Add("_id", fmt::format("{}/{}", record.intent.run_id, record.writes));
  document.Add("run", record.intent.run_id).Add("writes", record.writes);
  for (const auto& [state, name] : kStates) {
    if (state == record.state) document.Add("state", name);
  }
  document.Add("started", record.intent.started).Add("intent", SerializeIntent(record.intent));
  document.AddArray("moves", moves).AddArray("copies", copies).Add("scope", record.scope);
  if (record.old_applied) document.Add("old_applied", *record.old_applied);
  return document;
}

SwapRecord ParseSwapRecord(std::string_view document) {
  SwapRecord record;
  record.intent = ParseIntent(TextOf(document, "intent"));
  const std::string state_name = TextOf(document, "state");
  bool known = false;
  for (const auto& [state, name] : kStates) {
    if (state_name == name) {
      record.state = state;
      known = true;
    }
  }
  const auto writes = FindField(document, "writes");
  record.writes = writes ? writes->AsInt().value_or(0) : 0;
  if (!known) {
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the record of a swap in {} has the unknown state '{}'",
                            kRecordCollection, state_name))
        .Hint("a newer version wrote it: use that one");
  }
  ForEachDocument(document, "moves",
                  [&](std::string_view move) { record.moves.push_back(ParseMove(move)); });
  ForEachDocument(document, "copies", [&](std::string_view copy) {
    record.copies.push_back({TextOf(copy, "database"), TextOf(copy, "name"),
                             TextOf(copy, "restored"), TextOf(copy, "old")});
  });
  record.scope = TextOf(document, "scope");
  if (const auto applied = FindField(document, "old_applied"); applied && applied->AsDocument()) {
    record.old_applied = Bson(*applied->AsDocument());
  }
  return record;
}

std::vector<SwapRecord> ReadSwapRecords(Session& session, const std::string& database) {
  std::map<std::string, SwapRecord> newest;
  static_cast<void>(ForEachRecord(session, database, [&](std::string_view document) {
    SwapRecord record = ParseSwapRecord(document);
    SwapRecord& known = newest[record.intent.run_id];
    if (record.writes > known.writes) known = std::move(record);
  }));
  std::vector<SwapRecord> records;
  for (auto& [run, record] : newest) {
    if (record.state != SwapState::kClosed) records.push_back(std::move(record));
  }
  std::stable_sort(records.begin(), records.end(), [](const auto& left, const auto& right) {
    return left.intent.started < right.intent.started;
  });
  return records;
}

void InsertDurably(Session& session, const std::string& database, std::string_view collection,
                   const Bson& document, const std::string& what) {
  // Without an end to its waiting a replica set that has lost its majority would hold us for ever.
  constexpr int32_t kLongestWaitMs = 60'000;
  const auto insert = [&](const Bson& concern) {
    return session.TryRun(database, Bson()
                                        .Add("insert", collection)
                                        .AddArray("documents", Bson().Add("0", document))
                                        .Add("writeConcern", concern));
  };
  const Bson majority = Bson().Add("w", "majority").Add("wtimeout", kLongestWaitMs);
  Reply reply = insert(Bson(majority).Add("j", true));
  const bool no_journal = LacksJournal(reply);
  if (no_journal) reply = insert(majority);
  if (reply.failure) throw reply.failure->ToError(what);
  if (FindField(reply.document.bytes(), "writeErrors")) {
    throw Error(ErrorKind::kSource, what).Cause(ToJson(reply.document.bytes()));
  }
  if (const auto late = FindPath(reply.document.bytes(), {"writeConcernError", "errmsg"})) {
    throw Error(ErrorKind::kSource, what + " durably")
        .Cause(std::string(late->AsText().value_or("")))
        .Hint(
            "a majority of the replica set did not confirm it within a minute: see rs.status(), "
            "then run again");
  }
  if (no_journal) MakeCheckpoint(session, what + " durably");
}

void WriteSwapRecord(Session& session, const std::string& database, SwapRecord& record) {
  ++record.writes;
  InsertDurably(session, database, kRecordCollection, ToBson(record),
                "MongoDB does not take the record of the swap");
}

void RemoveSwapRecord(Session& session, const std::string& database, SwapRecord& record) {
  record.state = SwapState::kClosed;
  WriteSwapRecord(session, database, record);
  std::map<std::string, std::pair<int64_t, SwapState>> newest;
  bool foreign = false;
  const bool all_seen = ForEachRecord(session, database, [&](std::string_view document) {
    if (!FindField(document, "run") || !FindField(document, "intent")) {
      foreign = true;
      return;
    }
    const SwapRecord one = ParseSwapRecord(document);
    auto& known = newest[one.intent.run_id];
    known = std::max(known, std::make_pair(one.writes, one.state));
  });
  const bool all_closed = std::all_of(newest.begin(), newest.end(), [](const auto& run) {
    return run.second.second == SwapState::kClosed;
  });
  // Closed records are of no interest, so neither is a refusal.
  if (all_seen && !foreign && all_closed) {
    static_cast<void>(session.TryRun(database, Bson().Add("drop", kRecordCollection)));
  }
}

}  // namespace oxbackup::mongodb
