#include "stream/zstd_codec.h"

#include <fmt/format.h>
#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "stream/little_endian.h"
#include "stream/slices.h"

namespace oxbackup {
namespace {

// RFC 8878, and the seekable format as zstd's contrib/seekable_format describes it.
constexpr uint32_t kFrameMagic = 0xFD2FB528;
constexpr uint32_t kSeekTableMagic = 0x184D2A5E;
constexpr uint32_t kSeekableMagic = 0x8F92EAB1;
constexpr uint64_t kSkippableHeaderSize = 8;
constexpr uint64_t kSeekEntrySize = 8;
constexpr uint64_t kSeekFooterSize = 9;
// A raw block of a frame holds at most this; it is the window that stored frames announce, too.
constexpr uint64_t kRawBlockSize = uint64_t{128} << 10;
constexpr uint64_t kRawBlockHeaderSize = 3;
constexpr uint64_t kStoredHeaderSize = 14;
constexpr uint64_t kChecksumSize = 4;
// 2^24 = kMaxBlockRawBytes: no frame of ours looks back further.
constexpr int kMaxWindowLog = 24;
// Decoding keeps a window of a block's size (8 MiB, archive_writer.cc) and some tables.
constexpr uint64_t kDecoderMemory = uint64_t{9} << 20;

size_t CheckedCode(size_t code) {
  if (ZSTD_isError(code)) {
    throw Error(ErrorKind::kInternal, "zstd cannot compress").Cause(ZSTD_getErrorName(code));
  }
  return code;
}

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
using CompressContext = std::unique_ptr<ZSTD_CCtx, FreeContext>;
using DecompressContext = std::unique_ptr<ZSTD_DCtx, FreeContext>;

struct EncoderSettings {
  int level = 0;
  int window_log = 0;  // 0: the level's own
};

CompressContext NewContext(const EncoderSettings& settings) {
  CompressContext context(ZSTD_createCCtx());
  if (context == nullptr) throw std::bad_alloc();
  CheckedCode(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, settings.level));
  CheckedCode(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1));
  CheckedCode(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 1));
  if (settings.window_log > 0) {
    for (const ZSTD_cParameter log : {ZSTD_c_windowLog, ZSTD_c_hashLog, ZSTD_c_chainLog}) {
      CheckedCode(ZSTD_CCtx_setParameter(context.get(), log, settings.window_log));
    }
  }
  return context;
}

// What an encoder allocates for a full block; the library tells it of a context in use only.
uint64_t MeasureEncoder(const EncoderSettings& settings) {
  const CompressContext context = NewContext(settings);
  CheckedCode(ZSTD_CCtx_setPledgedSrcSize(context.get(), kMaxBlockRawBytes / 2));
  char out[256];
  ZSTD_inBuffer in{"x", 1, 0};
  ZSTD_outBuffer to{out, sizeof out, 0};
  CheckedCode(ZSTD_compressStream2(context.get(), &to, &in, ZSTD_e_continue));
  return ZSTD_sizeof_CCtx(context.get());
}

class ZstdEncoder final : public BlockEncoder {
 public:
  ZstdEncoder(const EncoderSettings& settings, std::stop_token stop)
      : context_(NewContext(settings)), stop_(std::move(stop)) {}

  ByteBuffer Encode(std::span<const std::string_view> pieces, BlockRecord* record) override {
    size_t size = 0;
    for (const std::string_view piece : pieces) size += piece.size();
    CheckedCode(ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only));
    CheckedCode(ZSTD_CCtx_setPledgedSrcSize(context_.get(), size));
    ByteBuffer out(ZSTD_compressBound(size));
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    TakeInSlices(pieces, stop_, [&](std::string_view slice) {
      ZSTD_inBuffer from{slice.data(), slice.size(), 0};
      while (from.pos < from.size) {
        CheckedCode(ZSTD_compressStream2(context_.get(), &to, &from, ZSTD_e_continue));
      }
      return true;
    });
    ZSTD_inBuffer nothing{nullptr, 0, 0};
    if (CheckedCode(ZSTD_compressStream2(context_.get(), &to, &nothing, ZSTD_e_end)) != 0) {
      throw Error(ErrorKind::kInternal, "zstd needs more room than its own bound");
    }
    out.Shrink(to.pos);
    *record = {to.pos, to.pos, size};
    return out;
  }

 private:
  CompressContext context_;
  const std::stop_token stop_;
};

