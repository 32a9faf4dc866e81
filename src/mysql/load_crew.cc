#include "mysql/load_crew.h"

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "base/task_group.h"
#include "mysql/packet_size.h"
#include "mysql/quote.h"

namespace oxbackup::mysql {

LoadSession::LoadSession(const ConnectOptions& options, bool binlog, const std::stop_token& stop)
    : session_(options, stop), statement_limit_(StatementLimit(session_)) {
  PrepareForLoad(session_, binlog);
}

void LoadSession::Insert(const std::string& shadow, ShadowTable& table,
                         const LoadSettings& settings, std::string_view sql) {
  RefuseTooLong(table.database + "." + table.name, sql.size(), statement_limit_);
  if (shadow_ != shadow) {
    session_.Execute("USE " + QuoteName(shadow));
    shadow_ = shadow;
  }
  if (settings_ != settings) {
    session_.Execute("SET NAMES " + settings.charset);
    session_.Execute("SET SESSION time_zone=" + settings.time_zone);
    settings_ = settings;
  }
  WithContext([&] { return "loading " + table.database + "." + table.name; },
              [&] { ExecuteWithRetry(session_, sql); });
  table.rows += session_.affected_rows();
  table.bytes += sql.size();
}

LoadCrew::LoadCrew(const ConnectOptions& options, int workers, bool binlog, const RunContext& run)
    : run_(run), forward_(run.stop, Stopper{this}) {
  for (int i = 0; i < std::max(workers, 1); ++i) {
    all_.push_back(std::make_unique<LoadSession>(options, binlog, stop_.get_token()));
    free_.push_back(all_.back().get());
  }
}

LoadSession* LoadCrew::Acquire() {
  std::unique_lock lock(mutex_);
  const bool got = changed_.wait(lock, stop_.get_token(), [&] { return !free_.empty(); });
  if (!got) throw CancelledError();
  LoadSession* const session = free_.back();
  free_.pop_back();
  return session;
}

void LoadCrew::Release(LoadSession* session) {
  const std::lock_guard lock(mutex_);
  free_.push_back(session);
  changed_.notify_one();
}

void LoadCrew::ForEach(const std::vector<ShadowTable*>& tables,
                       const std::function<void(LoadSession&, ShadowTable&)>& body) {
  std::atomic<size_t> next{0};
  TaskGroup group(run_.stop);
  const std::stop_callback stop(group.stop_token(), Stopper{this});
  for (int i = 0; i < size(); ++i) {
    group.Run([&](const std::stop_token& stop) {
      With([&](LoadSession& session) {
        for (size_t at = next++; at < tables.size() && !stop.stop_requested(); at = next++) {
          body(session, *tables[at]);
          session.Forget();
        }
      });
    });
  }
  group.Wait();
}

}  // namespace oxbackup::mysql
