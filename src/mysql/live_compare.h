// Comparing the databases of a running server with a manifest.
#pragma once

#include <memory>

#include "archive/component.h"
#include "base/run_context.h"
#include "mysql/connect_options.h"

namespace oxbackup::mysql {

/// Compares the tables of the manifest's databases with the live ones on `readers` connections,
/// each in one consistent view; of views, triggers, routines and events, which are there. It
/// connects in Compare. What `run` refers to must outlive it.
std::unique_ptr<LiveComparer> MakeLiveComparer(const ConnectOptions& options, int readers,
                                               const RunContext& run);

}  // namespace oxbackup::mysql
