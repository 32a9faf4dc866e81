#include "base/pause.h"

#include <condition_variable>
#include <mutex>

namespace oxbackup {

void Pause(const std::stop_token& stop, std::chrono::milliseconds duration) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, duration, [] { return false; });
}

}  // namespace oxbackup
