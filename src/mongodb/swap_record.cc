#include "mongodb/swap_record.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/error.h"

namespace oxbackup::mongodb {
namespace {

constexpr std::array<std::pair<SwapState, const char*>, 4> kStates = {{
    {SwapState::kOpen, "open"},
    {SwapState::kDone, "done"},
    {SwapState::kUndoing, "undoing"},
    {SwapState::kClosing, "closing"},
}};

std::string TextOf(std::string_view document, std::string_view key) {
  const auto field = FindField(document, key);
  return field ? std::string(field->AsText().value_or("")) : std::string();
}

std::optional<Bson> ViewOf(std::string_view document, std::string_view key) {
  const auto field = FindField(document, key);
  if (!field || !field->AsDocument()) return std::nullopt;
  return Bson(*field->AsDocument());
}

std::optional<Uuid> UuidOf(std::string_view document, std::string_view key) {
  const auto field = FindField(document, key);
  return field ? field->AsUuid() : std::nullopt;
}

Bson ToBson(const SwapMove& move) {
  Bson document;
  document.Add("database", move.database).Add("name", move.name);
  document.Add("restored", move.restored).Add("old", move.old).Add("stray", move.stray);
  if (move.old_view) document.Add("old_view", *move.old_view);
  if (move.new_view) document.Add("new_view", *move.new_view);
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
  move.old_uuid = UuidOf(document, "old_uuid");
  move.restored_uuid = UuidOf(document, "restored_uuid");
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

Bson DurableWriteConcern() { return Bson().Add("w", "majority").Add("j", true); }

void RunDurably(Session& session, const std::string& database, Bson command,
                const std::string& what) {
  command.Add("writeConcern", DurableWriteConcern());
  const Bson reply = session.Run(database, command, what);
  for (const char* const field : {"writeErrors", "writeConcernError"}) {
    if (const auto error = FindField(reply.bytes(), field)) {
      throw Error(ErrorKind::kSource, what).Cause(ToJson(reply.bytes()));
    }
  }
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
  document.Add("_id", record.intent.run_id);
  for (const auto& [state, name] : kStates) {
    if (state == record.state) document.Add("state", name);
  }
  document.Add("started", record.intent.started).Add("intent", SerializeIntent(record.intent));
  return document.AddArray("moves", moves).AddArray("copies", copies);
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
  return record;
}

std::vector<SwapRecord> ReadSwapRecords(Session& session, const std::string& database) {
  std::vector<SwapRecord> records;
  Cursor cursor(
      session, database,
      Bson().Add("find", kRecordCollection).Add("sort", Bson().Add("started", int32_t{1})));
  for (;;) {
    const Cursor::Step step = cursor.Next();
    if (step == Cursor::Step::kEnd) return records;
    if (step == Cursor::Step::kFailed) {
      if (cursor.failure().code == kUnauthorized) return records;
      throw cursor.failure().ToError("MongoDB does not show the records of earlier restores");
    }
    records.push_back(ParseSwapRecord(cursor.document()));
  }
}

void WriteSwapRecord(Session& session, const std::string& database, const SwapRecord& record) {
  const Bson update = Bson()
                          .Add("q", Bson().Add("_id", record.intent.run_id))
                          .Add("u", ToBson(record))
                          .Add("upsert", true);
  RunDurably(session, database,
             Bson().Add("update", kRecordCollection).AddArray("updates", Bson().Add("0", update)),
             "MongoDB does not take the record of the swap");
}

void RemoveSwapRecord(Session& session, const std::string& database, const SwapRecord& record) {
  const Bson removal =
      Bson().Add("q", Bson().Add("_id", record.intent.run_id)).Add("limit", int32_t{1});
  RunDurably(session, database,
             Bson().Add("delete", kRecordCollection).AddArray("deletes", Bson().Add("0", removal)),
             "MongoDB does not remove the record of the swap");
}

}  // namespace oxbackup::mongodb
