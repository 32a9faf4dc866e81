// One zstd frame a block, and the seek table of the seekable format in a skippable frame at the
// end.
#pragma once

#include <memory>

#include "stream/block_codec.h"

namespace oxbackup {

/// `level`: 1 to 19. `memory_limit`: as MakeBlockCodec.
std::unique_ptr<BlockCodec> MakeZstdCodec(int level, uint64_t memory_limit);

}  // namespace oxbackup
