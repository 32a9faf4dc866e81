// The connections of a restore and what they do side by side.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/run_context.h"
#include "mysql/session.h"
#include "mysql/shadow_site.h"

namespace oxbackup::mysql {

/// How INSERTs have to be read by the server. A script can change it on its way.
struct LoadSettings {
  std::string charset = "utf8mb4";
  std::string time_zone = "'+00:00'";  ///< SQL

  friend bool operator==(const LoadSettings&, const LoadSettings&) = default;
};

/// A session that fills tables, and what it has been set to.
class LoadSession {
 public:
  LoadSession(const ConnectOptions& options, bool binlog, const std::stop_token& stop);

  Session& session() { return session_; }
  /// Runs an INSERT in the table's shadow schema and counts its rows. One that is too long for the
  /// server, which would close the connection without a word, is Error(kUsage).
  void Insert(const std::string& shadow, ShadowTable& table, const LoadSettings& settings,
              std::string_view sql);
  /// To be called when others have used session() to change database or settings.
  void Forget() { shadow_.clear(); }

 private:
  Session session_;
  const uint64_t statement_limit_;
  std::string shadow_;
  LoadSettings settings_;
};

/// A fixed number of sessions, which a stop of the run ends. Thread-safe.
class LoadCrew {
 public:
  LoadCrew(const ConnectOptions& options, int workers, bool binlog, const RunContext& run);

  int size() const { return static_cast<int>(all_.size()); }

  /// Lends a session for as long as `body` runs; waits until one is free.
  template <class Body>
  void With(Body&& body) {
    LoadSession* const session = Acquire();
    const Returner returner{this, session};
    body(*session);
  }
  /// Ends what the sessions are doing, on the server too, and leaves them unusable: when one part
  /// of a load has failed nobody waits until an index is built elsewhere.
  void Stop() { stop_.request_stop(); }
  /// Calls `body` for each table, several at once, in this order. The first error ends it.
  void ForEach(const std::vector<ShadowTable*>& tables,
               const std::function<void(LoadSession&, ShadowTable&)>& body);

 private:
  struct Returner {
    LoadCrew* crew;
    LoadSession* session;
    ~Returner() { crew->Release(session); }
  };
  LoadSession* Acquire();
  void Release(LoadSession* session);

  struct Stopper {
    LoadCrew* crew;
    void operator()() const { crew->Stop(); }
  };

  RunContext run_;
  std::stop_source stop_;
  std::stop_callback<Stopper> forward_;  // the run's stop
  std::vector<std::unique_ptr<LoadSession>> all_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<LoadSession*> free_;  // guarded by mutex_
};

}  // namespace oxbackup::mysql
