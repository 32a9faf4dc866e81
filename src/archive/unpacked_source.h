// The bytes inside a file that is compressed with whatever, or not at all.
#pragma once

#include <memory>
#include <string>

#include "stream/byte_stream.h"

namespace oxbackup {

/// Decompresses xz, gzip, zstd and bzip2, told by the first bytes; anything else is given as it is.
/// Its end is reached only when every check value up to the file's end was right: Read throws
/// Error(kCorrupt) otherwise, or what the source threw. The source must outlive it. `name` is for
/// messages.
std::unique_ptr<ByteSource> UnpackSource(ByteSource& source, const std::string& name);

}  // namespace oxbackup
