// MongoDB as something to restore into.
#pragma once

#include <memory>

#include "archive/component.h"
#include "base/run_context.h"
#include "mongodb/restore_options.h"
#include "mongodb/session.h"

namespace oxbackup::mongodb {

/// Loads into `<collection>__restore` beside the live collections of the same database; replaced
/// ones are kept as `<collection>__old`. What moves where stands in `openedx_backup.swaps` while it
/// moves. Connects when first used. What `run` refers to must outlive the target.
std::unique_ptr<RestoreTarget> MakeRestoreTarget(const ConnectOptions& connect,
                                                 const RestoreOptions& options,
                                                 const RunContext& run);

}  // namespace oxbackup::mongodb
