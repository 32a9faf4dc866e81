#include "http/retrier.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "base/pause.h"
#include "base/text.h"

namespace oxbackup {
namespace {

using std::chrono::milliseconds;

class ConditionWaiter final : public RetryWaiter {
 public:
  void Wait(milliseconds time, const std::stop_token& stop) override { Pause(stop, time); }
};

}  // namespace

std::unique_ptr<RetryWaiter> MakeRetryWaiter() { return std::make_unique<ConditionWaiter>(); }

void Retrier::EarnBack() {
  const std::lock_guard lock(mutex_);
  left_ = std::min(left_ + 1, policy_.budget);
}

bool Retrier::MayRepeat(Error& error, int attempt, std::chrono::steady_clock::time_point begin) {
  if (!error.transient()) return false;
  const std::lock_guard lock(mutex_);
  const bool spent = left_ <= 0;
  if (attempt < policy_.tries && !spent) {
    --left_;
    return true;
  }
  if (attempt > 1 || spent) {
    // Time-outs are most of it where nothing answers.
    const auto time = std::chrono::duration_cast<milliseconds>(waiter_->Now() - begin);
    error.Tried(fmt::format(
        "{} in {}{}", FormatCounted(static_cast<uint64_t>(attempt), "time", "times"),
        FormatDuration(time), spent ? "; too many calls of this run had to be repeated" : ""));
  }
  return false;
}

void Retrier::WaitBefore(int next_try, const std::stop_token& stop) {
  const int doublings = std::min(next_try - 2, 20);
  const milliseconds full = std::min(policy_.longest_wait, policy_.first_wait * (1 << doublings));
  std::random_device random;
  std::uniform_int_distribution<int64_t> jitter(full.count() / 2, full.count());
  const milliseconds wait(jitter(random));
  waiter_->Wait(wait, stop);
  if (stop.stop_requested()) throw CancelledError();
}

}  // namespace oxbackup
