#include "base/run_context.h"

#include "base/error.h"

namespace oxbackup {

void RunContext::ThrowIfStopped() const {
  if (stop.stop_requested()) throw CancelledError();
}

}  // namespace oxbackup
