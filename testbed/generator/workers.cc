#include "workers.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

namespace sitegen {

void RunJobs(size_t count, size_t threads,
             const std::function<std::function<void(size_t)>()>& make) {
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr error;
  auto work = [&] {
    try {
      auto job = make();
      for (size_t i = next++; i < count; i = next++) job(i);
    } catch (...) {
      next = count;
      std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> group;
    for (size_t i = 0; i < std::min(threads, count); i++) group.emplace_back(work);
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace sitegen
