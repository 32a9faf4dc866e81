// MongoDB's writers held back for the seconds in which a standalone server's one moment is read.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/run_context.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Throws when a lock could not be taken later: Error(kUsage) on a server that has none (FerretDB,
/// mongos) or for an account without the right to it (root, clusterAdmin and hostManager have it;
/// backup has not); Error(kSource) where somebody has locked the server already.
void CheckWriteLock(Session& session);

/// Throws Error(kSource) when writes would wait for ever, since somebody has locked the server.
/// Where the account may not ask, nothing happens.
void RefuseLockedServer(Session& session);

/// `fsync` with `lock`: reads go on, writes wait. The server keeps the lock when the connection
/// that took it breaks, so whoever dies with it leaves a site that cannot write until somebody
/// sends `fsyncUnlock`. One thread.
class WriteLock {
 public:
  /// Takes the lock. Throws Error(kSource) when the server refuses. `session` must outlive it;
  /// `connect` is for another connection when that one is lost.
  WriteLock(Session& session, ConnectOptions connect, const RunContext& run);
  /// Lets go when Release was not called. A failure is a warning that says what to do.
  ~WriteLock();
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

  /// Lets the writers go on. Throws Error(kSource) when the server does not confirm it.
  void Release();

  TimePoint since() const { return since_; }
  /// How long writers were held; zero until they were released.
  std::chrono::milliseconds held() const { return held_; }

 private:
  /// Release without an error: for destruction.
  void LetGo();

  Session& session_;
  const ConnectOptions connect_;
  RunContext run_;
  TimePoint since_;
  std::chrono::steady_clock::time_point taken_;
  std::chrono::milliseconds held_{0};
  bool locked_ = false;
};

}  // namespace oxbackup::mongodb