class ZstdDecoder final : public BlockDecoder {
 public:
  ZstdDecoder() : context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    CheckedCode(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog));
  }

  void Start(std::string_view stored) override {
    CheckedCode(ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only));
    if (ReadLittleEndian32(stored, 0) != kFrameMagic) ThrowBadBlock("it is no zstd frame");
    in_ = {stored.data(), stored.size(), 0};
    ended_ = false;
  }

  size_t Read(char* buffer, size_t size) override {
    ZSTD_outBuffer out{buffer, size, 0};
    while (!ended_ && out.pos == 0) {
      const size_t input_before = in_.pos;
      const size_t code = ZSTD_decompressStream(context_.get(), &out, &in_);
      if (ZSTD_isError(code)) ThrowBadBlock(ZSTD_getErrorName(code));
      if (code == 0) {
        if (in_.pos != in_.size) ThrowBadBlock("bytes follow its frame");
        ended_ = true;
      } else if (out.pos == 0 && in_.pos == input_before) {
        ThrowBadBlock("its frame ends early");
      }
    }
    return out.pos;
  }

 private:
  DecompressContext context_;
  ZSTD_inBuffer in_{};
  bool ended_ = true;
};

uint64_t RawBlockCount(uint64_t raw_size) {
  return std::max<uint64_t>(1, (raw_size + kRawBlockSize - 1) / kRawBlockSize);
}

struct FreeChecksum {
  void operator()(XXH64_state_t* state) const { XXH64_freeState(state); }
};

void WriteRawBlockHeader(uint64_t size, bool last, ByteSink& out) {
  std::string header;
  AppendLittleEndian(header, (size << 3) | (last ? 1 : 0), kRawBlockHeaderSize);
  out.Write(header);
}

void StoreZstdFrame(std::span<const std::string_view> pieces, uint64_t raw_size, ByteSink& out) {
  constexpr char kDescriptor = '\xC4';  // 8 bytes of content size, a window, a checksum
  constexpr char kWindow = 7 << 3;      // 2^(10+7) bytes = kRawBlockSize
  const std::unique_ptr<XXH64_state_t, FreeChecksum> checksum(XXH64_createState());
  if (checksum == nullptr) throw std::bad_alloc();
  XXH64_reset(checksum.get(), 0);
  std::string ends;
  AppendLittleEndian(ends, kFrameMagic, 4);
  ends.push_back(kDescriptor);
  ends.push_back(kWindow);
  AppendLittleEndian(ends, raw_size, 8);
  out.Write(ends);
  if (raw_size == 0) WriteRawBlockHeader(0, true, out);
  uint64_t left = raw_size;
  uint64_t block_left = 0;
  for (std::string_view piece : pieces) {
    XXH64_update(checksum.get(), piece.data(), piece.size());
    while (!piece.empty()) {
      if (block_left == 0) {
        block_left = std::min(left, kRawBlockSize);
        WriteRawBlockHeader(block_left, block_left == left, out);
      }
      const std::string_view now = piece.substr(0, static_cast<size_t>(block_left));
      out.Write(now);
      piece.remove_prefix(now.size());
      block_left -= now.size();
      left -= now.size();
    }
  }
  ends.clear();
  AppendLittleEndian(ends, XXH64_digest(checksum.get()), kChecksumSize);
  out.Write(ends);
}

class ZstdCodec final : public BlockCodec {
 public:
  ZstdCodec(int level, uint64_t memory_limit) : settings_{level, 0} {
    constexpr int kFirstWindowLog = 23;
    constexpr int kLeastWindowLog = 17;
    encoder_memory_ = MeasureEncoder(settings_);
    for (int log = kFirstWindowLog; encoder_memory_ > memory_limit && log >= kLeastWindowLog;
         --log) {
      settings_.window_log = log;
      encoder_memory_ = MeasureEncoder(settings_);
    }
  }

