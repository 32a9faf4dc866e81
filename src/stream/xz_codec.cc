#include "stream/xz_codec.h"

#include <lzma.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "stream/compressibility.h"
#include "stream/slices.h"
#include "stream/xz_stored_block.h"

namespace oxbackup {
namespace {

constexpr lzma_check kCheck = LZMA_CHECK_CRC64;
// Blocks are cut at 8 MiB, so a larger dictionary would cost memory and find nothing.
constexpr uint32_t kMaxDictSize = uint32_t{8} << 20;
constexpr uint32_t kMinDictSize = uint32_t{64} << 10;
// An index holds two numbers a block, each in up to five bytes for sizes below 32 GiB, and little
// else.
constexpr uint64_t kMaxIndexBytes = kMaxBlocks * 2 * 5;

void CheckCode(lzma_ret code, const char* what) {
  if (code == LZMA_OK) return;
  if (code == LZMA_MEM_ERROR) throw std::bad_alloc();
  throw Error(ErrorKind::kInternal, std::string("liblzma cannot ") + what)
      .Cause("status " + std::to_string(static_cast<int>(code)));
}

uint64_t PadToFour(uint64_t size) { return (size + 3) & ~uint64_t{3}; }

uint8_t* Bytes(char* bytes) { return reinterpret_cast<uint8_t*>(bytes); }
const uint8_t* Bytes(const char* bytes) { return reinterpret_cast<const uint8_t*>(bytes); }

// The block's header fields with what every block of ours has in common.
lzma_block MakeBlock(lzma_filter* filters) {
  lzma_block block{};
  block.version = 1;
  block.check = kCheck;
  block.filters = filters;
  return block;
}

BlockRecord RecordOfBlock(const lzma_block& block) {
  const uint64_t unpadded = lzma_block_unpadded_size(&block);
  return {PadToFour(unpadded), unpadded, block.uncompressed_size};
}

// Memory that is known to be large enough.
class BufferSink final : public ByteSink {
 public:
  explicit BufferSink(char* buffer) : next_(buffer) {}
  void Write(std::string_view bytes) override {
    next_ = std::copy(bytes.begin(), bytes.end(), next_);
  }
  void Finish() override {}

 private:
  char* next_;
};

class XzEncoder final : public BlockEncoder {
 public:
  XzEncoder(const lzma_options_lzma& options, std::stop_token stop)
      : options_(options), stop_(std::move(stop)) {}
  ~XzEncoder() override { lzma_end(&stream_); }
  XzEncoder(const XzEncoder&) = delete;
  XzEncoder& operator=(const XzEncoder&) = delete;

  ByteBuffer Encode(std::span<const std::string_view> pieces, BlockRecord* record) override {
    size_t raw_size = 0;
    for (const std::string_view piece : pieces) raw_size += piece.size();
    lzma_block block = MakeBlock(filters_.data());
    // The header comes first but tells sizes that are known last; so its room is made for the
    // greatest ones, as liblzma's own threaded encoder does.
    block.compressed_size = lzma_block_buffer_bound(kMaxBlockRawBytes);
    block.uncompressed_size = kMaxBlockRawBytes;
    CheckCode(lzma_block_header_size(&block), "size a block header");
    ByteBuffer out(lzma_block_buffer_bound(raw_size) + block.header_size);
    if (!IsCompressible(pieces) || !Compress(&block, pieces, &out)) {
      *record = XzStoredRecord(raw_size);
      BufferSink stored(out.data());
      StoreXzBlock(pieces, stored);
      out.Shrink(record->stored_size);
      return out;
    }
    CheckCode(lzma_block_header_encode(&block, Bytes(out.data())), "write a block header");
    *record = RecordOfBlock(block);
    out.Shrink(record->stored_size);
    return out;
  }

 private:
  // False when the data do not compress: the output would be larger than when stored.
  bool Compress(lzma_block* block, std::span<const std::string_view> pieces, ByteBuffer* out) {
    CheckCode(lzma_block_encoder(&stream_, block), "start a block");
    stream_.next_out = Bytes(out->data()) + block->header_size;
    stream_.avail_out = out->size() - block->header_size;
    const auto compress = [this](std::string_view slice) {
      stream_.next_in = Bytes(slice.data());
      stream_.avail_in = slice.size();
      while (stream_.avail_in > 0) {
        if (stream_.avail_out == 0) return false;
        CheckCode(lzma_code(&stream_, LZMA_RUN), "compress");
      }
      return true;
    };
    if (!TakeInSlices(pieces, stop_, compress)) return false;
    while (true) {
      const lzma_ret code = lzma_code(&stream_, LZMA_FINISH);
      if (code == LZMA_STREAM_END) return true;
      if (stream_.avail_out == 0) return false;
      CheckCode(code, "finish a block");
    }
  }

