#include "mongodb/insert_batch.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <utility>

#include "base/error.h"
#include "mongodb/extended_json.h"

namespace oxbackup::mongodb {
namespace {

void AppendLength(std::string& bytes, size_t length) {
  for (size_t at = 0; at < 4; ++at) bytes += static_cast<char>((length >> (8 * at)) & 0xff);
}

std::string IdFirst(std::string_view document, const Element& id) {
  std::string moved(document.substr(0, 4));
  moved.append(id.whole);
  const auto before = static_cast<size_t>(id.whole.data() - document.data());
  moved.append(document.substr(4, before - 4));
  moved.append(document.substr(before + id.whole.size()));
  return moved;
}

std::string FirstWriteError(const Bson& reply, std::string_view array_document) {
  const auto errors = FindField(reply.bytes(), "writeErrors");
  const auto concern = FindField(reply.bytes(), "writeConcernError");
  if (concern && concern->AsDocument()) {
    const auto message = FindField(*concern->AsDocument(), "errmsg");
    return message ? std::string(message->AsText().value_or("")) : "writeConcernError";
  }
  if (!errors || !errors->AsDocument()) return {};
  const auto first = FieldWalker(*errors->AsDocument()).Next();
  if (!first || !first->AsDocument()) return {};
  const auto index = FindField(*first->AsDocument(), "index");
  const auto message = FindField(*first->AsDocument(), "errmsg");
  const auto code = FindField(*first->AsDocument(), "code");
  std::string text = fmt::format("{} (code {})", message ? message->AsText().value_or("") : "",
                                 code ? code->AsInt().value_or(0) : 0);
  if (!index || array_document.empty()) return text;
  const auto document = FindField(array_document, std::to_string(index->AsInt().value_or(0)));
  const auto id = document ? FindPath(array_document, {document->key, "_id"}) : std::nullopt;
  return id ? fmt::format("_id {}: {}", ValueText(*id), text) : text;
}

void SendRepairs(Session& session, const InsertTarget& target, const std::vector<Bson>& repairs) {
  constexpr size_t kUpdates = 1000;
  for (size_t begin = 0; begin < repairs.size(); begin += kUpdates) {
    Bson updates;
    for (size_t at = begin; at < std::min(repairs.size(), begin + kUpdates); ++at) {
      updates.Add(std::to_string(at - begin), repairs[at]);
    }
    const std::string what =
        fmt::format("MongoDB does not put the zero timestamps back into {}", target.ns);
    const Bson reply = session.Run(target.database,
                                   Bson()
                                       .Add("update", target.collection)
                                       .Add("bypassDocumentValidation", true)
                                       .AddArray("updates", updates),
                                   what);
    if (std::string error = FirstWriteError(reply, {}); !error.empty()) {
      throw Error(ErrorKind::kSource, what).Cause(std::move(error));
    }
  }
}

}  // namespace

bool KeepsZeroTimestamps(const ServerInfo& server) {
  if (server.flavour == "FerretDB" || server.flavour == "DocumentDB") return false;
  if (server.AtLeast(8, 0)) return true;
  // By mongo-tools' common/db/empty_timestamp.go.
  static const std::map<int, int> since_patch = {{7, 13}, {6, 17}, {5, 29}};
  const auto since = since_patch.find(server.major);
  return since != since_patch.end() && server.minor == 0 && server.patch >= since->second;
}

Bson ZeroTimestampRepair(std::string_view document, const std::string& ns,
                         const ServerInfo& server) {
  Bson set;
  if (KeepsZeroTimestamps(server)) return set;
  FieldWalker walker(document);
  while (const auto field = walker.Next()) {
    if (field->type != BsonType::kTimestamp || !field->AsTimestamp()->is_null() ||
        field->key == "_id") {
      continue;
    }
    // For an update these are paths or operators.
    if (field->key.empty() || field->key.starts_with('$') ||
        field->key.find('.') != field->key.npos) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("the field '{}' of a document of {} is a zero timestamp, which {} {} "
                              "replaces by the time",
                              field->key, ns, server.flavour, server.version))
          .Cause("its _id is " + ValueText(FindField(document, "_id").value_or(Element())))
          .Hint(
              "restore into MongoDB 8.0 or newer, which keeps it, or leave the collection out with "
              "--nsExclude in MONGORESTORE_ADDITIONAL_OPTIONS");
    }
    set.Add(field->key, *field);
  }
  const auto id = FindField(document, "_id");
  if (set.empty() || !id) return {};
  return Bson().Add("q", Bson().Add("_id", *id)).Add("u", Bson().Add("$set", set));
}

