// Keeps an archive's oplog on the server until it is replayed: a pipe gives it once, before the
// collections have been verified, and it may be larger than memory.
#pragma once

#include <memory>
#include <string>

#include "mongodb/session_pool.h"
#include "stream/byte_stream.h"

namespace oxbackup::mongodb {

/// Pieces of the oplog's bytes in one collection, in their order. One thread at a time.
class OplogStore {
 public:
  /// `pool` must outlive the store. `database`: where our own records live.
  OplogStore(SessionPool& pool, std::string database)
      : pool_(pool), database_(std::move(database)) {}

  /// Adds a member's content. `part`: its number as text, empty for the only one; parts may come in
  /// any order. What an earlier restore left goes first. Throws Error(kSource).
  void Add(const std::string& part, ByteSource& content);
  bool empty() const { return !filled_; }
  /// All parts from first to last. The store must outlive the source.
  std::unique_ptr<ByteSource> Open();
  /// Removes what Add wrote.
  void Drop(Session& session);

 private:
  SessionPool& pool_;
  const std::string database_;
  bool filled_ = false;
};

}  // namespace oxbackup::mongodb