  lzma_options_lzma options_;
  const std::stop_token stop_;
  std::array<lzma_filter, 2> filters_{
      {{LZMA_FILTER_LZMA2, &options_}, {LZMA_VLI_UNKNOWN, nullptr}}};
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

// A decoded block header; owns the filter options that liblzma allocates for it.
class BlockHeader {
 public:
  explicit BlockHeader(std::string_view stored) : block_(MakeBlock(filters_.data())) {
    filters_[0].id = LZMA_VLI_UNKNOWN;
    if (stored.empty() || stored[0] == '\0') ThrowBadBlock("it has no header");
    block_.header_size = lzma_block_header_size_decode(static_cast<unsigned char>(stored[0]));
    if (block_.header_size > stored.size() ||
        lzma_block_header_decode(&block_, nullptr, Bytes(stored.data())) != LZMA_OK) {
      ThrowBadBlock("its header is not right");
    }
    if (filters_[0].id != LZMA_FILTER_LZMA2 || filters_[1].id != LZMA_VLI_UNKNOWN ||
        static_cast<const lzma_options_lzma*>(filters_[0].options)->dict_size > kMaxBlockRawBytes) {
      Free();
      ThrowBadBlock("its filters are not ours");
    }
  }
  ~BlockHeader() { Free(); }
  BlockHeader(const BlockHeader&) = delete;
  BlockHeader& operator=(const BlockHeader&) = delete;

  lzma_block* block() { return &block_; }

 private:
  void Free() { lzma_filters_free(filters_.data(), nullptr); }

  std::array<lzma_filter, LZMA_FILTERS_MAX + 1> filters_{};
  lzma_block block_;
};

class XzDecoder final : public BlockDecoder {
 public:
  XzDecoder() = default;
  ~XzDecoder() override { lzma_end(&stream_); }
  XzDecoder(const XzDecoder&) = delete;
  XzDecoder& operator=(const XzDecoder&) = delete;

  void Start(std::string_view stored) override {
    header_ = std::make_unique<BlockHeader>(stored);
    CheckCode(lzma_block_decoder(&stream_, header_->block()), "start to decompress a block");
    stored.remove_prefix(header_->block()->header_size);
    stream_.next_in = Bytes(stored.data());
    stream_.avail_in = stored.size();
    ended_ = false;
  }

  size_t Read(char* buffer, size_t size) override {
    stream_.next_out = Bytes(buffer);
    stream_.avail_out = size;
    while (!ended_ && stream_.avail_out == size) {
      const lzma_ret code = lzma_code(&stream_, LZMA_RUN);
      if (code == LZMA_STREAM_END) {
        if (stream_.avail_in > 0) ThrowBadBlock("bytes follow its end");
        ended_ = true;
      } else if (code == LZMA_MEM_ERROR) {
        throw std::bad_alloc();
      } else if (code == LZMA_BUF_ERROR) {
        ThrowBadBlock("it ends early");
      } else if (code != LZMA_OK) {
        ThrowBadBlock("its content or its check is not right");
      }
    }
    return size - stream_.avail_out;
  }

 private:
  std::unique_ptr<BlockHeader> header_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ended_ = true;
};

struct FreeIndex {
  void operator()(lzma_index* index) const { lzma_index_end(index, nullptr); }
};
using Index = std::unique_ptr<lzma_index, FreeIndex>;

lzma_stream_flags StreamFlags() {
  lzma_stream_flags flags{};
  flags.version = 0;
  flags.check = kCheck;
  flags.backward_size = LZMA_VLI_UNKNOWN;
  return flags;
}

class XzCodec final : public BlockCodec {
 public:
  explicit XzCodec(const lzma_options_lzma& options) : options_(options) {}

  std::unique_ptr<BlockEncoder> NewEncoder(std::stop_token stop) const override {
    return std::make_unique<XzEncoder>(options_, std::move(stop));
  }
  std::unique_ptr<BlockDecoder> NewDecoder() const override {
    return std::make_unique<XzDecoder>();
  }
  uint64_t EncoderMemory() const override {
    const auto filters = Filters();
    return lzma_raw_encoder_memusage(filters.data());
  }
  uint64_t DecoderMemory() const override {
    const auto filters = Filters();
    return lzma_raw_decoder_memusage(filters.data());
  }
  uint64_t StoredBound(uint64_t raw_size) const override {
    return lzma_block_buffer_bound(static_cast<size_t>(raw_size)) + LZMA_BLOCK_HEADER_SIZE_MAX;
  }

  BlockRecord EncodeStored(std::span<const std::string_view> pieces, ByteSink& out) const override {
    StoreXzBlock(pieces, out);
    uint64_t raw_size = 0;
    for (const std::string_view piece : pieces) raw_size += piece.size();
    return XzStoredRecord(raw_size);
  }
  uint64_t StoredBlockSize(uint64_t raw_size) const override {
    return XzStoredRecord(raw_size).stored_size;
  }
  BlockRecord RecordOf(std::string_view stored, uint64_t raw_size) const override {
    BlockHeader header(stored);
    const lzma_block& block = *header.block();
    if (block.compressed_size == LZMA_VLI_UNKNOWN || block.uncompressed_size != raw_size ||
        RecordOfBlock(block).stored_size != stored.size()) {
      ThrowBadBlock("its header tells other sizes");
    }
    return RecordOfBlock(block);
  }