  std::unique_ptr<BlockEncoder> NewEncoder(std::stop_token stop) const override {
    return std::make_unique<ZstdEncoder>(settings_, std::move(stop));
  }
  std::unique_ptr<BlockDecoder> NewDecoder() const override {
    return std::make_unique<ZstdDecoder>();
  }
  uint64_t EncoderMemory() const override { return encoder_memory_; }
  uint64_t DecoderMemory() const override { return kDecoderMemory; }
  uint64_t StoredBound(uint64_t raw_size) const override {
    return ZSTD_compressBound(static_cast<size_t>(raw_size));
  }

  BlockRecord EncodeStored(std::span<const std::string_view> pieces, ByteSink& out) const override {
    uint64_t raw_size = 0;
    for (const std::string_view piece : pieces) raw_size += piece.size();
    StoreZstdFrame(pieces, raw_size, out);
    const uint64_t stored_size = StoredBlockSize(raw_size);
    return {stored_size, stored_size, raw_size};
  }
  uint64_t StoredBlockSize(uint64_t raw_size) const override {
    return kStoredHeaderSize + kRawBlockHeaderSize * RawBlockCount(raw_size) + raw_size +
           kChecksumSize;
  }
  BlockRecord RecordOf(std::string_view stored, uint64_t raw_size) const override {
    if (ZSTD_findFrameCompressedSize(stored.data(), stored.size()) != stored.size() ||
        ZSTD_getFrameContentSize(stored.data(), stored.size()) != raw_size) {
      ThrowBadBlock("its frame has another size");
    }
    return {stored.size(), stored.size(), raw_size};
  }

  std::string StreamHeader() const override { return {}; }

  std::string Trailer(const std::vector<BlockRecord>& blocks) const override {
    std::string out;
    AppendLittleEndian(out, kSeekTableMagic, 4);
    AppendLittleEndian(out, blocks.size() * kSeekEntrySize + kSeekFooterSize, 4);
    for (const BlockRecord& block : blocks) {
      if (block.stored_size > UINT32_MAX || block.raw_size > UINT32_MAX) {
        throw Error(ErrorKind::kInternal, "a block is too large for a zstd seek table");
      }
      AppendLittleEndian(out, block.stored_size, 4);
      AppendLittleEndian(out, block.raw_size, 4);
    }
    AppendLittleEndian(out, blocks.size(), 4);
    out.push_back('\0');  // descriptor: no checksums in the table, the frames have them
    AppendLittleEndian(out, kSeekableMagic, 4);
    return out;
  }

  std::optional<BlockTable> ReadTable(TailReader& tail) const override {
    const uint64_t size = tail.size();
    if (size < kSkippableHeaderSize + kSeekFooterSize) return std::nullopt;
    const std::string footer = tail.Read(size - kSeekFooterSize, kSeekFooterSize);
    const uint64_t count = ReadLittleEndian32(footer, 0);
    const uint64_t table_size = kSkippableHeaderSize + count * kSeekEntrySize + kSeekFooterSize;
    if (footer[4] != '\0' || ReadLittleEndian32(footer, 5) != kSeekableMagic ||
        count > kMaxBlocks || table_size > size) {
      return std::nullopt;
    }
    // The table's own header first: a count that is wrong leads elsewhere.
    const std::string header = tail.Read(size - table_size, kSkippableHeaderSize);
    if (ReadLittleEndian32(header, 0) != kSeekTableMagic ||
        ReadLittleEndian32(header, 4) != table_size - kSkippableHeaderSize) {
      return std::nullopt;
    }
    const std::string table = tail.Read(size - table_size, table_size);
    BlockTable result{.blocks = {}, .header_size = 0, .trailer_size = table_size};
    uint64_t stored = 0;
    for (uint64_t i = 0; i < count; ++i) {
      const size_t at = static_cast<size_t>(kSkippableHeaderSize + i * kSeekEntrySize);
      const uint64_t block_stored = ReadLittleEndian32(table, at);
      result.blocks.push_back({block_stored, block_stored, ReadLittleEndian32(table, at + 4)});
      stored += block_stored;
    }
    if (stored + table_size != size) return std::nullopt;
    return result;
  }

 private:
  EncoderSettings settings_;
  uint64_t encoder_memory_ = 0;
};

}  // namespace

std::unique_ptr<BlockCodec> MakeZstdCodec(int level, uint64_t memory_limit) {
  return std::make_unique<ZstdCodec>(level, memory_limit);
}

}  // namespace oxbackup
