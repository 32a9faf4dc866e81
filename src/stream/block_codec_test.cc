#include "stream/block_codec.h"

#include <gtest/gtest.h>
#include <lzma.h>

#include <random>

#include "base/error.h"
#include "stream/byte_stream.h"
#include "stream/compressibility.h"
#include "stream/slices.h"
#include "stream/xz_stored_block.h"

namespace oxbackup {
namespace {

std::string Noise(size_t size) {
  std::mt19937 random(5);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string Words(size_t size) {
  std::mt19937 random(6);
  std::string text;
  while (text.size() < size) text += "word" + std::to_string(random() % 1000) + ",";
  text.resize(size);
  return text;
}

std::string Decode(const BlockCodec& codec, std::string_view stored, size_t step = 1000) {
  const auto decoder = codec.NewDecoder();
  decoder->Start(stored);
  std::string raw;
  std::string buffer(step, '\0');
  while (const size_t have = decoder->Read(buffer.data(), step)) raw.append(buffer, 0, have);
  return raw;
}

class BlockCodecTest : public testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<BlockCodec> codec_ = MakeBlockCodec(ParseCompression(GetParam()));
};

INSTANTIATE_TEST_SUITE_P(Codecs, BlockCodecTest,
                         testing::Values("xz:0", "xz:1", "xz:6", "zstd:1", "zstd:3", "zstd:12",
                                         "none"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, ':');
                           return name;
                         });

TEST_P(BlockCodecTest, BlocksComeBackAndTellTheirSizes) {
  const auto encoder = codec_->NewEncoder();
  for (const std::string& raw : {std::string("x"), Words(511), Words(65536), Words(300'000),
                                 Noise(65537), Noise(200'000), std::string(100'000, '\0')}) {
    const std::string_view view = raw;
    // However the bytes are cut into pieces, the block is the same.
    const std::string_view pieces[] = {
        view.substr(0, raw.size() / 3), {}, view.substr(raw.size() / 3)};
    BlockRecord record;
    const ByteBuffer stored = encoder->Encode(pieces, &record);
    EXPECT_EQ(record.stored_size, stored.size());
    EXPECT_EQ(record.raw_size, raw.size());
    EXPECT_LE(stored.size(), codec_->StoredBound(raw.size()));
    EXPECT_EQ(codec_->RecordOf(stored.view(), raw.size()), record);
    EXPECT_EQ(Decode(*codec_, stored.view()), raw);
    EXPECT_EQ(Decode(*codec_, stored.view(), 1), raw);
    BlockRecord again;
    const std::string_view whole[] = {view};
    EXPECT_EQ(codec_->NewEncoder()->Encode(whole, &again).view(), stored.view());
  }
}

TEST(BlockEncoderTest, AStopEndsAnEncodersWork) {
  const std::string raw = Words(300'000);
  const std::string_view whole[] = {raw};
  for (const char* const name : {"xz:9", "zstd:19"}) {
    const auto codec = MakeBlockCodec(ParseCompression(name));
    std::stop_source stop;
    const auto encoder = codec->NewEncoder(stop.get_token());
    BlockRecord record;
    const ByteBuffer before = encoder->Encode(whole, &record);
    EXPECT_EQ(Decode(*codec, before.view()), raw);
    stop.request_stop();
    try {
      encoder->Encode(whole, &record);
      ADD_FAILURE() << name << " goes on";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
    }
  }
}

TEST(SlicesTest, AStopIsNoticedInTheMiddleOfAPiece) {
  const std::string raw(1'000'000, 'x');
  const std::string_view pieces[] = {{}, raw};
  std::stop_source stop;
  size_t taken = 0;
  const auto take = [&](std::string_view slice) {
    taken += slice.size();
    return true;
  };
  EXPECT_TRUE(TakeInSlices(pieces, stop.get_token(), take));
  EXPECT_EQ(taken, raw.size());
  taken = 0;
  EXPECT_THROW(TakeInSlices(pieces, stop.get_token(),
                            [&](std::string_view slice) {
                              stop.request_stop();
                              return take(slice);
                            }),
               Error);
  EXPECT_GT(taken, 0u);
  EXPECT_LT(taken, raw.size() / 2);
}

TEST_P(BlockCodecTest, StoredBlocksComeBackAndHaveTheForetoldSize) {
  for (const size_t size : {1, 100, 65535, 65536, 65537, 131071, 131072, 131073, 1'000'000}) {
    const std::string raw = Words(size);
    StringSink sink;
    const std::string_view whole[] = {raw};
    const BlockRecord record = codec_->EncodeStored(whole, sink);
    const std::string& stored = sink.bytes();
    StringSink same;
    const std::string_view pieces[] = {whole[0].substr(0, size / 3), {}, whole[0].substr(size / 3)};
    EXPECT_EQ(codec_->EncodeStored(pieces, same), record);
    EXPECT_EQ(same.bytes(), stored);
    EXPECT_EQ(stored.size(), codec_->StoredBlockSize(size));
    EXPECT_EQ(record.stored_size, stored.size());
    EXPECT_EQ(record.raw_size, size);
    EXPECT_EQ(codec_->RecordOf(stored, size), record);
    EXPECT_EQ(Decode(*codec_, stored), raw);
  }
}

TEST_P(BlockCodecTest, DamagedBlocksAreCorrupt) {
  if (codec_->StoredBound(1) == 1) return;  // plain bytes have no check of their own
  const std::string raw = Words(3000);
  BlockRecord record;
  const std::string_view pieces[] = {raw};
  const ByteBuffer good = codec_->NewEncoder()->Encode(pieces, &record);
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad(good.view());
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    try {
      EXPECT_EQ(Decode(*codec_, bad), raw) << at;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    }
    EXPECT_THROW(Decode(*codec_, good.view().substr(0, at)), Error) << at;
  }
  EXPECT_THROW(Decode(*codec_, std::string(good.view()) + "more"), Error);
}

TEST_P(BlockCodecTest, TheIndexAtTheEndTellsEveryBlock) {
  std::string file = codec_->StreamHeader();
  std::vector<BlockRecord> blocks;
  const auto encoder = codec_->NewEncoder();
  for (const size_t size : {10, 5000, 70'000}) {
    const std::string raw = Words(size);
    const std::string_view pieces[] = {raw};
    file += encoder->Encode(pieces, &blocks.emplace_back()).view();
  }
  const std::string trailer = codec_->Trailer(blocks);
  const MemoryRangedSource source(file + trailer);
  TailReader tail(source);
  const auto table = codec_->ReadTable(tail);
  if (trailer.empty()) {
    EXPECT_FALSE(table);
    return;
  }
  ASSERT_TRUE(table);
  EXPECT_EQ(table->blocks, blocks);
  EXPECT_EQ(table->header_size, codec_->StreamHeader().size());
  EXPECT_EQ(table->trailer_size, trailer.size());

  // Bytes that the index does not cover make the file another kind of file.
  const MemoryRangedSource longer("x" + file + trailer);
  TailReader longer_tail(longer);
  EXPECT_FALSE(codec_->ReadTable(longer_tail));
}

// A very large file of zeros with some bytes at its end; notes the largest request.
class LargeSource final : public RangedSource {
 public:
  explicit LargeSource(std::string end) : end_(std::move(end)) {}
  uint64_t Size() const override { return uint64_t{1} << 44; }
  void ReadAt(uint64_t offset, char* buffer, size_t size) const override {
    largest = std::max(largest, size);
    const uint64_t end_begin = Size() - end_.size();
    for (size_t i = 0; i < size; ++i) {
      buffer[i] = offset + i < end_begin ? '\0' : end_[static_cast<size_t>(offset + i - end_begin)];
    }
  }
  std::string Name() const override { return "large"; }
  mutable size_t largest = 0;

 private:
  std::string end_;
};

TEST(BlockIndex, OneThatLiesAboutItsSizeIsNotRead) {
  const auto zstd = MakeBlockCodec({Codec::kZstd, 1});
  const auto xz = MakeBlockCodec({Codec::kXz, 1});
  std::vector<std::string> ends;
  for (const char lie : {'\x10', '\x3F', '\x7F'}) {
    std::string end = zstd->Trailer({{100, 100, 1000}});
    end[end.size() - 7] = lie;  // the third byte of the number of blocks
    ends.push_back(end);
    end[end.size() - 6] = lie;
    ends.push_back(end);
  }
  for (const uint64_t size : {uint64_t{1} << 26, uint64_t{1} << 30, uint64_t{1} << 34}) {
    lzma_stream_flags flags{};
    flags.check = LZMA_CHECK_CRC64;
    flags.backward_size = size;
    std::string end(LZMA_STREAM_HEADER_SIZE, '\0');
    ASSERT_EQ(lzma_stream_footer_encode(&flags, reinterpret_cast<uint8_t*>(end.data())), LZMA_OK);
    ends.push_back(end);
  }
  for (const std::string& end : ends) {
    const LargeSource source(end);
    TailReader tail(source);
    EXPECT_FALSE(zstd->ReadTable(tail));
    EXPECT_FALSE(xz->ReadTable(tail));
    EXPECT_LE(source.largest, TailReader::kTailBytes);
  }
}

TEST_P(BlockCodecTest, SmallerMemoryMeansASmallerDictionary) {
  const uint64_t whole = codec_->EncoderMemory();
  if (whole < 4'000'000) return;
  const auto small = MakeBlockCodec(ParseCompression(GetParam()), whole / 2);
  EXPECT_LE(small->EncoderMemory(), whole / 2);
  const std::string raw = Words(100'000);
  const std::string_view pieces[] = {raw};
  BlockRecord record;
  EXPECT_EQ(Decode(*codec_, small->NewEncoder()->Encode(pieces, &record).view()), raw);
}

TEST(XzStoredBlock, IsWhatLiblzmaMakes) {
  for (const size_t size : {1, 65536, 65537, 200'000}) {
    const std::string raw = Noise(size);
    lzma_filter none[] = {{LZMA_VLI_UNKNOWN, nullptr}};
    lzma_block block{};
    block.version = 1;
    block.check = LZMA_CHECK_CRC64;
    block.filters = none;
    std::string theirs(lzma_block_buffer_bound(size), '\0');
    size_t end = 0;
    ASSERT_EQ(
        lzma_block_uncomp_encode(&block, reinterpret_cast<const uint8_t*>(raw.data()), size,
                                 reinterpret_cast<uint8_t*>(theirs.data()), &end, theirs.size()),
        LZMA_OK);
    theirs.resize(end);
    StringSink ours;
    const std::string_view pieces[] = {raw};
    StoreXzBlock(pieces, ours);
    EXPECT_EQ(ours.bytes(), theirs);
    EXPECT_EQ(XzStoredRecord(size).stored_size, theirs.size());
  }
}

TEST(Compressibility, TellsTextFromNoise) {
  const std::string header(512, 'h');
  const std::string noise = Noise(400'000);
  const std::string text = Words(400'000);
  const std::string_view noisy[] = {header, noise};
  const std::string_view wordy[] = {header, text};
  EXPECT_FALSE(IsCompressible(noisy));
  EXPECT_TRUE(IsCompressible(wordy));
}

TEST(DetectCodec, GoesByTheFirstBytes) {
  EXPECT_EQ(DetectCodec(std::string_view("\xFD"
                                         "7zXZ\0more",
                                         10)),
            Codec::kXz);
  EXPECT_EQ(DetectCodec("\x28\xB5\x2F\xFDmore"), Codec::kZstd);
  EXPECT_EQ(DetectCodec("data/x"), Codec::kNone);
  EXPECT_EQ(DetectCodec(""), Codec::kNone);
}

// Counts requests.
class CountingSource final : public RangedSource {
 public:
  explicit CountingSource(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t Size() const override { return bytes_.Size(); }
  void ReadAt(uint64_t offset, char* buffer, size_t size) const override {
    ++reads;
    bytes_.ReadAt(offset, buffer, size);
  }
  std::string Name() const override { return "counting"; }
  mutable int reads = 0;

 private:
  MemoryRangedSource bytes_;
};

TEST(TailReader, NeedsOneRequestForWhatLiesNearTheEnd) {
  const std::string bytes = Noise(TailReader::kTailBytes + 1000);
  const CountingSource source(bytes);
  TailReader tail(source);
  EXPECT_EQ(tail.Read(bytes.size() - 10, 10), bytes.substr(bytes.size() - 10));
  EXPECT_EQ(tail.Read(1000, 5), bytes.substr(1000, 5));
  EXPECT_EQ(source.reads, 1);
  EXPECT_EQ(tail.Read(990, 20), bytes.substr(990, 20));
  EXPECT_EQ(tail.Read(0, 5), bytes.substr(0, 5));
  EXPECT_EQ(source.reads, 3);
}

}  // namespace
}  // namespace oxbackup
