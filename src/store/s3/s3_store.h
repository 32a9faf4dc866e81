// Archives as objects of a bucket.
#pragma once

#include <memory>
#include <string>

#include "base/environment.h"
#include "base/run_context.h"
#include "store/s3/settings.h"
#include "store/store.h"

namespace oxbackup::s3 {

/// A folder of a bucket; objects of folders in it are not shown. `folder`: without '/' at its ends,
/// empty for the bucket itself. Nothing is asked of the server before the first call. What `run`
/// refers to has to outlive the store; the store has to outlive its writers and sources. Throws
/// Error(kUsage) for impossible settings.
std::unique_ptr<Store> MakeS3Store(const Settings& settings, const std::string& bucket,
                                   const std::string& folder, const Environment& environment,
                                   const RunContext& run);

}  // namespace oxbackup::s3
