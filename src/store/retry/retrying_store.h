// The one place that tries again: any store, with its transient errors ridden out.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>

#include "base/log.h"
#include "store/store.h"

namespace oxbackup {

/// How long to go on. The n-th wait lies between half and all of min(longest, first * 2^(n-1)), at
/// random, so that many clients of one server do not come back at the same moment.
struct RetryPolicy {
  int tries = 8;  ///< calls in all, at least 1
  std::chrono::milliseconds first_wait{500};
  std::chrono::milliseconds longest_wait{30'000};
};

/// Waiting as a seam, so that tests need no time.
class RetryWaiter {
 public:
  virtual ~RetryWaiter() = default;
  /// Returns after `time`, or at once when `stop` is requested. Thread-safe.
  virtual void Wait(std::chrono::milliseconds time, const std::stop_token& stop) = 0;
};

std::unique_ptr<RetryWaiter> MakeRetryWaiter();

/// Every call of the store, its writers and its sources is made again while it throws an Error with
/// transient(); the last error comes out with what was tried. Other errors come out at once. A stop
/// ends the waiting with Error(kCancelled). A Remove that finds nothing after a failed try counts
/// as done, since that try may have removed the object before its answer was lost. `store` and
/// `waiter` become the decorator's; `log` must outlive it and what it creates.
std::unique_ptr<Store> MakeRetryingStore(std::unique_ptr<Store> store, const RetryPolicy& policy,
                                         std::unique_ptr<RetryWaiter> waiter, Log& log,
                                         std::stop_token stop);

}  // namespace oxbackup
