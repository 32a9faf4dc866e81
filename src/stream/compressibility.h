// Whether it is worth trying to compress something.
#pragma once

#include <span>
#include <string_view>

namespace oxbackup {

/// False for images, films and archives: a quick compressor gains nothing on samples of the bytes.
/// LZMA needs ten times as long for such data as for text, only to store them in the end. The
/// answer depends on the bytes alone.
bool IsCompressible(std::span<const std::string_view> pieces);

}  // namespace oxbackup
