#include "archive/manifest_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

#include "archive/tar_format.h"
#include "base/error.h"

namespace oxbackup {
namespace {

// Made here and not by libarchive, because verification compares it byte for byte, also years later
// with another version of the library.
std::string ManifestHeader(uint64_t size) {
  std::string header(kTarRecord, '\0');
  const auto put = [&header](size_t at, std::string_view text) {
    text.copy(&header[at], text.size());
  };
  put(0, kManifestPath);
  put(100, "000644 ");
  put(108, "000000 ");
  put(116, "000000 ");
  put(124, fmt::format("{:011o} ", size));
  put(136, "00000000000 ");
  put(148, "        ");
  put(156, "0");
  put(257, std::string_view("ustar\00000", 8));
  put(329, "000000 ");
  put(337, "000000 ");
  const unsigned int sum = std::accumulate(
      header.begin(), header.end(), 0U,
      [](unsigned int so_far, char c) { return so_far + static_cast<unsigned char>(c); });
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  header[155] = ' ';
  return header;
}

uint64_t ManifestBlockSize(uint64_t text_size) {
  return kTarRecord + PadToTarRecord(text_size) + kTarEndBytes;
}

// The size of the text when `header` begins a manifest block of `block_size` raw bytes.
std::optional<uint64_t> TextSizeOf(std::string_view header, uint64_t block_size) {
  if (header.size() < kTarRecord) return std::nullopt;
  uint64_t size = 0;
  const char* const digits = header.data() + 124;
  std::from_chars(digits, digits + 11, size, 8);
  if (size > kMaxManifestBytes || header.substr(0, kTarRecord) != ManifestHeader(size) ||
      ManifestBlockSize(size) != block_size) {
    return std::nullopt;
  }
  return size;
}

// Looks through a plain tar from its end for the manifest's header. A manifest is JSON, which holds
// no NUL, so the walk ends soon in any other file.
std::optional<uint64_t> FindPlainManifestBlock(TailReader& tail) {
  constexpr uint64_t kStep = uint64_t{64} << 10;
  const uint64_t size = tail.size();
  if (size % kTarRecord != 0 || size < ManifestBlockSize(1)) return std::nullopt;
  const uint64_t last_text_record = size - kTarEndBytes - kTarRecord;
  for (uint64_t end = size - kTarEndBytes; end > 0 && size - end <= kMaxManifestBytes;) {
    const uint64_t begin = end - std::min(end, kStep);
    const std::string bytes = tail.Read(begin, end - begin);
    for (uint64_t at = end; at > begin; at -= kTarRecord) {
      const std::string_view record(bytes.data() + (at - kTarRecord - begin), kTarRecord);
      if (TextSizeOf(record, size - at + kTarRecord)) return at - kTarRecord;
      const bool text = record.find('\0') == std::string_view::npos;
      if (!text && at - kTarRecord != last_text_record) return std::nullopt;
    }
    end = begin;
  }
  return std::nullopt;
}

// Fills `bytes`; returns how many there were.
size_t ReadFrom(BlockDecoder& decoder, std::string* bytes) {
  size_t have = 0;
  while (have < bytes->size()) {
    const size_t now = decoder.Read(bytes->data() + have, bytes->size() - have);
    if (now == 0) break;
    have += now;
  }
  return have;
}

// Decodes the last block; nothing when it does not begin as a manifest does.
std::optional<std::string> ReadManifestText(TailReader& tail, const ArchiveTail& found) {
  constexpr uint64_t kProbeBytes = 4096;
  const BlockRecord& block = found.blocks.back();
  if (block.stored_size != found.block_codec->StoredBlockSize(block.raw_size)) return std::nullopt;
  const std::unique_ptr<BlockDecoder> decoder = found.block_codec->NewDecoder();
  std::string header(kTarRecord, '\0');
  try {
    const std::string probe =
        tail.Read(found.manifest_block_offset, std::min(kProbeBytes, block.stored_size));
    decoder->Start(probe);
    if (ReadFrom(*decoder, &header) < header.size()) return std::nullopt;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) throw;
    return std::nullopt;
  }
  const std::optional<uint64_t> size = TextSizeOf(header, block.raw_size);
  if (!size) return std::nullopt;

