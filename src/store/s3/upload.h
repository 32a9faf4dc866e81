// One archive on its way into a bucket: a multipart upload whose parts travel in parallel.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/s3/bucket.h"
#include "store/s3/part_plan.h"
#include "store/store.h"

namespace oxbackup::s3 {

/// Begins an upload under the first of `names` that is free: no object has it, and no upload of it
/// has been going on longer. Where new objects become versions the first name is taken.
/// An upload that was begun is the reservation of its name, so that two backups of one moment do
/// not meet at their ends. When all are taken the last one is, and Finish() refuses it.
std::unique_ptr<ObjectWriter> BeginArchive(const Bucket& bucket,
                                           const std::vector<std::string>& names,
                                           Versioning versioning);

}  // namespace oxbackup::s3
