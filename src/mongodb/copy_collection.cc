#include "mongodb/copy_collection.h"

#include <fmt/format.h>

#include <set>
#include <vector>

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

// A handful of small documents: written one by one, those that are gone last.
void CopyFunctions(Session& session, const std::string& database, const std::string& from,
                   const std::string& what) {
  std::set<std::string> kept;
  for (const Bson& document : ReadDocuments(session, database, from, what)) {
    const Element id = FindField(document.bytes(), "_id").value();
    kept.emplace(id.value);
    const Bson update =
        Bson().Add("q", Bson().Add("_id", id)).Add("u", document).Add("upsert", true);
    session.Run(database,
                Bson().Add("update", kFunctions).AddArray("updates", Bson().Add("0", update)),
                what);
  }
  for (const Bson& document : ReadDocuments(session, database, kFunctions, what)) {
    const Element id = FindField(document.bytes(), "_id").value();
    if (kept.contains(std::string(id.value))) continue;
    const Bson removal = Bson().Add("q", Bson().Add("_id", id)).Add("limit", int32_t{1});
    session.Run(database,
                Bson().Add("delete", kFunctions).AddArray("deletes", Bson().Add("0", removal)),
                what);
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
