#include "engine/small_archive_testing.h"

#include "archive/archive_testing.h"
#include "archive/tar_format.h"
#include "base/run_context_testing.h"
#include "stream/block_codec.h"

namespace oxbackup {

TimePoint NoonOfDay(int day) {
  return *ParseRfc3339("2026-01-01T12:00:00Z") + std::chrono::hours(24 * day);
}

std::string SmallArchive(int day, const std::vector<std::string>& components) {
  return SmallArchiveOf(NoonOfDay(day), components);
}

std::string SmallArchiveOf(TimePoint finished, const std::vector<std::string>& components) {
  const TestRun test;
  StringSink sink;
  ArchiveWriter writer(sink, {ParseCompression("xz:1"), 1}, test.run);
  writer.Add(MakeGroup({MakeFile("data/caddy/x", "a key")}));
  Manifest manifest;
  manifest.tool_version = "test";
  for (const std::string& name : components) {
    manifest.components.emplace_back().name = name;
  }
  manifest.finished = finished;
  writer.Finish(std::move(manifest));
  return sink.bytes();
}

std::string InNewerFormat(const std::string& archive) {
  return WithManifest(archive, [](Manifest& m) { m.format_version = kFormatVersion + 1; });
}

std::string ForeignArchive() {
  const std::string tar = EncodeTarHeader(MakeFile("data/mysql_dump.sql", "").info) +
                          std::string(size_t{2} * kTarRecord, '\0');
  const std::string_view piece = tar;
  const auto codec = MakeBlockCodec({Codec::kXz, 1});
  BlockRecord record;
  const ByteBuffer block = codec->NewEncoder()->Encode({&piece, 1}, &record);
  return codec->StreamHeader() + std::string(block.view()) + codec->Trailer({record});
}

std::string CutOff(const std::string& archive) { return archive.substr(0, 500); }

}  // namespace oxbackup
