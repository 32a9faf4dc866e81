// Blocks of an .xz stream whose content is not compressed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "stream/block_codec.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// The sizes of the stored block of `raw_size` bytes; stored_size is what StoreXzBlock writes.
BlockRecord XzStoredRecord(uint64_t raw_size);

/// Writes the concatenation of `pieces` as a block: LZMA2 chunks of 64 KiB without compression, the
/// least dictionary, CRC64. The same bytes make the same block whatever the version of liblzma.
/// Does not finish `out`.
void StoreXzBlock(std::span<const std::string_view> pieces, ByteSink& out);

}  // namespace oxbackup
