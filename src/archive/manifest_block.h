// The last block of an archive: data/manifest.json and the end of the tar stream, stored without
// compression, every byte of it determined by the manifest's text.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "archive/manifest.h"
#include "stream/block_codec.h"
#include "stream/byte_stream.h"

namespace oxbackup {

/// The longest text of a manifest that readers take.
inline constexpr uint64_t kMaxManifestBytes = uint64_t{1} << 30;

/// The raw bytes of the last block, in pieces: the text may be large. It must outlive this object.
class ManifestBlock {
 public:
  /// Throws Error(kSource) for more text than readers take.
  explicit ManifestBlock(std::string_view text);

  std::array<std::string_view, 3> pieces() const { return {header_, text_, end_}; }
  uint64_t size() const { return header_.size() + text_.size() + end_.size(); }

 private:
  std::string header_;
  std::string_view text_;
  std::string end_;
};

/// What the end of an archive of ours tells.
struct ArchiveTail {
  Codec codec = Codec::kNone;
  std::unique_ptr<BlockCodec> block_codec;
  Manifest manifest;
  std::vector<BlockRecord> blocks;     ///< as the index has them, the last block too
  uint64_t header_size = 0;            ///< of the stream header
  uint64_t manifest_block_offset = 0;  ///< in the file
};

/// Reads it with a few requests. `text`: gets the manifest's text where it is wanted. Nothing when
/// there is no manifest at the end of the file: a foreign archive, or a damaged one. Throws
/// Error(kCorrupt) when there is one but it, or the index beside it, is not right.
[[nodiscard]] std::unique_ptr<ArchiveTail> ReadArchiveTail(const RangedSource& source,
                                                           std::string* text = nullptr);

}  // namespace oxbackup
