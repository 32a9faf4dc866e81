#include "stream/xz_stored_block.h"

#include <lzma.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "stream/little_endian.h"

namespace oxbackup {
namespace {

// The LZMA2 format: a chunk is a control byte, its size less one in two bytes, and its bytes.
constexpr uint64_t kChunkSize = uint64_t{64} << 10;
constexpr uint64_t kChunkHeaderSize = 3;
constexpr char kFirstChunk = 1;  // uncompressed, dictionary reset
constexpr char kNextChunk = 2;   // uncompressed

struct StoredBlock {
  explicit StoredBlock(uint64_t raw_size) {
    options.dict_size = LZMA_DICT_SIZE_MIN;
    block.version = 1;
    block.check = LZMA_CHECK_CRC64;
    block.filters = filters.data();
    block.uncompressed_size = raw_size;
    block.compressed_size =
        raw_size + kChunkHeaderSize * ((raw_size + kChunkSize - 1) / kChunkSize) + 1;
    if (lzma_block_header_size(&block) != LZMA_OK) {
      throw Error(ErrorKind::kInternal, "liblzma cannot size a block header");
    }
  }

  lzma_options_lzma options{};
  std::array<lzma_filter, 2> filters{{{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}}};
  lzma_block block{};
};

// Lays bytes down in chunks.
class ChunkWriter {
 public:
  ChunkWriter(char* out, uint64_t raw_size) : out_(out), left_(raw_size) {}

  void Append(std::string_view bytes) {
    while (!bytes.empty()) {
      if (chunk_left_ == 0) BeginChunk();
      const size_t now = std::min(bytes.size(), chunk_left_);
      std::memcpy(out_, bytes.data(), now);
      out_ += now;
      chunk_left_ -= now;
      left_ -= now;
      bytes.remove_prefix(now);
    }
  }

  char* End() {
    *out_++ = '\0';
    return out_;
  }

 private:
  void BeginChunk() {
    chunk_left_ = static_cast<size_t>(std::min(left_, kChunkSize));
    const size_t less_one = chunk_left_ - 1;
    *out_++ = first_ ? kFirstChunk : kNextChunk;
    *out_++ = static_cast<char>(less_one >> 8);
    *out_++ = static_cast<char>(less_one & 0xFF);
    first_ = false;
  }

  char* out_;
  uint64_t left_;
  size_t chunk_left_ = 0;
  bool first_ = true;
};

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

}  // namespace

BlockRecord XzStoredRecord(uint64_t raw_size) {
  const StoredBlock stored(raw_size);
  return {lzma_block_total_size(&stored.block), lzma_block_unpadded_size(&stored.block), raw_size};
}

void StoreXzBlock(std::span<const std::string_view> pieces, char* out) {
  uint64_t raw_size = 0;
  uint64_t crc = 0;
  for (const std::string_view piece : pieces) {
    raw_size += piece.size();
    crc = lzma_crc64(Bytes(piece), piece.size(), crc);
  }
  StoredBlock stored(raw_size);
  if (lzma_block_header_encode(&stored.block, reinterpret_cast<uint8_t*>(out)) != LZMA_OK) {
    throw Error(ErrorKind::kInternal, "liblzma cannot write a block header");
  }
  ChunkWriter chunks(out + stored.block.header_size, raw_size);
  for (const std::string_view piece : pieces) chunks.Append(piece);
  char* end = chunks.End();
  for (uint64_t size = stored.block.compressed_size; size % 4 != 0; ++size) *end++ = '\0';
  std::string check;
  AppendLittleEndian(check, crc, sizeof crc);
  check.copy(end, check.size());
}

}  // namespace oxbackup
