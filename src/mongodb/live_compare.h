// verify --against-live for MongoDB.
#pragma once

#include <memory>

#include "archive/component.h"
#include "base/run_context.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Compares the collections of the databases that the manifest has with it, on up to `readers`
/// connections. What `run` refers to must outlive the comparer. It connects in Compare.
std::unique_ptr<LiveComparer> MakeLiveComparer(const ConnectOptions& options, int readers,
                                               const RunContext& run);

}  // namespace oxbackup::mongodb
