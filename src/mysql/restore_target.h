// MySQL as something that an archive is restored to.
#pragma once

#include <memory>

#include "archive/component.h"
#include "base/run_context.h"
#include "mysql/connect_options.h"
#include "mysql/live_compare.h"
#include "mysql/restore_options.h"

namespace oxbackup::mysql {

/// Loads into shadow schemas, then swaps with one RENAME TABLE. It connects with the first call.
/// Databases of the server that the archive lacks are never touched, nor are mysql and the like.
/// What `run` refers to must outlive the target.
std::unique_ptr<RestoreTarget> MakeRestoreTarget(const ConnectOptions& connect,
                                                 const RestoreOptions& options,
                                                 const RunContext& run);

}  // namespace oxbackup::mysql
