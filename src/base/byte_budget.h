// The memory budget that all stages of a run share.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace oxbackup {

class ByteBudget;

/// Bytes taken out of a ByteBudget; gives them back when destroyed. Move-only: it travels with the
/// buffer that it stands for, from the worker that fills the buffer to the writer that drops it.
class Reservation {
 public:
  Reservation() = default;
  ~Reservation() { Release(); }
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;

  uint64_t bytes() const { return bytes_; }
  /// Gives back all but `bytes`; with more than is held, the budget is overdrawn by the difference
  /// at once (a single row or document larger than a chunk is allowed: docs/design.md).
  void Resize(uint64_t bytes);
  void Release();

 private:
  friend class ByteBudget;
  Reservation(ByteBudget* budget, uint64_t bytes, bool standing)
      : budget_(budget), bytes_(bytes), standing_(standing) {}

  ByteBudget* budget_ = nullptr;
  uint64_t bytes_ = 0;
  bool standing_ = false;
};

/// Counts bytes against a limit. Thread-safe. Must outlive its reservations.
/// To stay free of deadlocks a stage reserves all that one piece of work needs before it starts on
/// it, and never waits for a second reservation while it holds one.
class ByteBudget {
 public:
  /// REQUIRES: limit > 0 (bytes).
  explicit ByteBudget(uint64_t limit) : limit_(limit) {}

  /// Waits until `bytes` fit. A request that can never fit waits until nothing but standing
  /// reservations is out, so that it cannot wait for ever. Throws Error(kCancelled) once `stop` is
  /// requested.
  Reservation Take(uint64_t bytes, const std::stop_token& stop);
  /// Takes bytes that stay out as long as a stage lives (encoders, decoders), at once: their size
  /// cannot depend on what others do. The caller chooses it with the limit in mind.
  Reservation TakeStanding(uint64_t bytes);

  uint64_t limit() const { return limit_; }
  uint64_t used() const;
  /// The most that was ever out at once.
  uint64_t peak() const;

 private:
  friend class Reservation;
  void Change(uint64_t from, uint64_t to, bool standing);

  const uint64_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  uint64_t used_ = 0;      // guarded by mutex_
  uint64_t standing_ = 0;  // guarded by mutex_; a part of used_
  uint64_t peak_ = 0;      // guarded by mutex_
};

}  // namespace oxbackup
