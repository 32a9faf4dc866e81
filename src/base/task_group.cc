#include "base/task_group.h"

#include <utility>

#include "base/error.h"

namespace oxbackup {

TaskGroup::TaskGroup(const std::stop_token& parent)
    : parent_(parent), forward_(parent, StopForwarder{&stop_}) {}

TaskGroup::~TaskGroup() {
  RequestStop();
  threads_.clear();
}

void TaskGroup::Run(std::function<void(const std::stop_token&)> task) {
  threads_.emplace_back([this, task = std::move(task)] {
    try {
      task(stop_.get_token());
    } catch (...) {
      {
        const std::lock_guard lock(mutex_);
        if (!first_error_) first_error_ = std::current_exception();
      }
      stop_.request_stop();
    }
  });
}

void TaskGroup::Wait() {
  threads_.clear();
  const std::lock_guard lock(mutex_);
  if (const std::exception_ptr error = std::exchange(first_error_, nullptr)) {
    std::rethrow_exception(error);
  }
  if (parent_.stop_requested()) throw CancelledError();
}

}  // namespace oxbackup
