#include "archive/stream_buffers.h"

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "base/error.h"
#include "stream/byte_buffer.h"

namespace oxbackup {

struct StreamBuffers::State {
  Reservation reservation;
  std::vector<ByteBuffer> buffers;
  std::mutex mutex;
  std::condition_variable_any freed;
  std::vector<char*> free;  // guarded by mutex
};

StreamBuffers::StreamBuffers(size_t count, size_t size, Reservation reservation)
    : state_(std::make_shared<State>()) {
  state_->reservation = std::move(reservation);
  for (size_t i = 0; i < count; ++i) {
    state_->buffers.emplace_back(size);
    state_->free.push_back(state_->buffers.back().data());
  }
}

std::shared_ptr<char> StreamBuffers::Take(const std::stop_token& stop) {
  std::unique_lock lock(state_->mutex);
  if (!state_->freed.wait(lock, stop, [&] { return !state_->free.empty(); })) {
    throw CancelledError();
  }
  char* const buffer = state_->free.back();
  state_->free.pop_back();
  return {buffer, [state = state_](char* used) {
            const std::lock_guard guard(state->mutex);
            state->free.push_back(used);
            state->freed.notify_one();
          }};
}

}  // namespace oxbackup
