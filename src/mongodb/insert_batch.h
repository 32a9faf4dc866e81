// Raw documents into a collection, many a command, exactly as they are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Sizes of one insert command. A command travels as one document, whose limit is 16 MiB and 16 kB
/// (the server's BSONObjMaxInternalSize); one document of up to 16 MiB has a command for itself.
inline constexpr size_t kInsertBytes = size_t{4} << 20;
inline constexpr size_t kInsertDocuments = 10'000;
/// What a worker holds at most while it fills and sends batches (the batch, libbson's copy and
/// libmongoc's): counted against the byte budget.
inline constexpr uint64_t kInsertWorkerBytes = uint64_t{16} << 20;

/// Documents for one collection, collected until they make a command. Movable to another thread.
struct InsertBatch {
  std::string array;  ///< body of the BSON array, without length and end
  uint32_t count = 0;
  /// Documents with a zero timestamp at their top level, which servers replace by the time of the
  /// insert: commands that put it back, as `{q, u}` updates.
  std::vector<Bson> repairs;

  bool empty() const { return count == 0; }
  bool Fits(size_t document_bytes) const;
};

/// What a collection's documents were in the archive and what they must be on the server. They
/// differ where the server moves `_id` to the front.
struct DocumentDigests {
  ContentDigest archived;
  ContentDigest expected;
  uint64_t moved_ids = 0;

  void Merge(const DocumentDigests& other);
};

/// (manual) Servers from 8.0 on keep zero timestamps when the command says
/// bypassEmptyTsReplacement, and so do later ones of 7.0, 6.0 and 5.0; others refuse it.
bool KeepsZeroTimestamps(const ServerInfo& server);
/// {q: {_id}, u: {$set: …}} that puts the zero timestamps of the first level back; empty when there
/// are none or the server keeps them. Throws Error(kUsage) for one whose name no update reaches.
Bson ZeroTimestampRepair(std::string_view document, const std::string& ns,
                         const ServerInfo& server);

/// Adds a document. Throws Error(kCorrupt) when it is no BSON, Error(kUsage) when no server stores
/// it as it is (no _id, an array or a regular expression as _id, a zero timestamp that cannot be
/// put back). `ns` is for messages.
void AddDocument(InsertBatch& batch, DocumentDigests& digests, std::string_view document,
                 const std::string& ns, const ServerInfo& server);

/// Where and how batches go in.
struct InsertTarget {
  std::string database;
  std::string collection;
  std::string ns;        ///< for messages: what the collection will be called
  bool ordered = false;  ///< capped collections keep their order
  Bson write_concern;    ///< empty: the server's default
};

/// Sends what `batch` holds and empties it. Throws Error(kSource) naming the first refused document
/// with the server's words.
void SendBatch(Session& session, const InsertTarget& target, InsertBatch& batch);

/// Reads RestoreOptions::write_concern. Throws Error(kUsage).
Bson ParseWriteConcern(const std::string& text);

}  // namespace oxbackup::mongodb
