// The one place that tries again.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace oxbackup {

/// How long to go on. The n-th wait lies between half and all of min(longest, first * 2^(n-1)), at
/// random, so that many clients of one server do not come back at the same moment.
struct RetryPolicy {
  int tries = 8;  ///< calls in all, at least 1
  std::chrono::milliseconds first_wait{500};
  std::chrono::milliseconds longest_wait{30'000};
  /// Repetitions that all calls together may have beyond their successes: a server that fails most
  /// calls is given up instead of being asked eight times for each. A call that succeeds at its
  /// first try earns one back.
  int budget = 200;
};

/// Waiting as a seam, so that tests need no time.
class RetryWaiter {
 public:
  virtual ~RetryWaiter() = default;
  /// Returns after `time`, or at once when `stop` is requested. Thread-safe.
  virtual void Wait(std::chrono::milliseconds time, const std::stop_token& stop) = 0;
  /// Of a clock that only goes on.
  virtual std::chrono::steady_clock::time_point Now() const {
    return std::chrono::steady_clock::now();
  }
};

std::unique_ptr<RetryWaiter> MakeRetryWaiter();

/// Makes a call again while it throws an Error with transient(). Thread-safe.
class Retrier {
 public:
  /// `waiter` becomes the retrier's; `log` must outlive it.
  Retrier(const RetryPolicy& policy, std::unique_ptr<RetryWaiter> waiter, Log& log)
      : policy_(policy), waiter_(std::move(waiter)), log_(log), left_(policy.budget) {}

  /// Calls `body()` until it returns or throws for good: an Error that is not transient() comes out
  /// at once, the last of the others with what was tried. A stop ends the waiting with
  /// Error(kCancelled). `what`: what is being done, for the log: "uploading part 3".
  template <class Body>
  std::invoke_result_t<Body> Run(const std::string& what, const std::stop_token& stop,
                                 Body&& body) {
    const std::chrono::steady_clock::time_point begin = waiter_->Now();
    for (int attempt = 1;; ++attempt) {
      try {
        if constexpr (std::is_void_v<std::invoke_result_t<Body>>) {
          body();
          if (attempt == 1) EarnBack();
          return;
        } else {
          auto result = body();
          if (attempt == 1) EarnBack();
          return result;
        }
      } catch (Error& error) {
        if (!MayRepeat(error, attempt, begin)) throw;
        log_.Info("{}: {} ({}); trying again", what, error.what(), error.cause());
      }
      WaitBefore(attempt + 1, stop);
    }
  }

 private:
  void EarnBack();
  // Adds to `error` what was tried when it is given up.
  bool MayRepeat(Error& error, int attempt, std::chrono::steady_clock::time_point begin);
  void WaitBefore(int next_try, const std::stop_token& stop);

  const RetryPolicy policy_;
  const std::unique_ptr<RetryWaiter> waiter_;
  Log& log_;
  std::mutex mutex_;
  int left_;  // guarded by mutex_
};

}  // namespace oxbackup