  std::string StreamHeader() const override {
    const lzma_stream_flags flags = StreamFlags();
    std::string out(LZMA_STREAM_HEADER_SIZE, '\0');
    CheckCode(lzma_stream_header_encode(&flags, Bytes(out.data())), "write a stream header");
    return out;
  }

  std::string Trailer(const std::vector<BlockRecord>& blocks) const override {
    const Index index(lzma_index_init(nullptr));
    if (index == nullptr) throw std::bad_alloc();
    for (const BlockRecord& block : blocks) {
      CheckCode(lzma_index_append(index.get(), nullptr, block.unpadded_size, block.raw_size),
                "add to an index");
    }
    lzma_stream_flags flags = StreamFlags();
    flags.backward_size = lzma_index_size(index.get());
    std::string out(static_cast<size_t>(flags.backward_size) + LZMA_STREAM_HEADER_SIZE, '\0');
    size_t size = 0;
    CheckCode(lzma_index_buffer_encode(index.get(), Bytes(out.data()), &size, out.size()),
              "write an index");
    CheckCode(lzma_stream_footer_encode(&flags, Bytes(out.data() + size)), "write a stream footer");
    return out;
  }

  std::optional<BlockTable> ReadTable(TailReader& tail) const override {
    constexpr uint64_t kEnds = uint64_t{2} * LZMA_STREAM_HEADER_SIZE;
    const uint64_t size = tail.size();
    if (size < kEnds) return std::nullopt;
    lzma_stream_flags flags{};
    const std::string footer = tail.Read(size - LZMA_STREAM_HEADER_SIZE, LZMA_STREAM_HEADER_SIZE);
    if (lzma_stream_footer_decode(&flags, Bytes(footer.data())) != LZMA_OK ||
        flags.check != kCheck || flags.backward_size > size - kEnds ||
        flags.backward_size > kMaxIndexBytes) {
      return std::nullopt;
    }
    const uint64_t index_at = size - LZMA_STREAM_HEADER_SIZE - flags.backward_size;
    const std::string bytes = tail.Read(index_at, flags.backward_size);
    const Index index = DecodeIndex(bytes);
    if (index == nullptr || lzma_index_stream_size(index.get()) != size) return std::nullopt;
    BlockTable table{.blocks = {},
                     .header_size = LZMA_STREAM_HEADER_SIZE,
                     .trailer_size = flags.backward_size + LZMA_STREAM_HEADER_SIZE};
    lzma_index_iter iter;
    lzma_index_iter_init(&iter, index.get());
    while (!lzma_index_iter_next(&iter, LZMA_INDEX_ITER_BLOCK)) {
      table.blocks.push_back(
          {iter.block.total_size, iter.block.unpadded_size, iter.block.uncompressed_size});
    }
    return table;
  }

 private:
  std::array<lzma_filter, 2> Filters() const {
    return {{{LZMA_FILTER_LZMA2, const_cast<lzma_options_lzma*>(&options_)},
             {LZMA_VLI_UNKNOWN, nullptr}}};
  }

  static Index DecodeIndex(std::string_view bytes) {
    lzma_index* index = nullptr;
    uint64_t memory = lzma_index_memusage(1, kMaxBlocks);
    size_t at = 0;
    if (lzma_index_buffer_decode(&index, &memory, nullptr, Bytes(bytes.data()), &at,
                                 bytes.size()) != LZMA_OK) {
      return nullptr;
    }
    return at == bytes.size() ? Index(index) : (lzma_index_end(index, nullptr), nullptr);
  }

  lzma_options_lzma options_;
};

// The presets of xz, but for level 1, the default: there a search half as deep is a third faster
// and costs a thirtieth in size on SQL (docs/benchmarks.md).
lzma_options_lzma OptionsOfLevel(int level) {
  constexpr uint32_t kDefaultDepth = 4;
  lzma_options_lzma options{};
  if (lzma_lzma_preset(&options, static_cast<uint32_t>(level))) {
    throw Error(ErrorKind::kInternal, "liblzma lacks a preset");
  }
  if (level == 1) options.depth = kDefaultDepth;
  options.dict_size = std::min(options.dict_size, kMaxDictSize);
  return options;
}

}  // namespace

std::unique_ptr<BlockCodec> MakeXzCodec(int level, uint64_t memory_limit) {
  lzma_options_lzma options = OptionsOfLevel(level);
  auto codec = std::make_unique<XzCodec>(options);
  while (codec->EncoderMemory() > memory_limit && options.dict_size > kMinDictSize) {
    options.dict_size /= 2;
    codec = std::make_unique<XzCodec>(options);
  }
  return codec;
}

}  // namespace oxbackup
