// Runs as they end, for tests.
#pragma once

#include "report/run_summary.h"

namespace oxbackup {

/// A backup of MySQL and MongoDB into a bucket: from 2026-11-26T02:00:00Z on, 1234.5 s long.
RunSummary SuccessfulBackup();
/// One that ended with an error of MySQL at the same times.
RunSummary FailedBackup();
/// A restore of a backup that was made at 2026-11-25T02:00:00Z.
RunSummary SuccessfulRestore();

}  // namespace oxbackup