  const std::string stored = tail.Read(found.manifest_block_offset, block.stored_size);
  decoder->Start(stored);
  std::string text(static_cast<size_t>(*size), '\0');
  std::string end(static_cast<size_t>(block.raw_size - kTarRecord - *size), '\0');
  for (std::string* part : {&header, &text, &end}) {
    if (ReadFrom(*decoder, part) < part->size()) ThrowBadBlock("the manifest's ends early");
  }
  char beyond = 0;
  if (decoder->Read(&beyond, 1) != 0) ThrowBadBlock("the manifest's is longer than the index says");
  return text;
}

// Nothing when the file has no index that could be ours.
std::unique_ptr<ArchiveTail> FindLastBlock(TailReader& tail) {
  auto found = std::make_unique<ArchiveTail>();
  for (const Codec codec : {Codec::kXz, Codec::kZstd}) {
    found->codec = codec;
    found->block_codec = MakeBlockCodec({codec, 1});
    std::optional<BlockTable> table = found->block_codec->ReadTable(tail);
    if (!table || table->blocks.empty()) continue;
    found->header_size = table->header_size;
    found->blocks = std::move(table->blocks);
    found->manifest_block_offset =
        tail.size() - table->trailer_size - found->blocks.back().stored_size;
    return found;
  }
  found->codec = Codec::kNone;
  found->block_codec = MakeBlockCodec({Codec::kNone, 0});
  const std::optional<uint64_t> offset = FindPlainManifestBlock(tail);
  if (!offset) return nullptr;
  const uint64_t size = tail.size() - *offset;
  found->manifest_block_offset = *offset;
  found->blocks.push_back({size, size, size});
  return found;
}

// The manifest lists the same blocks as the index; without an index it is the index.
void JoinBlocks(ArchiveTail* found, uint64_t file_size) {
  const std::vector<BlockEntry>& listed = found->manifest.blocks;
  if (found->codec == Codec::kNone) {
    const BlockRecord last = found->blocks.back();
    found->blocks.clear();
    for (const BlockEntry& block : listed) {
      found->blocks.push_back({block.stored_size, block.stored_size, block.raw_size});
    }
    found->blocks.push_back(last);
  }
  uint64_t stored = found->header_size;
  bool same = listed.size() + 1 == found->blocks.size();
  for (size_t i = 0; same && i < listed.size(); ++i) {
    same = listed[i].stored_size == found->blocks[i].stored_size &&
           listed[i].raw_size == found->blocks[i].raw_size;
    stored += listed[i].stored_size;
  }
  if (!same || stored != found->manifest_block_offset || stored > file_size) {
    throw Error(ErrorKind::kCorrupt, "the archive's manifest and its index list other blocks");
  }
}

}  // namespace

ManifestBlock::ManifestBlock(std::string_view text) : text_(text) {
  if (text.size() > kMaxManifestBytes) {
    throw Error(ErrorKind::kSource, "the archive would hold too many members for one manifest")
        .Hint("back the components up one by one with --only");
  }
  header_ = ManifestHeader(text.size());
  end_.resize(static_cast<size_t>(ManifestBlockSize(text.size()) - header_.size() - text.size()));
}

std::unique_ptr<ArchiveTail> ReadArchiveTail(const RangedSource& source, std::string* text) {
  TailReader tail(source);
  std::unique_ptr<ArchiveTail> found = FindLastBlock(tail);
  if (found == nullptr) return nullptr;
  std::optional<std::string> read = ReadManifestText(tail, *found);
  if (!read) return nullptr;
  found->manifest = ParseManifest(*read);
  // Freed here unless it is asked for: it may be as large as all that follows.
  std::string unwanted;
  (text != nullptr ? *text : unwanted).swap(*read);
  unwanted = std::string();
  JoinBlocks(found.get(), source.Size());
  const Compression compression = ParseCompression(found->manifest.compression);
  if (compression.codec != found->codec) {
    throw Error(ErrorKind::kCorrupt, "the archive is not compressed as its manifest says");
  }
  found->block_codec = MakeBlockCodec(compression);
  return found;
}

}  // namespace oxbackup
