// Compresses blocks on several threads and writes them to a sink in the order in which they came.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "archive/manifest.h"
#include "base/bounded_queue.h"
#include "base/run_context.h"
#include "base/task_group.h"
#include "stream/block_codec.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// Blocks of the tar stream are cut to at most this many raw bytes.
inline constexpr uint64_t kBlockRawBytes = uint64_t{8} << 20;

/// One block's raw bytes: pieces of memory that `owner` keeps alive until they are compressed.
struct RawBlock {
  std::vector<std::string_view> pieces;
  uint64_t size = 0;
  std::shared_ptr<const void> owner;
};

/// Memory beside the raw blocks: each worker's encoder, a block's bound of output for each worker
/// and for the writer. It is taken from the run's budget at the start; when that is more than half
/// of the budget, fewer workers run, then the dictionary is made smaller.
///
/// Submit and Finish are called by one thread at a time, the others by any. After an error all its
/// threads stop, and CheckFailed throws it.
class BlockPipeline {
 public:
  /// `sink` and what `run` refers to must outlive it.
  BlockPipeline(ByteSink& sink, const Compression& compression, int workers, const RunContext& run);
  ~BlockPipeline();

  /// Queues a block; waits while the workers have enough to do.
  void Submit(RawBlock block);
  /// Waits until every block is written; returns their entries and sizes in order. The sink is then
  /// free for the caller.
  void Finish(std::vector<BlockEntry>* entries, std::vector<BlockRecord>* records);
  /// Rethrows the first error of any thread; throws Error(kCancelled) when the run was stopped.
  void CheckFailed() const;
  /// Makes an error of a producer the pipeline's: all stop.
  void Fail(std::exception_ptr error);

  const BlockCodec& codec() const { return *codec_; }
  int workers() const { return workers_; }
  std::stop_token stop_token() const { return tasks_.stop_token(); }
  uint64_t stored_bytes() const { return stored_bytes_.load(); }

 private:
  struct Job {
    uint64_t sequence = 0;
    RawBlock raw;
  };
  struct Stored {
    ByteBuffer bytes;
    BlockEntry entry;
    BlockRecord record;
    Reservation output;
  };

  void ChooseWorkers(const Compression& compression, int wanted);
  void RunTask(void (BlockPipeline::*task)(const std::stop_token&));
  void CompressBlocks(const std::stop_token& stop);
  void WriteBlocks(const std::stop_token& stop);

  ByteSink& sink_;
  const RunContext run_;
  std::unique_ptr<BlockCodec> codec_;
  int workers_ = 1;
  uint64_t block_bound_ = 0;  // what a block can take when stored
  Reservation standing_;
  std::unique_ptr<ByteBudget> output_;  // stored blocks on their way to the sink
  std::unique_ptr<BoundedQueue<Job>> jobs_;
  uint64_t submitted_ = 0;  // by the submitting thread, before jobs_ is closed
  std::atomic<uint64_t> stored_bytes_ = 0;

  // Of the writing thread; others read them after it has ended.
  std::vector<BlockEntry> entries_;
  std::vector<BlockRecord> records_;

  mutable std::mutex mutex_;
  std::condition_variable_any finished_changed_;
  std::map<uint64_t, Stored> finished_;  // guarded by mutex_
  bool closed_ = false;                  // guarded by mutex_
  std::exception_ptr first_error_;       // guarded by mutex_

  // Last member: joined before what the tasks use goes away.
  TaskGroup tasks_;
};

}  // namespace oxbackup