bool InsertBatch::Fits(size_t document_bytes) const {
  return count == 0 || (count < kInsertDocuments && array.size() + document_bytes <= kInsertBytes);
}

void DocumentDigests::Merge(const DocumentDigests& other) {
  archived.Merge(other.archived);
  expected.Merge(other.expected);
  moved_ids += other.moved_ids;
}

void AddDocument(InsertBatch& batch, DocumentDigests& digests, std::string_view document,
                 const std::string& ns, const ServerInfo& server) {
  const auto id = FindField(document, "_id");
  const uint64_t number = digests.archived.count() + 1;
  if (!id) {
    throw Error(ErrorKind::kUsage, fmt::format("document {} of {} has no _id", number, ns))
        .Hint("the server would invent one; leave the collection out with --nsExclude");
  }
  if (id->type == BsonType::kArray || id->type == BsonType::kRegex ||
      id->type == BsonType::kUndefined) {
    throw Error(ErrorKind::kUsage,
                fmt::format("the document with _id {} of {} cannot be stored: MongoDB takes no "
                            "array, regular expression or undefined value as _id",
                            ValueText(*id), ns))
        .Hint("leave the collection out with --nsExclude, or change the document");
  }
  digests.archived.Add(document);
  // FerretDB keeps the order of fields, a mongod moves _id to the front.
  const bool moved = id->whole.data() != document.data() + 4 && server.flavour != "FerretDB";
  if (moved) {
    digests.expected.Add(IdFirst(document, *id));
    ++digests.moved_ids;
  } else {
    digests.expected.Add(document);
  }
  batch.array += static_cast<char>(BsonType::kDocument);
  batch.array += std::to_string(batch.count++);
  batch.array += '\0';
  batch.array += document;
  if (Bson repair = ZeroTimestampRepair(document, ns, server); !repair.empty()) {
    batch.repairs.push_back(std::move(repair));
  }
}

void SendBatch(Session& session, const InsertTarget& target, InsertBatch& batch) {
  if (batch.empty()) return;
  Bson head = Bson().Add("insert", target.collection).Add("ordered", target.ordered);
  head.Add("bypassDocumentValidation", true);
  if (KeepsZeroTimestamps(session.server())) head.Add("bypassEmptyTsReplacement", true);
  if (!target.write_concern.empty()) head.Add("writeConcern", target.write_concern);
  // The command is put together by hand: one copy of the documents instead of three.
  const std::string_view fields = head.bytes().substr(4, head.bytes().size() - 5);
  constexpr std::string_view kName{
      "\x04"
      "documents\0",
      11};
  std::string command;
  const size_t array_size = 4 + batch.array.size() + 1;
  const size_t size = 4 + fields.size() + kName.size() + array_size + 1;
  command.reserve(size);
  AppendLength(command, size);
  command.append(fields).append(kName);
  AppendLength(command, array_size);
  command.append(batch.array).append(2, '\0');
  const std::string what = fmt::format("MongoDB does not take documents of {}", target.ns);
  Bson owned(command);
  std::string().swap(command);
  const Bson reply = session.Run(target.database, owned, what);
  const auto array = FindField(owned.bytes(), "documents");
  if (std::string error = FirstWriteError(reply, *array->AsDocument()); !error.empty()) {
    throw Error(ErrorKind::kSource, what)
        .Cause(std::move(error))
        .Hint("leave the collection out with --nsExclude in MONGORESTORE_ADDITIONAL_OPTIONS");
  }
  SendRepairs(session, target, batch.repairs);
  batch.array.clear();
  batch.repairs.clear();
  batch.count = 0;
}

Bson ParseWriteConcern(const std::string& text) {
  Bson concern;
  if (text.empty()) return concern;
  if (text.front() == '{') {
    try {
      return FromJson(text, "--writeConcern");
    } catch (Error& error) {
      throw Error(ErrorKind::kUsage, "--writeConcern is no JSON object").Cause(error.cause());
    }
  }
  int32_t number = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, number).ptr == end) return concern.Add("w", number);
  return concern.Add("w", text);
}

}  // namespace oxbackup::mongodb
