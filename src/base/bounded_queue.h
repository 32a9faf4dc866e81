// A queue between two stages, bounded in bytes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/error.h"

namespace oxbackup {

/// First in, first out; many producers, many consumers. The bound counts the cost that is given
/// with each item; an item above the whole bound is let in when the queue is empty.
template <class T>
class BoundedQueue {
 public:
  /// REQUIRES: max_cost > 0, in the unit of Push's cost (bytes).
  explicit BoundedQueue(uint64_t max_cost) : max_cost_(max_cost) {}

  /// Waits for room. Throws Error(kCancelled) once `stop` is requested, or after Discard. REQUIRES:
  /// not closed.
  void Push(T item, uint64_t cost, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const bool room = changed_.wait(lock, stop, [&] {
      return discarded_ || items_.empty() || (cost <= max_cost_ && cost_ <= max_cost_ - cost);
    });
    if (!room || discarded_) throw CancelledError();
    items_.emplace_back(std::move(item), cost);
    cost_ += cost;
    changed_.notify_all();
  }

  /// Waits for an item; nothing when the queue is closed and empty. Throws Error(kCancelled) once
  /// `stop` is requested.
  [[nodiscard]] std::optional<T> Pop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return !items_.empty() || closed_; })) {
      throw CancelledError();
    }
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front().first));
    cost_ -= items_.front().second;
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

  /// No further Push; consumers get what is left, then nothing.
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  /// For when nobody takes anything any more: drops what is in it, with the memory that it holds,
  /// and lets nothing in from then on.
  void Discard() {
    // Destroyed without the lock: an item may own whatever it likes.
    std::deque<std::pair<T, uint64_t>> dropped;
    const std::lock_guard lock(mutex_);
    dropped.swap(items_);
    cost_ = 0;
    discarded_ = true;
    changed_.notify_all();
  }

 private:
  const uint64_t max_cost_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<T, uint64_t>> items_;  // guarded by mutex_
  uint64_t cost_ = 0;                         // guarded by mutex_
  bool closed_ = false;                       // guarded by mutex_
  bool discarded_ = false;                    // guarded by mutex_
};

}  // namespace oxbackup
