// Comparing loaded tables with what they should be.
#pragma once

#include "archive/manifest.h"
#include "base/run_context.h"
#include "mysql/connect_options.h"
#include "mysql/shadow_site.h"

namespace oxbackup::mysql {

/// Reads every loaded table back on `readers` connections. With a manifest each table's rows and
/// digest are compared with it; without (foreign archives) its number of rows with what was loaded.
/// Throws Error(kCorrupt) naming the first table that differs.
void VerifyShadow(const ConnectOptions& options, int readers, ShadowSite& site,
                  const ComponentManifest* expected, const RunContext& run);

}  // namespace oxbackup::mysql
