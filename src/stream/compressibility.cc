#include "stream/compressibility.h"

#include <zstd.h>

#include <array>
#include <cstdint>
#include <memory>

namespace oxbackup {
namespace {

constexpr size_t kSampleSize = size_t{4} << 10;
// One sample in every so many bytes, the first one in the middle of them and so behind the tar
// header.
constexpr size_t kSampleStride = size_t{64} << 10;
constexpr int kSampleLevel = 1;

struct FreeSampler {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

bool IsCompressible(std::span<const std::string_view> pieces) {
  const std::unique_ptr<ZSTD_CCtx, FreeSampler> context(ZSTD_createCCtx());
  std::array<char, ZSTD_COMPRESSBOUND(kSampleSize)> out;
  uint64_t raw = 0;
  uint64_t compressed = 0;
  size_t until_sample = kSampleStride / 2;
  for (const std::string_view piece : pieces) {
    for (; until_sample < piece.size(); until_sample += kSampleStride) {
      const std::string_view sample = piece.substr(until_sample, kSampleSize);
      const size_t size = ZSTD_compressCCtx(context.get(), out.data(), out.size(), sample.data(),
                                            sample.size(), kSampleLevel);
      if (ZSTD_isError(size)) return true;
      raw += sample.size();
      compressed += size;
    }
    until_sample -= piece.size();
  }
  // Less than a thirtieth saved is not worth an hour for a folder of films.
  return raw == 0 || compressed + raw / 32 < raw;
}

}  // namespace oxbackup
