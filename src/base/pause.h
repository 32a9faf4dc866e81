// Waiting for a while, in the one way that a stop request ends.
#pragma once

#include <chrono>
#include <stop_token>

namespace oxbackup {

/// Returns after `duration`, or at once when a stop is or was requested. For what nobody tells of
/// its end: a server's lock, a file's. Any thread.
void Pause(const std::stop_token& stop, std::chrono::milliseconds duration);

}  // namespace oxbackup
