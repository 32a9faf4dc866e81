// Blocks of one ordinary .xz stream, as `xz -T0` writes them: sizes in the block headers, CRC64,
// one index and footer at the end.
#pragma once

#include <memory>

#include "stream/block_codec.h"

namespace oxbackup {

/// `level`: 0 to 9. `memory_limit`: as MakeBlockCodec.
std::unique_ptr<BlockCodec> MakeXzCodec(int level, uint64_t memory_limit);

}  // namespace oxbackup
