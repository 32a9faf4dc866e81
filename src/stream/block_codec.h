// Blocks: pieces of a byte stream that are compressed and decompressed independently and that
// together make one ordinary .xz, .zst or plain file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "stream/byte_buffer.h"
#include "stream/compression.h"
#include "stream/tail_reader.h"

namespace oxbackup {

/// A compressed block holds at most this much of the raw stream; readers refuse more, so that no
/// archive can make them allocate what it likes. Stored blocks may be larger.
inline constexpr uint64_t kMaxBlockRawBytes = uint64_t{16} << 20;

/// The most blocks of a file: as many full ones hold 32 TiB. Readers refuse an index of more before
/// they read it, so that one that lies cannot make them allocate what it likes.
inline constexpr uint64_t kMaxBlocks = uint64_t{1} << 22;

/// Sizes of one block, bytes.
struct BlockRecord {
  uint64_t stored_size = 0;    ///< in the file
  uint64_t unpadded_size = 0;  ///< xz: without the padding at the end; otherwise stored_size
  uint64_t raw_size = 0;       ///< of the raw stream

  friend bool operator==(const BlockRecord&, const BlockRecord&) = default;
};

/// Compresses blocks, one thread at a time; keeps its tables between blocks.
class BlockEncoder {
 public:
  virtual ~BlockEncoder() = default;
  /// Compresses the concatenation of `pieces` (not empty, at most kMaxBlockRawBytes). The result
  /// depends on those bytes and the codec's settings only. `record` gets its sizes. Throws
  /// Error(kCancelled) soon after the encoder's stop token is stopped; the next call begins anew.
  virtual ByteBuffer Encode(std::span<const std::string_view> pieces, BlockRecord* record) = 0;
};

/// Decompresses blocks, one thread at a time.
class BlockDecoder {
 public:
  virtual ~BlockDecoder() = default;
  /// Begins with a block's stored bytes, which must stay until the last Read of it.
  /// Throws Error(kCorrupt) when they cannot be a block.
  virtual void Start(std::string_view stored) = 0;
  /// Gives up to `size` (> 0) raw bytes; 0 once the block has ended with its check right and
  /// nothing behind it. Throws Error(kCorrupt) for anything else.
  virtual size_t Read(char* buffer, size_t size) = 0;
};

/// The blocks of a file as its own index tells them.
struct BlockTable {
  std::vector<BlockRecord> blocks;
  uint64_t header_size = 0;   ///< bytes before the first block
  uint64_t trailer_size = 0;  ///< bytes behind the last block
};

/// One way of storing blocks. Thread-safe, without state of its own.
class BlockCodec {
 public:
  virtual ~BlockCodec() = default;

  /// `stop`: ends a call of Encode, which takes seconds for a block at the highest levels.
  virtual std::unique_ptr<BlockEncoder> NewEncoder(std::stop_token stop = {}) const = 0;
  virtual std::unique_ptr<BlockDecoder> NewDecoder() const = 0;
  /// Bytes of memory that one encoder, one decoder needs beside its input and output.
  virtual uint64_t EncoderMemory() const = 0;
  virtual uint64_t DecoderMemory() const = 0;
  /// The most that a block of `raw_size` bytes takes in the file.
  virtual uint64_t StoredBound(uint64_t raw_size) const = 0;

  /// Wraps the concatenation of `pieces` without compressing it, in the one canonical way: the same
  /// bytes give the same block with every version of every library. Writes to `out` without
  /// finishing it, holds no copy, and returns the block's sizes.
  virtual BlockRecord EncodeStored(std::span<const std::string_view> pieces,
                                   ByteSink& out) const = 0;
  /// The size of what EncodeStored makes of `raw_size` bytes.
  virtual uint64_t StoredBlockSize(uint64_t raw_size) const = 0;
  /// The sizes of a whole block of data, from the block itself. Throws Error(kCorrupt).
  virtual BlockRecord RecordOf(std::string_view stored, uint64_t raw_size) const = 0;

  /// What precedes the first block.
  virtual std::string StreamHeader() const = 0;
  /// What follows the last block.
  virtual std::string Trailer(const std::vector<BlockRecord>& blocks) const = 0;
  /// Reads the index at the end of a file; nothing when there is none that covers the whole file (a
  /// codec without index, a foreign file, a damaged one). Never reads more than an index of
  /// kMaxBlocks takes.
  [[nodiscard]] virtual std::optional<BlockTable> ReadTable(TailReader& tail) const = 0;
};

/// Makes a codec. `memory_limit`: what one encoder may need, bytes; where the level needs more, its
/// dictionary is made smaller.
std::unique_ptr<BlockCodec> MakeBlockCodec(const Compression& compression,
                                           uint64_t memory_limit = UINT64_MAX);

/// Tells the codec of a file by its first bytes (6 suffice); kNone where they are of neither xz nor
/// zstd.
Codec DetectCodec(std::string_view first_bytes);

/// Throws Error(kCorrupt) for a block that is not as it was written; `what` says how.
[[noreturn]] void ThrowBadBlock(const std::string& what);

}  // namespace oxbackup
