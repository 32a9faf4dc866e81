#include "mongodb/copy_collection.h"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "mongodb/collection_metadata.h"
#include "mongodb/insert_batch.h"
#include "mongodb/live_names.h"

namespace oxbackup::mongodb {
namespace {

constexpr int kInvalidNamespace = 73;
constexpr char kFunctions[] = "system.js";

std::vector<Bson> ReadDocuments(Session& session, const std::string& database,
                                const std::string& name, const std::string& what) {
  std::vector<Bson> documents;
  if (name.empty()) return documents;
  Cursor cursor(session, database, Bson().Add("find", name));
  while (cursor.NextOrThrow(what)) documents.emplace_back(cursor.document());
  return documents;
}

void RunWrite(Session& session, const std::string& database, const Bson& command,
              const std::string& what) {
  const Bson reply = session.Run(database, command, what);
  if (FindField(reply.bytes(), "writeErrors")) {
    throw Error(ErrorKind::kSource, what).Cause(ToJson(reply.bytes()));
  }
}

// A handful of small documents: written one by one, those that are gone last. What is there already
// is left alone and what is new is inserted, so that rights to update and remove are needed only
// where something changes.
void CopyFunctions(Session& session, const std::string& database, const std::string& from,
                   const std::string& what) {
  std::map<std::string, Bson> now;
  for (Bson& document : ReadDocuments(session, database, kFunctions, what)) {
    now.emplace(FindField(document.bytes(), "_id").value().whole, std::move(document));
  }
  for (const Bson& document : ReadDocuments(session, database, from, what)) {
    const Element id = FindField(document.bytes(), "_id").value();
    const auto there = now.find(std::string(id.whole));
    if (there == now.end()) {
      RunWrite(session, database,
               Bson().Add("insert", kFunctions).AddArray("documents", Bson().Add("0", document)),
               what);
      continue;
    }
    if (there->second.bytes() != document.bytes()) {
      const Bson update = Bson().Add("q", Bson().Add("_id", id)).Add("u", document);
      RunWrite(session, database,
               Bson().Add("update", kFunctions).AddArray("updates", Bson().Add("0", update)), what);
    }
    now.erase(there);
  }
  for (const auto& [key, document] : now) {
    const Element id = FindField(document.bytes(), "_id").value();
    const Bson removal = Bson().Add("q", Bson().Add("_id", id)).Add("limit", int32_t{1});
    RunWrite(session, database,
             Bson().Add("delete", kFunctions).AddArray("deletes", Bson().Add("0", removal)), what);
  }
}

void CopyDocuments(Session& session, const std::string& database, const std::string& from,
                   const InsertTarget& target, const std::string& what) {
  InsertBatch batch;
  DocumentDigests digests;
  // A capped collection keeps the order of insertion, in which a find without a sort reads it.
  Cursor cursor(session, database, Bson().Add("find", from));
  while (cursor.NextOrThrow(what)) {
    if (!batch.Fits(cursor.document().size())) SendBatch(session, target, batch);
    AddDocument(batch, digests, cursor.document(), target.ns, session.server());
  }
  SendBatch(session, target, batch);
}

void CopyIndexes(Session& session, const std::string& database, const std::string& from,
                 const std::string& to, const Bson& options, const std::string& what) {
  CollectionMetadata metadata;
  metadata.options = options;
  Cursor cursor(session, database, Bson().Add("listIndexes", from));
  while (cursor.NextOrThrow(what)) metadata.indexes.emplace_back(cursor.document());
  Bson specs;
  int count = 0;
  for (const Bson& spec : CreateIndexSpecs(metadata, database + "." + to, session.server())) {
    specs.Add(std::to_string(count++), spec);
  }
  if (count == 0) return;
  session.Run(database, Bson().Add("createIndexes", to).AddArray("indexes", specs), what);
}

}  // namespace

void CopyCollection(Session& session, const std::string& database, const std::string& from,
                    const std::string& to) {
  const std::string what =
      fmt::format("MongoDB does not copy {0}.{1} to {0}.{2}", database, from, to);
  if (to == kFunctions) {
    CopyFunctions(session, database, from, what);
    return;
  }
  DropCollection(session, database, to);
  if (from.empty()) return;
  const auto names = ListLive(session, database);
  const auto source = names.find(from);
  if (source == names.end()) {
    throw Error(ErrorKind::kSource, what).Cause("the source is not there");
  }
  CollectionMetadata metadata;
  metadata.options = source->second.options;
  session.Run(database, Bson().Add("create", to).Append(CreateOptions(metadata).bytes()), what);
  const InsertTarget target{database, to, database + "." + to, metadata.capped(), Bson()};
  CopyDocuments(session, database, from, target, what);
  CopyIndexes(session, database, from, to, metadata.options, what);
}

bool RenamesDottedNames(Session& session, const std::string& database) {
  const Reply reply =
      session.TryRun("admin", Bson()
                                  .Add("renameCollection", database + ".openedx.backup.no.such")
                                  .Add("to", database + ".openedx.backup.no.such.either"));
  return reply.ok() || reply.failure->code != kInvalidNamespace;
}

}  // namespace oxbackup::mongodb
