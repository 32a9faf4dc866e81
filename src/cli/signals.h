// Ctrl-C and what service managers send.
#pragma once

#include <functional>
#include <stop_token>
#include <thread>

namespace oxbackup {

/// While it lives, the first SIGINT, SIGTERM or SIGHUP requests a stop, and the second ends the
/// process at once with status 130 (an unfinished archive is then left to the next run, which
/// removes it); one that the same process sends within 200 ms is no second one. The signals are
/// blocked and read by a thread of ours, so no handler runs in the middle of a database client.
/// Make it before any other thread, which inherits the blocked signals; a process has one.
class SignalWatcher {
 public:
  /// `first`: after the stop was requested, to tell the operator, on a thread of its own. `second`:
  /// just before the process ends, on the watcher's thread; it must not wait for anything.
  SignalWatcher(std::stop_source stop, std::function<void()> first, std::function<void()> second);
  /// Lets signals through again.
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  void Watch();

  std::stop_source stop_;
  std::function<void()> first_;
  std::function<void()> second_;
  int signals_ = -1;
  int wake_ = -1;
  std::thread thread_;
};

}  // namespace oxbackup
