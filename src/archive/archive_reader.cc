#include "archive/archive_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "archive/ranged_reader.h"
#include "archive/sequential_reader.h"
#include "base/error.h"

namespace oxbackup {
namespace {

// A file without a readable manifest at its end: foreign, or ours and damaged, which its first
// member tells. Throws Error(kCorrupt) when it is ours or no archive at all.
void CheckForeign(const RangedSource& source) {
  RangedByteSource bytes(source, 0, source.Size());
  if (ProbeFirstMember(bytes, source.Name())) {
    throw Error(ErrorKind::kCorrupt, fmt::format("{} is incomplete or damaged", source.Name()))
        .Cause("it begins as a backup of ours, but no manifest can be read at its end")
        .Hint(
            "use another backup; data/FORMAT in the archive says how to get at what is left of "
            "this one by hand");
  }
}

}  // namespace

std::unique_ptr<ArchiveReader> OpenArchive(std::unique_ptr<RangedSource> source,
                                           const RunContext& run) {
  run.ThrowIfStopped();
  const std::string name = source->Name();
  return WithContext(
      [&] { return fmt::format("opening {}", name); },
      [&]() -> std::unique_ptr<ArchiveReader> {
        if (std::unique_ptr<ArchiveTail> tail = ReadArchiveTail(*source)) {
          return std::make_unique<RangedReader>(std::move(source), std::move(tail));
        }
        CheckForeign(*source);
        const std::shared_ptr<const RangedSource> shared = std::move(source);
        return std::make_unique<SequentialReader>(
            [shared] { return std::make_unique<RangedByteSource>(*shared, 0, shared->Size()); },
            name);
      });
}

std::unique_ptr<ArchiveReader> OpenSequentialArchive(std::unique_ptr<ByteSource> source,
                                                     std::string name) {
  const auto once = std::make_shared<std::unique_ptr<ByteSource>>(std::move(source));
  return std::make_unique<SequentialReader>([once] { return std::move(*once); }, std::move(name));
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
