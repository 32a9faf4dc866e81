// Uploads that are not complete: those of others that are going on, and those that died.
#pragma once

#include <string>

#include "store/s3/bucket.h"

namespace oxbackup::s3 {

/// Whether the upload with the id `upload`, which has just been begun, has `name` for itself: of
/// those that are going on and younger than a day at most one has, and whoever has not gives its
/// upload up. Waits up to five seconds where several began together. True where it cannot be told.
/// Throws Error(kCancelled) when the run is stopped meanwhile.
bool IsFirst(const Bucket& bucket, const std::string& name, const std::string& upload);

/// Gives up uploads of archives in the folder that the same account began more than a day ago: of
/// runs that were killed. Where the server tells no accounts the name alone decides. Not `upload`,
/// which has just been begun and tells who we are. What cannot be listed or given up is left to the
/// bucket's own rules, with a line in the log.
void RemoveLeftovers(const Bucket& bucket, const std::string& name, const std::string& upload);

}  // namespace oxbackup::s3
