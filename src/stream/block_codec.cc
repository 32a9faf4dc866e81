#include "stream/block_codec.h"

#include "base/error.h"
#include "stream/none_codec.h"
#include "stream/xz_codec.h"
#include "stream/zstd_codec.h"

namespace oxbackup {

std::unique_ptr<BlockCodec> MakeBlockCodec(const Compression& compression, uint64_t memory_limit) {
  switch (compression.codec) {
    case Codec::kXz:
      return MakeXzCodec(compression.level, memory_limit);
    case Codec::kZstd:
      return MakeZstdCodec(compression.level, memory_limit);
    case Codec::kNone:
      break;
  }
  return MakeNoneCodec();
}

Codec DetectCodec(std::string_view first_bytes) {
  using std::string_view_literals::operator""sv;
  if (first_bytes.starts_with("\xFD"
                              "7zXZ\0"sv))
    return Codec::kXz;
  if (first_bytes.starts_with("\x28\xB5\x2F\xFD"sv)) return Codec::kZstd;
  return Codec::kNone;
}

void ThrowBadBlock(const std::string& what) {
  throw Error(ErrorKind::kCorrupt, "a block is damaged: " + what)
      .Hint(
          "restore another archive, this one cannot be repaired; openedx-backup extract --only "
          "unpacks a component that the damage does not touch, and `xz -dc FILE | tar -x` (or zstd "
          "-dc) all that lies before it");
}

}  // namespace oxbackup
