#include "mongodb/oplog_documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "mongodb/extended_json.h"
#include "mongodb/oplog_entry.h"
#include "mongodb/oplog_update.h"

namespace oxbackup::mongodb {
namespace {

constexpr uint64_t kWindowBytes = uint64_t{8} << 20;
// What a change costs beside its bytes.
constexpr uint64_t kChangeBytes = 200;
constexpr size_t kIdsOfARead = 500;
constexpr uint64_t kIdBytesOfARead = uint64_t{1} << 20;
constexpr int32_t kRemovals = 1000;

bool IsCollated(const RestoredCollection& collection) {
  return FindField(collection.metadata.options.bytes(), "collation").has_value();
}

// A collection's own collation would take "a" and "A" for one _id.
Bson Exactly(Bson statement, const RestoredCollection& collection) {
  if (IsCollated(collection)) statement.Add("collation", Bson().Add("locale", "simple"));
  return statement;
}

Error CannotReplay(const RestoredCollection& collection, const std::string& why) {
  return Error(ErrorKind::kCorrupt, "the oplog cannot be replayed exactly on " + collection.ns())
      .Cause(why)
      .Hint(
          "restore without that collection (--nsExclude in "
          "MONGORESTORE_ADDITIONAL_OPTIONS), or another archive");
}

void CheckCount(const Bson& reply, int64_t expected, const std::string& what) {
  const auto count = FindField(reply.bytes(), "n");
  const bool errors = FindField(reply.bytes(), "writeErrors").has_value();
  if (!errors && count && count->AsInt() == expected) return;
  throw Error(ErrorKind::kSource, what).Cause(ToJson(reply.bytes()));
}

}  // namespace

void DocumentReplay::Add(const RestoredCollection& collection, std::string_view entry) {
  const std::string kind = RequiredText(entry, "op");
  const std::string_view what = RequiredDocument(entry, "o");
  const Element id = RequiredField(kind == "u" ? RequiredDocument(entry, "o2") : what, "_id");
  Window& window = windows_[&collection];
  const auto [found, is_new] = window.by_key.try_emplace(IdKey(id), window.documents.size());
  if (is_new) window.documents.push_back({id.type, std::string(id.value), {}, false});
  Touched& document = window.documents[found->second];
  // What came before an insert or a removal does not matter any more; the order of a capped
  // collection depends on its first insert, though.
  if (kind != "u" && !collection.metadata.capped()) document.changes.clear();
  document.changes.push_back({kind[0], kind == "d" ? std::string() : std::string(what)});
  waiting_bytes_ += what.size() + id.value.size() + kChangeBytes;
  if (waiting_bytes_ >= kWindowBytes) Flush();
}

void DocumentReplay::Forget(const RestoredCollection& collection) {
  windows_.erase(&collection);
  appended_.erase(&collection);
}

void DocumentReplay::Flush() {
  for (auto& entry : windows_) {
    run_.ThrowIfStopped();
    const auto& collection = *entry.first;
    WithContext([&] { return "replaying the oplog on " + collection.ns(); },
                [&] {
                  if (collection.metadata.capped()) {
                    WriteCapped(collection, entry.second);
                  } else {
                    Write(collection, entry.second);
                  }
                });
  }
  windows_.clear();
  waiting_bytes_ = 0;
}

std::optional<std::string> DocumentReplay::FinalState(const Touched& document,
                                                      std::optional<std::string> present) {
  for (const Change& change : document.changes) {
    if (change.kind == 'i') {
      present = change.what;
    } else if (change.kind == 'd') {
      present.reset();
    } else if (present) {
      present = ApplyOplogUpdate(*present, change.what);
    }
    // Else deleted by a later entry before the copy came to it.
  }
  return present;
}

void DocumentReplay::ReadPresent(const RestoredCollection& collection, Window& window,
                                 const Consumer& each) {
  for (size_t begin = 0; begin < window.documents.size();) {
    Bson ids;
    uint64_t bytes = 0;
    size_t at = begin;
    for (; at < window.documents.size() && at - begin < kIdsOfARead && bytes < kIdBytesOfARead;
         ++at) {
      const Touched& document = window.documents[at];
      ids.AddValue(std::to_string(at - begin), document.id_type, document.id);
      bytes += document.id.size();
    }
    begin = at;
    Bson in;
    in.AddArray("$in", ids);
    Cursor cursor(
        session_, collection.database,
        Exactly(Bson().Add("find", collection.temp_name).Add("filter", Bson().Add("_id", in)),
                collection));
    while (cursor.NextOrThrow("MongoDB does not read back " + collection.ns())) {
      const Element id = RequiredField(cursor.document(), "_id");
      const auto found = window.by_key.find(IdKey(id));
      if (found == window.by_key.end()) {
        throw CannotReplay(
            collection, fmt::format("the server takes the _id {} for another one", ValueText(id)));
      }
      Touched& document = window.documents[found->second];
      // A scan may come to a document again that was written meanwhile.
      if (std::exchange(document.done, true)) continue;
      each(document, cursor.document());
    }
  }
}

void DocumentReplay::Write(const RestoredCollection& collection, Window& window) {
  ReadPresent(collection, window, [&](Touched& document, std::string_view present) {
    const auto now = FinalState(document, std::string(present));
    if (now && *now == present) return;
    ++written_;
    if (now && !batch_.Fits(now->size())) SendWrites(collection);
    Remove(collection, document);
    if (now) Insert(collection, *now);
  });
  for (const Touched& document : window.documents) {
    if (document.done) continue;
    const auto now = FinalState(document, std::nullopt);
    if (!now) continue;
    ++written_;
    Insert(collection, *now);
  }
  SendWrites(collection);
}

// A capped collection keeps the order of its documents, which the copy has as far as it goes: what
// is changed stays in its place, what is missing is appended. Missing before one that is there: it
// had made room for later ones when the copy was read.
void DocumentReplay::WriteCapped(const RestoredCollection& collection, Window& window) {
  std::map<const Touched*, std::string> present;
  ReadPresent(collection, window, [&](Touched& document, std::string_view bytes) {
    present.emplace(&document, bytes);
  });
  std::set<std::string>& appended = appended_[&collection];
  const auto key = [](const Touched& document) {
    return IdKey(Element{document.id_type, {}, document.id, {}});
  };
  size_t copied_to = 0;
  for (size_t at = 0; at < window.documents.size(); ++at) {
    const Touched& document = window.documents[at];
    if (document.changes.front().kind != 'i' || !present.contains(&document) ||
        appended.contains(key(document))) {
      continue;
    }
    if (!appended.empty()) {
      throw CannotReplay(collection,
                         "more documents passed through the capped collection during "
                         "the backup than it holds");
    }
    copied_to = at;
  }
  for (size_t at = 0; at < window.documents.size(); ++at) {
    const Touched& document = window.documents[at];
    const auto found = present.find(&document);
    if (found == present.end()) {
      const auto now = at < copied_to ? std::nullopt : FinalState(document, std::nullopt);
      if (!now) continue;
      ++written_;
      appended.insert(key(document));
      Insert(collection, *now);
      continue;
    }
    const auto now = FinalState(document, found->second);
    if (now && *now == found->second) continue;
    ++written_;
    if (!now) {
      Remove(collection, document);
    } else {
      Replace(collection, document, *now);
    }
  }
  SendWrites(collection);
}

void DocumentReplay::Remove(const RestoredCollection& collection, const Touched& document) {
  Bson query;
  query.AddValue("_id", document.id_type, document.id);
  removals_.Add(std::to_string(removal_count_++),
                Exactly(Bson().Add("q", query).Add("limit", int32_t{1}), collection));
  if (removal_count_ == kRemovals) SendWrites(collection);
}

void DocumentReplay::Insert(const RestoredCollection& collection, const std::string& document) {
  if (!batch_.Fits(document.size())) SendWrites(collection);
  DocumentDigests unused;
  AddDocument(batch_, unused, document, collection.ns(), session_.server());
}

void DocumentReplay::Replace(const RestoredCollection& collection, const Touched& document,
                             const std::string& now) {
  Bson query;
  query.AddValue("_id", document.id_type, document.id);
  const std::string what = "MongoDB does not change a document of " + collection.ns();
  const auto send = [&](const Bson& update) {
    Bson command = Bson().Add("update", collection.temp_name).Add("bypassDocumentValidation", true);
    if (KeepsZeroTimestamps(session_.server())) command.Add("bypassEmptyTsReplacement", true);
    command.AddArray("updates", Bson().Add("0", Exactly(update, collection)));
    CheckCount(session_.Run(collection.database, command, what), 1, what);
  };
  send(Bson().Add("q", query).Add("u", Bson(now)));
  // A replacement gets the time in the place of zero timestamps, as an insert does.
  const Bson repair = ZeroTimestampRepair(now, collection.ns(), session_.server());
  if (!repair.empty()) send(repair);
}

void DocumentReplay::SendWrites(const RestoredCollection& collection) {
  if (removal_count_ > 0) {
    const std::string what = "MongoDB does not remove documents of " + collection.ns();
    CheckCount(session_.Run(
                   collection.database,
                   Bson().Add("delete", collection.temp_name).AddArray("deletes", removals_), what),
               removal_count_, what);
    removals_ = Bson();
    removal_count_ = 0;
  }
  const InsertTarget target{collection.database, collection.temp_name, collection.ns(),
                            collection.metadata.capped(), write_concern_};
  SendBatch(session_, target, batch_);
}

}  // namespace oxbackup::mongodb
