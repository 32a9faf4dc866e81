// Threads that belong together: the first error stops all of them and is rethrown at the end.
#pragma once

#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace oxbackup {

/// A group of std::jthreads with one stop token. The first exception that leaves a task is kept,
/// the others are asked to stop, and Wait() rethrows it. Run and Wait are called by one thread;
/// tasks must return soon after their token is stopped.
class TaskGroup {
 public:
  /// `parent`: stopping it stops the group.
  explicit TaskGroup(const std::stop_token& parent);
  /// Asks all tasks to stop and joins them; an error not yet rethrown is dropped, so call Wait().
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  void Run(std::function<void(const std::stop_token&)> task);
  /// Joins all tasks and rethrows the first error. When the parent was stopped and no task failed,
  /// throws Error(kCancelled).
  void Wait();
  void RequestStop() { stop_.request_stop(); }
  std::stop_token stop_token() const { return stop_.get_token(); }

 private:
  struct StopForwarder {
    std::stop_source* target;
    void operator()() const { target->request_stop(); }
  };

  std::stop_token parent_;
  std::stop_source stop_;
  std::stop_callback<StopForwarder> forward_;
  std::mutex mutex_;
  std::exception_ptr first_error_;  // guarded by mutex_
  // Last member: joined before what the tasks use goes away.
  std::vector<std::jthread> threads_;
};

}  // namespace oxbackup
