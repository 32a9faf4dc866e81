// The last block of an archive: data/manifest.json and the end of the tar stream, stored without
// compression, every byte of it determined by the manifest's text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "archive/manifest.h"
#include "stream/block_codec.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// The raw bytes of the last block. REQUIRES: less than 1 GiB of text.
std::string MakeManifestBlock(std::string_view manifest_text);

/// What the end of an archive of ours tells.
struct ArchiveTail {
  Codec codec = Codec::kNone;
  std::unique_ptr<BlockCodec> block_codec;
  Manifest manifest;
  std::string manifest_text;
  std::vector<BlockRecord> blocks;     ///< as the index has them, the last block too
  uint64_t header_size = 0;            ///< of the stream header
  uint64_t manifest_block_offset = 0;  ///< in the file
};

/// Reads it with one or two requests. Nothing when there is no manifest at the end of the file: a
/// foreign archive, or a damaged one. Throws Error(kCorrupt) when there is one but it, or the index
/// beside it, is not right.
[[nodiscard]] std::unique_ptr<ArchiveTail> ReadArchiveTail(const RangedSource& source);

}  // namespace oxbackup
