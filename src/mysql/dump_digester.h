// Content digests of tables computed from an archive's members, without a server.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "archive/manifest.h"
#include "base/hash.h"
#include "stream/byte_stream.h"

namespace oxbackup::mysql {

/// Adds up the rows of a MySQL dump's members. A row is a line that begins with '('; its canonical
/// text is that line without the ',' or ';' at its end (docs/format.md).
class DumpDigester {
 public:
  /// Reads a member to its end when it holds rows of a table; passes over any other. Thread-safe.
  void Feed(const std::string& path, ByteSource& content);
  /// Throws Error(kCorrupt) naming the first table whose rows or digest are not the manifest's, or
  /// which the manifest does not have. To be called after all members were fed.
  /// Returns how many tables were compared.
  uint64_t Compare(const ComponentManifest& expected) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, ContentDigest> digests_;  // guarded by mutex_
};

/// The digest of the rows in one member's text.
ContentDigest DigestRows(ByteSource& content);

}  // namespace oxbackup::mysql
