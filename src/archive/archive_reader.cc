#include "archive/archive_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "archive/format_member.h"
#include "archive/manifest_block.h"
#include "archive/ranged_reader.h"
#include "archive/sequential_reader.h"
#include "archive/tar_format.h"
#include "archive/whole_source.h"
#include "base/error.h"
#include "stream/block_codec.h"

namespace oxbackup {
namespace {

// True when the file begins with the first member of our archives, whatever became of its end. Uses
// our own decoder: libarchive gives nothing of a compressed file that breaks off early.
bool BeginsAsOurs(const RangedSource& source) {
  constexpr uint64_t kHeadBytes = uint64_t{64} << 10;
  constexpr size_t kMarkBytes = 64;
  std::string head(static_cast<size_t>(std::min(kHeadBytes, source.Size())), '\0');
  if (head.empty()) return false;
  source.ReadAt(0, head.data(), head.size());
  const std::unique_ptr<BlockCodec> codec = MakeBlockCodec({DetectCodec(head), 1});
  const size_t header_size = std::min(codec->StreamHeader().size(), head.size());
  std::string raw(kTarRecord + kMarkBytes, '\0');
  try {
    const std::unique_ptr<BlockDecoder> decoder = codec->NewDecoder();
    decoder->Start(std::string_view(head).substr(header_size));
    for (size_t have = 0; have < raw.size();) {
      const size_t now = decoder->Read(raw.data() + have, raw.size() - have);
      if (now == 0) return false;
      have += now;
    }
    return IsFormatMember(DecodeTarHeader(std::string_view(raw).substr(0, kTarRecord)).path,
                          std::string_view(raw).substr(kTarRecord));
  } catch (const Error&) {
    return false;
  }
}

// A file without a readable manifest at its end: foreign, or ours and damaged, which its first
// member tells. Throws Error(kCorrupt) when it is ours or no archive at all.
void CheckForeign(const RangedSource& source) {
  if (BeginsAsOurs(source)) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} is incomplete or damaged", source.Name()))
        .Cause("it begins as a backup of ours, but no manifest can be read at its end")
        .Hint(
            "use another backup; data/FORMAT in the archive says how to get at what is left of "
            "this one by hand");
  }
  RangedByteSource bytes(source, 0, source.Size());
  ProbeFirstMember(bytes, source.Name());
}

}  // namespace

std::unique_ptr<ArchiveReader> OpenArchive(std::unique_ptr<RangedSource> source,
                                           const RunContext& run) {
  run.ThrowIfStopped();
  const std::string name = source->Name();
  return WithContext([&] { return fmt::format("opening {}", name); },
                     [&]() -> std::unique_ptr<ArchiveReader> {
                       if (std::unique_ptr<ArchiveTail> tail = ReadArchiveTail(*source)) {
                         return std::make_unique<RangedReader>(std::move(source), std::move(tail));
                       }
                       CheckForeign(*source);
                       const std::shared_ptr<const RangedSource> shared = std::move(source);
                       return std::make_unique<SequentialReader>(
                           [shared, budget = &run.budget] { return ReadWhole(shared, *budget); },
                           name);
                     });
}

std::unique_ptr<ArchiveReader> OpenSequentialArchive(std::unique_ptr<ByteSource> source,
                                                     std::string name) {
  const auto once = std::make_shared<std::unique_ptr<ByteSource>>(std::move(source));
  return std::make_unique<SequentialReader>([once] { return std::move(*once); }, std::move(name));
}

void ForEachPath(ArchiveReader& reader, const RunContext& run,
                 const std::function<void(const std::string& path)>& visit) {
  if (const Manifest* const manifest = reader.manifest()) {
    for (const MemberEntry& member : manifest->members) visit(member.path);
    return;
  }
  reader.Read([](const std::string&) { return true; },
              [&](const MemberInfo& info, ByteSource&) { visit(info.path); }, 1, run);
}

std::unique_ptr<Manifest> ReadManifest(const RangedSource& source) {
  return WithContext([&] { return fmt::format("opening {}", source.Name()); },
                     [&]() -> std::unique_ptr<Manifest> {
                       if (const std::unique_ptr<ArchiveTail> tail = ReadArchiveTail(source)) {
                         return std::make_unique<Manifest>(std::move(tail->manifest));
                       }
                       CheckForeign(source);
                       return nullptr;
                     });
}

}  // namespace oxbackup
