#include "archive/block_pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace oxbackup {

BlockPipeline::BlockPipeline(ByteSink& sink, const Compression& compression, int workers,
                             const RunContext& run)
    : sink_(sink), run_(run), tasks_(run.stop) {
  ChooseWorkers(compression, std::max(1, workers));
  output_ = std::make_unique<ByteBudget>((static_cast<uint64_t>(workers_) + 1) * block_bound_);
  jobs_ =
      std::make_unique<BoundedQueue<Job>>((static_cast<uint64_t>(workers_) + 2) * kBlockRawBytes);
  for (int i = 0; i < workers_; ++i) RunTask(&BlockPipeline::CompressBlocks);
  RunTask(&BlockPipeline::WriteBlocks);
}

BlockPipeline::~BlockPipeline() = default;

void BlockPipeline::ChooseWorkers(const Compression& compression, int wanted) {
  const uint64_t share = run_.budget.limit() / 2;
  codec_ = MakeBlockCodec(compression);
  block_bound_ = codec_->StoredBound(kBlockRawBytes);
  const uint64_t per_worker = codec_->EncoderMemory() + block_bound_;
  const uint64_t fitting = share > block_bound_ ? (share - block_bound_) / per_worker : 0;
  workers_ = static_cast<int>(std::clamp<uint64_t>(fitting, 1, static_cast<uint64_t>(wanted)));
  if (fitting == 0) {
    const uint64_t buffers = 2 * block_bound_;
    codec_ = MakeBlockCodec(compression, share > buffers ? share - buffers : 0);
  }
  const uint64_t needed =
      static_cast<uint64_t>(workers_) * (codec_->EncoderMemory() + block_bound_) + block_bound_;
  if (workers_ < wanted) {
    run_.log.Info("compressing with {} of {} threads, more do not fit into half of {} memory",
                  workers_, wanted, FormatBytes(run_.budget.limit()));
  }
  if (needed > share) {
    run_.warnings.Add(fmt::format("{} is less memory than compression with {} needs: it takes {}",
                                  FormatBytes(run_.budget.limit()), FormatCompression(compression),
                                  FormatBytes(needed)));
  }
  standing_ = run_.budget.TakeStanding(needed);
}

void BlockPipeline::RunTask(void (BlockPipeline::*task)(const std::stop_token&)) {
  tasks_.Run([this, task](const std::stop_token& stop) {
    try {
      (this->*task)(stop);
    } catch (...) {
      Fail(std::current_exception());
      throw;
    }
  });
}

void BlockPipeline::Fail(std::exception_ptr error) {
  {
    const std::lock_guard lock(mutex_);
    if (!first_error_) first_error_ = std::move(error);
  }
  tasks_.RequestStop();
  // A producer may be waiting for the memory of the blocks that nobody will take any more; with it,
  // the producer comes to a call that throws.
  jobs_->Discard();
}

void BlockPipeline::CheckFailed() const {
  const std::lock_guard lock(mutex_);
  if (first_error_) {
    try {
      std::rethrow_exception(first_error_);
    } catch (const Error& error) {
      // A copy each: several threads may get it, and each adds what it was doing.
      throw Error(error);
    }
  }
  if (tasks_.stop_token().stop_requested()) throw CancelledError();
}

void BlockPipeline::Submit(RawBlock block) {
  CheckFailed();
  const uint64_t size = block.size;
  try {
    jobs_->Push(Job{submitted_, std::move(block)}, size, stop_token());
  } catch (const Error&) {
    CheckFailed();
    throw;
  }
  ++submitted_;
}

void BlockPipeline::CompressBlocks(const std::stop_token& stop) {
  const std::unique_ptr<BlockEncoder> encoder = codec_->NewEncoder(stop);
  while (true) {
    // Room for the output comes before the block: blocks are taken in order, so the earliest one
    // that is not yet written always has its room, and the writer can go on.
    Reservation output = output_->Take(block_bound_, stop);
    std::optional<Job> job = jobs_->Pop(stop);
    if (!job) return;
    Stored stored;
    stored.bytes = encoder->Encode(job->raw.pieces, &stored.record);
    job->raw = RawBlock{};
    output.Resize(stored.bytes.size());
    stored.output = std::move(output);
    stored.entry = {stored.record.stored_size, stored.record.raw_size,
                    Xxh3_128Hex(stored.bytes.view())};
    const std::lock_guard lock(mutex_);
    finished_.emplace(job->sequence, std::move(stored));
    finished_changed_.notify_all();
  }
}

void BlockPipeline::WriteBlocks(const std::stop_token& stop) {
  sink_.Write(codec_->StreamHeader());
  stored_bytes_ += codec_->StreamHeader().size();
  for (uint64_t next = 0;; ++next) {
    std::unique_lock lock(mutex_);
    const bool ready = finished_changed_.wait(
        lock, stop, [&] { return finished_.contains(next) || (closed_ && next == submitted_); });
    if (!ready) throw CancelledError();
    if (!finished_.contains(next)) return;
    const Stored stored = std::move(finished_.extract(next).mapped());
    lock.unlock();
    sink_.Write(stored.bytes.view());
    stored_bytes_ += stored.bytes.size();
    entries_.push_back(stored.entry);
    records_.push_back(stored.record);
  }
}

void BlockPipeline::Finish(std::vector<BlockEntry>* entries, std::vector<BlockRecord>* records) {
  CheckFailed();
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    finished_changed_.notify_all();
  }
  jobs_->Close();
  try {
    tasks_.Wait();
  } catch (...) {
    CheckFailed();
    throw;
  }
  *entries = std::move(entries_);
  *records = std::move(records_);
}

}  // namespace oxbackup
