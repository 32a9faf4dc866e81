#include "stream/xz_stored_block.h"

#include <lzma.h>

#include <algorithm>
#include <array>
#include <string>

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
  ChunkWriter(ByteSink& out, uint64_t raw_size) : out_(out), left_(raw_size) {}

  void Append(std::string_view bytes) {
    while (!bytes.empty()) {
      if (chunk_left_ == 0) BeginChunk();
      const size_t now = std::min(bytes.size(), chunk_left_);
      out_.Write(bytes.substr(0, now));
      chunk_left_ -= now;
      left_ -= now;
      bytes.remove_prefix(now);
    }
  }

 private:
  void BeginChunk() {
    chunk_left_ = static_cast<size_t>(std::min(left_, kChunkSize));
    const size_t less_one = chunk_left_ - 1;
    const std::array<char, kChunkHeaderSize> header = {first_ ? kFirstChunk : kNextChunk,
                                                       static_cast<char>(less_one >> 8),
                                                       static_cast<char>(less_one & 0xFF)};
    out_.Write({header.data(), header.size()});
    first_ = false;
  }

  ByteSink& out_;
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

void StoreXzBlock(std::span<const std::string_view> pieces, ByteSink& out) {
  uint64_t raw_size = 0;
  uint64_t crc = 0;
  for (const std::string_view piece : pieces) {
    raw_size += piece.size();
    crc = lzma_crc64(Bytes(piece), piece.size(), crc);
  }
  StoredBlock stored(raw_size);
  std::array<uint8_t, LZMA_BLOCK_HEADER_SIZE_MAX> header{};
  if (lzma_block_header_encode(&stored.block, header.data()) != LZMA_OK) {
    throw Error(ErrorKind::kInternal, "liblzma cannot write a block header");
  }
  out.Write({reinterpret_cast<const char*>(header.data()), stored.block.header_size});
  ChunkWriter chunks(out, raw_size);
  for (const std::string_view piece : pieces) chunks.Append(piece);
  std::string end(1, '\0');
  for (uint64_t size = stored.block.compressed_size; size % 4 != 0; ++size) end.push_back('\0');
  AppendLittleEndian(end, crc, sizeof crc);
  out.Write(end);
}

}  // namespace oxbackup
