// A few block-sized buffers that go round between the reader of a large file and the compressors.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>

#include "base/byte_budget.h"

namespace oxbackup {

/// All its memory is reserved when it is made; so taking a buffer waits for the compressors only
/// and never for the budget. Thread-safe.
class StreamBuffers {
 public:
  /// `count` buffers of `size` bytes each, for which `reservation` stands.
  StreamBuffers(size_t count, size_t size, Reservation reservation);

  /// Waits for a free buffer; it is free again when the last owner has let go of it. The buffers
  /// stay until then, whatever happens to this object. Throws Error(kCancelled) once `stop` is
  /// requested.
  std::shared_ptr<char> Take(const std::stop_token& stop);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace oxbackup
