#include "base/byte_budget.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace oxbackup {

Reservation::Reservation(Reservation&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      standing_(other.standing_) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    Release();
    budget_ = std::exchange(other.budget_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
    standing_ = other.standing_;
  }
  return *this;
}

void Reservation::Resize(uint64_t bytes) {
  if (budget_ == nullptr) return;
  budget_->Change(bytes_, bytes, standing_);
  bytes_ = bytes;
}

void Reservation::Release() {
  if (budget_ != nullptr) budget_->Change(bytes_, 0, standing_);
  budget_ = nullptr;
  bytes_ = 0;
}

Reservation ByteBudget::Take(uint64_t bytes, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const bool fits = changed_.wait(lock, stop, [&] {
    return used_ == standing_ || (bytes <= limit_ && used_ <= limit_ - bytes);
  });
  if (!fits) throw CancelledError();
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  return Reservation(this, bytes, false);
}

Reservation ByteBudget::TakeStanding(uint64_t bytes) {
  Change(0, bytes, true);
  return Reservation(this, bytes, true);
}

uint64_t ByteBudget::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

uint64_t ByteBudget::peak() const {
  const std::lock_guard lock(mutex_);
  return peak_;
}

void ByteBudget::Change(uint64_t from, uint64_t to, bool standing) {
  {
    const std::lock_guard lock(mutex_);
    used_ = used_ - from + to;
    if (standing) standing_ = standing_ - from + to;
    peak_ = std::max(peak_, used_);
  }
  changed_.notify_all();
}

}  // namespace oxbackup
