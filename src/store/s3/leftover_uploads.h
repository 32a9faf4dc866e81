// Uploads that are not complete: those of others that are going on, and those that died.
#pragma once

#include <string>

#include "store/s3/bucket.h"

namespace oxbackup::s3 {

/// Whether no other upload of `name` that is younger than a day began before the one with the id
/// `upload`. True where it cannot be told.
bool IsFirst(const Bucket& bucket, const std::string& name, const std::string& upload);

/// Gives up uploads of archives in the folder that the same account began more than a day ago: of
/// runs that were killed. Where the server tells no accounts the name alone decides. Not `upload`,
/// which has just been begun and tells who we are. What cannot be listed or given up is left to the
/// bucket's own rules, with a line in the log.
void RemoveLeftovers(const Bucket& bucket, const std::string& name, const std::string& upload);

}  // namespace oxbackup::s3
