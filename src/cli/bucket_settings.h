// From settings to the way to a bucket.
#pragma once

#include "cli/setting_values.h"
#include "engine/location.h"

namespace oxbackup {

/// Throws Error(kUsage) for impossible settings, whether or not a bucket is used: they would
/// surprise at night.
BucketAccess BucketAccessOf(const SettingValues& settings);

}  // namespace oxbackup
