// Runs independent jobs on a few threads.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace sitegen {

/// Runs job(0) … job(count - 1), in about that order, on `threads` threads; `make` runs first on
/// each thread and gives the function that does its jobs (so that a thread has a connection of its
/// own). The first exception ends the run and is thrown here once all threads have stopped.
void RunJobs(size_t count, size_t threads,
             const std::function<std::function<void(size_t)>()>& make);

}  // namespace sitegen
