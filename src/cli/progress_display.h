// Shows a run's progress while it goes on, and lets the log speak above it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/progress.h"
#include "cli/progress_render.h"
#include "cli/terminal.h"

namespace oxbackup {

enum class ProgressMode { kBar, kLines, kJson, kNone };

/// The run's log and its display in one, since both write to the same screen: a log line appears
/// above the bar, never inside it. Shows nothing until Start(). Thread-safe but for Start and Stop,
/// which one thread calls.
class ProgressDisplay final : public Log {
 public:
  struct Options {
    ProgressMode mode = ProgressMode::kNone;
    /// Between lines or JSON objects; a bar is redrawn five times a second.
    std::chrono::milliseconds interval{10000};
  };

  /// `log` takes what is written; `progress` must outlive the display. `json`: makes a JSON text of
  /// a view, for kJson.
  ProgressDisplay(std::unique_ptr<Log> log, const Progress& progress, const Options& options,
                  std::function<std::string(const ProgressView&)> json);
  /// Stops; what the bar showed last stays on the screen.
  ~ProgressDisplay() override;

  void Start();
  /// `erase`: takes the bar off the screen, for what is printed next.
  void Stop(bool erase);
  void Write(LogLevel level, std::string_view message) override;
  /// Says at once that the run is stopping, and shows its progress no longer.
  void ShowStopping();
  /// Gives the terminal its cursor back and says `message` without taking a lock; for the moment
  /// before _exit.
  void EndAtOnce(std::string_view message) noexcept;

 private:
  void Show(const std::stop_token& stop);
  void Tick();
  void Draw();   // REQUIRES: mutex_ held
  void Erase();  // REQUIRES: mutex_ held

  std::unique_ptr<Log> log_;
  const Progress& progress_;
  const Options options_;
  const std::function<std::string(const ProgressView&)> json_;
  const std::chrono::steady_clock::time_point begin_;
  std::atomic<bool> cursor_hidden_ = false;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  RateMeter meter_;        // guarded by mutex_
  ProgressView view_;      // guarded by mutex_; what was drawn last
  int drawn_lines_ = 0;    // guarded by mutex_
  bool showing_ = false;   // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::jthread thread_;    // last: joined before the rest goes away
};

}  // namespace oxbackup
