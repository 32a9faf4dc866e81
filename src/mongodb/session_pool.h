// Connections for workers that come and go with their tasks.
#pragma once

#include <memory>
#include <mutex>
#include <stop_token>
#include <utility>
#include <vector>

#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Hands out sessions, each to one thread at a time; connects only when none is free. Thread-safe.
/// Must outlive its leases.
class SessionPool {
 public:
  SessionPool(ConnectOptions options, std::stop_token stop)
      : options_(std::move(options)), stop_(std::move(stop)) {}

  /// A session on loan; goes back when destroyed.
  class Lease {
   public:
    Lease(SessionPool& pool, std::unique_ptr<Session> session)
        : pool_(&pool), session_(std::move(session)) {}
    ~Lease() {
      if (session_) pool_->Return(std::move(session_));
    }
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;

    Session& operator*() const { return *session_; }
    Session* operator->() const { return session_.get(); }

   private:
    SessionPool* pool_;
    std::unique_ptr<Session> session_;
  };

  /// Throws as Session's constructor does.
  Lease Take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        std::unique_ptr<Session> session = std::move(free_.back());
        free_.pop_back();
        return Lease(*this, std::move(session));
      }
    }
    return Lease(*this, std::make_unique<Session>(options_, stop_));
  }

 private:
  void Return(std::unique_ptr<Session> session) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(session));
  }

  const ConnectOptions options_;
  const std::stop_token stop_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Session>> free_;  // guarded by mutex_
};

}  // namespace oxbackup::mongodb
