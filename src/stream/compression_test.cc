#include "stream/compression.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace oxbackup {
namespace {

TEST(Compression, ReadsWhatItWrites) {
  for (const char* const text : {"xz:0", "xz:9", "zstd:1", "zstd:19", "none"}) {
    EXPECT_EQ(FormatCompression(ParseCompression(text)), text);
  }
  EXPECT_EQ(FormatCompression(ParseCompression("xz")), "xz:1");
  EXPECT_EQ(FormatCompression(ParseCompression("zstd")), "zstd:3");
}

TEST(Compression, RefusesEverythingElseWithAHint) {
  for (const char* const text : {"", "gzip", "xz:", "xz:10", "xz:-1", "xz: 1", "xz:1x", "zstd:0",
                                 "zstd:20", "none:0", "none:", "XZ", ":1", "xz:99999999999"}) {
    try {
      ParseCompression(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_FALSE(error.hint().empty());
    }
  }
}

TEST(Compression, NamesFilesAfterTheCodec) {
  EXPECT_EQ(ArchiveSuffix(Codec::kXz), ".tar.xz");
  EXPECT_EQ(ArchiveSuffix(Codec::kZstd), ".tar.zst");
  EXPECT_EQ(ArchiveSuffix(Codec::kNone), ".tar");
}

}  // namespace
}  // namespace oxbackup
