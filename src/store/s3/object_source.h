// An object in a bucket, read by ranges.
#pragma once

#include <memory>

#include "store/s3/bucket.h"
#include "stream/byte_stream.h"

namespace oxbackup::s3 {

/// Opens the object by reading its last bytes, which are kept: an archive's index and manifest are
/// there, so that looking into it takes this one request. From then on it reads this version, or,
/// where there are none, fails once the object has another entity tag. nullptr when there is none.
/// `bucket` is copied; its client has to outlive the source.
std::unique_ptr<RangedSource> OpenObject(const Bucket& bucket, const ObjectId& id);

}  // namespace oxbackup::s3
