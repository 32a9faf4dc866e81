// Fetches blocks before somebody waits for them, so that a line with much delay is kept busy.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/archive_layout.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// The stored bytes of one block, with one request.
std::string FetchBlock(const RangedSource& source, const ArchiveLayout& layout, size_t block);

/// Deals out pieces of work to readers and fetches the blocks of these in the order in which they
/// will be asked for, if the readers keep step. A block that nobody has begun to fetch is fetched
/// by the reader itself, so that it never waits for others. Thread-safe; each reader is a thread
/// with a number of its own, from 0 on.
class BlockAhead {
 public:
  /// `works`: the blocks of each piece in order, none empty, and no block in two of them. `most`:
  /// blocks that are held or under way at any time beside the one that each reader has; 0: none.
  /// All arguments must outlive it.
  BlockAhead(const RangedSource& source, const ArchiveLayout& layout,
             const std::vector<std::vector<size_t>>& works, size_t readers, size_t most);

  /// The reader's next piece of work; nothing when all are dealt out.
  [[nodiscard]] std::optional<size_t> NextWork(size_t reader);
  /// A block's stored bytes. What went wrong while it was fetched is thrown here. Throws
  /// Error(kCancelled) once `stop` is requested. REQUIRES: a block of the reader's work, behind
  /// those that it has taken.
  std::string Take(size_t reader, size_t block, const std::stop_token& stop);

  /// Returns once each reader has asked for a block, or has no work, or `stop` is requested.
  /// Whoever fetches ahead waits for that: what a reader needs first it fetches by itself, at once,
  /// and does not have to wait for another thread to begin with it.
  void AwaitReaders(const std::stop_token& stop);
  /// Fetches ahead until nothing is left or `stop` is requested: for a thread of its own, of which
  /// there may be `most`.
  void Run(const std::stop_token& stop);

 private:
  /// How far a reader is: behind its last piece at the begin.
  struct Place {
    std::optional<size_t> work;
    size_t at = 0;       // of the next block in it
    bool begun = false;  // has asked for a block, or found no work
  };
  struct Fetched {
    bool ready = false;
    std::string bytes;
    std::exception_ptr error;
  };

  [[nodiscard]] std::optional<size_t> NextToFetch() const;
  // REQUIRES: mutex_ is held.
  void NoteBegin(Place& place);

  const RangedSource& source_;
  const ArchiveLayout& layout_;
  const std::vector<std::vector<size_t>>& works_;
  const size_t most_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Place> places_;        // by reader; guarded by mutex_
  size_t next_work_ = 0;             // guarded by mutex_
  std::map<size_t, Fetched> ahead_;  // by block; guarded by mutex_
};

}  // namespace oxbackup
