#include "stream/none_codec.h"

#include <cstring>

#include "stream/byte_stream.h"

namespace oxbackup {
namespace {

class NoneEncoder final : public BlockEncoder {
 public:
  ByteBuffer Encode(std::span<const std::string_view> pieces, BlockRecord* record) override {
    size_t size = 0;
    for (const std::string_view piece : pieces) size += piece.size();
    ByteBuffer out(size);
    size_t at = 0;
    for (const std::string_view piece : pieces) {
      if (!piece.empty()) std::memcpy(out.data() + at, piece.data(), piece.size());
      at += piece.size();
    }
    *record = {size, size, size};
    return out;
  }
};

class NoneDecoder final : public BlockDecoder {
 public:
  void Start(std::string_view stored) override { left_ = MemoryByteSource(stored); }
  size_t Read(char* buffer, size_t size) override { return left_.Read(buffer, size); }

 private:
  MemoryByteSource left_{{}};
};

class NoneCodec final : public BlockCodec {
 public:
  std::unique_ptr<BlockEncoder> NewEncoder(std::stop_token /*stop*/) const override {
    return std::make_unique<NoneEncoder>();
  }
  std::unique_ptr<BlockDecoder> NewDecoder() const override {
    return std::make_unique<NoneDecoder>();
  }
  uint64_t EncoderMemory() const override { return 0; }
  uint64_t DecoderMemory() const override { return 0; }
  uint64_t StoredBound(uint64_t raw_size) const override { return raw_size; }
  BlockRecord EncodeStored(std::span<const std::string_view> pieces, ByteSink& out) const override {
    uint64_t size = 0;
    for (const std::string_view piece : pieces) {
      out.Write(piece);
      size += piece.size();
    }
    return {size, size, size};
  }
  uint64_t StoredBlockSize(uint64_t raw_size) const override { return raw_size; }
  BlockRecord RecordOf(std::string_view stored, uint64_t raw_size) const override {
    if (stored.size() != raw_size) ThrowBadBlock("its size is not that of its content");
    return {raw_size, raw_size, raw_size};
  }
  std::string StreamHeader() const override { return {}; }
  std::string Trailer(const std::vector<BlockRecord>& /*blocks*/) const override { return {}; }
  std::optional<BlockTable> ReadTable(TailReader& /*tail*/) const override { return std::nullopt; }
};

}  // namespace

std::unique_ptr<BlockCodec> MakeNoneCodec() { return std::make_unique<NoneCodec>(); }

}  // namespace oxbackup
