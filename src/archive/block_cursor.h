// Reads the raw tar stream of an archive of ours from any place on, block by block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "archive/archive_layout.h"
#include "archive/manifest_block.h"
#include "stream/block_codec.h"

namespace oxbackup {

/// Compares a block's stored bytes with the manifest's digest before anything of it is
/// decompressed. Keeps one block. One thread at a time.
class BlockCursor {
 public:
  /// Gives the stored bytes of a block.
  using Fetch = std::function<std::string(size_t block)>;

  /// All must outlive it. `name` of the archive is for messages.
  BlockCursor(std::string name, const ArchiveTail& tail, const ArchiveLayout& layout, Fetch fetch);

  /// Goes to a place in the raw stream; forward within a block by decompressing, otherwise by
  /// fetching the block that holds it.
  void MoveTo(uint64_t raw_offset);
  /// Gives up to `size` (> 0) bytes from the present place on, across blocks; 0 only at the end of
  /// the last block. Throws Error(kCorrupt) naming the block.
  size_t Read(char* buffer, size_t size);
  /// Fetches a block and compares it with all that is known of it, without decompressing.
  void CheckStored(size_t block);

 private:
  void Open(size_t block);
  void Close();

  const std::string name_;
  const ArchiveTail& tail_;
  const ArchiveLayout& layout_;
  const Fetch fetch_;
  std::unique_ptr<BlockDecoder> decoder_;
  std::string stored_;
  std::optional<size_t> block_;  // the open one
  uint64_t position_ = 0;        // in the raw stream
};

}  // namespace oxbackup
