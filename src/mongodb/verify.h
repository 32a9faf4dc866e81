// Content digests of collections: of an archive without a server, and of what a server holds.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "archive/manifest.h"
#include "base/hash.h"
#include "base/run_context.h"
#include "mongodb/session_pool.h"
#include "stream/byte_stream.h"

namespace oxbackup::mongodb {

/// Database and collection.
using CollectionName = std::pair<std::string, std::string>;

/// Digests the members of an archive, whose documents are cut by their lengths. Thread-safe.
class DumpDigester {
 public:
  /// Takes a member's content; members that hold no documents of a collection are passed over.
  /// Throws Error(kCorrupt) when the content is no sequence of BSON documents.
  void Add(const std::string& path, ByteSource& content);
  /// Throws Error(kCorrupt) naming the first collection whose number of documents or digest is not
  /// the manifest's, or that the manifest does not know.
  void Compare(const ComponentManifest& expected) const;

 private:
  mutable std::mutex mutex_;
  std::map<CollectionName, ContentDigest> digests_;  // guarded by mutex_
};

/// Reads a collection from first to last. A cursor that dies because the collection was renamed or
/// its index dropped is started anew, some times. `progress`: adds to "mongodb".
ContentDigest DigestCollection(Session& session, const CollectionName& collection,
                               const RunContext& run);

/// The same for several collections on up to `readers` connections; the result is in their order.
std::vector<ContentDigest> DigestCollections(SessionPool& pool,
                                             const std::vector<CollectionName>& collections,
                                             int readers, const RunContext& run);

/// "1,204 documents, digest 7f3a…": for messages.
std::string DescribeDigest(uint64_t count, const std::string& digest);

}  // namespace oxbackup::mongodb
