// Which codec an archive is written with.
#pragma once

#include <string>
#include <string_view>

namespace oxbackup {

enum class Codec { kNone, kXz, kZstd };

/// A codec and its level: xz 0 to 9, zstd 1 to 19, none 0.
struct Compression {
  Codec codec = Codec::kXz;
  int level = 0;
};

/// Reads "xz[:0-9]", "zstd[:1-19]" or "none"; without a level the codec's default (docs/format.md).
/// Throws Error(kUsage) naming what is allowed for any other text.
Compression ParseCompression(std::string_view text);
/// "xz:1", as ParseCompression reads it.
std::string FormatCompression(const Compression& compression);
/// ".tar.xz", ".tar.zst" or ".tar".
std::string_view ArchiveSuffix(Codec codec);

}  // namespace oxbackup
