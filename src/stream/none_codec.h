// Blocks that are stored as they are: ranges of a plain file, without an index.
#pragma once

#include <memory>

#include "stream/block_codec.h"

namespace oxbackup {

std::unique_ptr<BlockCodec> MakeNoneCodec();

}  // namespace oxbackup
