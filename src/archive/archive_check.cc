#include "archive/archive_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <unordered_set>
#include <utility>

#include "archive/archive_layout.h"
#include "archive/block_ahead.h"
#include "archive/block_cursor.h"
#include "archive/format_member.h"
#include "archive/manifest_block.h"
#include "archive/ranged_reader.h"
#include "base/error.h"

namespace oxbackup {
namespace {

std::unique_ptr<ArchiveTail> ReadTailOfOurs(const RangedSource& source, std::string* text) {
  std::unique_ptr<ArchiveTail> tail = ReadArchiveTail(source, text);
  if (tail == nullptr) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} is no whole backup of ours", source.Name()))
        .Cause("no manifest can be read at its end")
        .Hint(
            "foreign archives hold nothing to be verified against; damaged ones cannot be "
            "repaired");
  }
  return tail;
}

// Compares what is written with a part of a source.
class ComparingSink final : public ByteSink {
 public:
  ComparingSink(const RangedSource& source, uint64_t offset, std::string_view what)
      : source_(source), offset_(offset), what_(what) {}

  void Write(std::string_view expected) override {
    std::array<char, 65536> buffer;
    while (!expected.empty()) {
      const size_t now = std::min(buffer.size(), expected.size());
      source_.ReadAt(offset_, buffer.data(), now);
      if (std::string_view(buffer.data(), now) != expected.substr(0, now)) {
        throw Error(ErrorKind::kCorrupt, fmt::format("{} of {} is damaged", what_, source_.Name()));
      }
      offset_ += now;
      expected.remove_prefix(now);
    }
  }
  void Finish() override {}

 private:
  const RangedSource& source_;
  uint64_t offset_;
  const std::string_view what_;
};

// Reads the archive's end and compares the frame: all bytes that are no block of data are
// determined by the manifest's text and the blocks' sizes, so they are made anew.
std::unique_ptr<ArchiveTail> CheckFrame(const RangedSource& source) {
  std::string text;
  std::unique_ptr<ArchiveTail> tail = ReadTailOfOurs(source, &text);
  const BlockCodec& codec = *tail->block_codec;
  ComparingSink(source, 0, "the stream header").Write(codec.StreamHeader());
  const ManifestBlock block(text);
  const std::string trailer = codec.Trailer(tail->blocks);
  const uint64_t trailer_begin = tail->manifest_block_offset + tail->blocks.back().stored_size;
  if (codec.StoredBlockSize(block.size()) != tail->blocks.back().stored_size ||
      trailer_begin + trailer.size() != source.Size()) {
    throw Error(ErrorKind::kCorrupt, fmt::format("the end of {} is damaged", source.Name()));
  }
  ComparingSink stored(source, tail->manifest_block_offset, "the manifest's block");
  const BlockRecord record = codec.EncodeStored(block.pieces(), stored);
  if (record != tail->blocks.back()) {
    throw Error(ErrorKind::kCorrupt, fmt::format("the end of {} is damaged", source.Name()));
  }
  ComparingSink(source, trailer_begin, "the index").Write(trailer);
  return tail;
}

}  // namespace

void CheckWholeArchive(const RangedSource& source, int threads, const MemberConsumer& inspector,
                       const RunContext& run) {
  std::unique_ptr<ArchiveTail> tail = CheckFrame(source);
  // Members lie one behind the other (CheckLayout), so reading all of them opens every block.
  RangedReader reader(source, std::move(tail));
  const auto every_member = [](const std::string& /*path*/) { return true; };
  const auto inspect = [&](const MemberInfo& info, ByteSource& content) {
    if (inspector) inspector(info, content);
  };
  reader.Read(every_member, inspect, threads, run);
}

void CheckStoredBytes(const RangedSource& source, const RunContext& run) {
  const std::unique_ptr<ArchiveTail> tail = CheckFrame(source);
  const ArchiveLayout layout(tail->manifest, tail->header_size);
  BlockCursor cursor(source.Name(), *tail, layout,
                     [&](size_t block) { return FetchBlock(source, layout, block); });
  for (size_t block = 0; block < layout.block_count(); ++block) {
    run.ThrowIfStopped();
    cursor.CheckStored(block);
    run.progress.Add("archive", tail->manifest.blocks[block].stored_size, 0, {});
  }
}

BlockDiff DiffBlocks(const Manifest& older, const Manifest& newer) {
  std::unordered_set<std::string_view> known;
  for (const BlockEntry& block : older.blocks) known.insert(block.digest);
  BlockDiff diff;
  for (const BlockEntry& block : newer.blocks) {
    const bool shared = known.contains(block.digest);
    ++diff.blocks;
    diff.stored_bytes += block.stored_size;
    diff.shared_blocks += shared ? 1 : 0;
    diff.shared_bytes += shared ? block.stored_size : 0;
  }
  return diff;
}

}  // namespace oxbackup
