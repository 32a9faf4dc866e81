#include "dump_testing.h"

#include <mutex>

#include "archive/archive_writer.h"
#include "mysql/member_path.h"

namespace oxbackup::mysql {

const ObjectEntry* DumpedArchive::Find(const std::string& database, const std::string& name) const {
  for (const ObjectEntry& object : manifest.objects) {
    if (object.database == database && object.name == name) return &object;
  }
  return nullptr;
}

std::vector<std::string> DumpedArchive::RowsOf(const std::string& database,
                                               const std::string& table) const {
  std::vector<std::string> rows;
  for (const auto& [path, content] : members) {
    const auto parsed = ParseMemberPath(path);
    if (!parsed || parsed->kind != MemberKind::kRows || parsed->database != database ||
        parsed->name != table) {
      continue;
    }
    size_t at = 0;
    while (at < content.size()) {
      const size_t end = content.find('\n', at);
      if (content[at] == '(') rows.push_back(content.substr(at, end - at - 1));
      at = end + 1;
    }
  }
  return rows;
}

DumpedArchive Dump(BackupSource& source, TestRun& test) {
  DumpedArchive dumped;
  StringSink sink;
  {
    ArchiveWriterOptions options;
    options.compression.codec = Codec::kNone;
    ArchiveWriter writer(sink, options, test.run);
    source.Prepare();
    source.TakeSnapshot();
    source.Copy(writer);
    dumped.manifest = source.Finish();
    Manifest manifest;
    manifest.compression = FormatCompression(options.compression);
    manifest.components = {dumped.manifest};
    writer.Finish(std::move(manifest));
  }
  dumped.warnings = test.warnings.All();
  const auto reader = OpenArchive(std::make_unique<MemoryRangedSource>(sink.bytes()), test.run);
  std::mutex mutex;
  reader->Read([](const std::string& path) { return path.starts_with("data/mysql"); },
               [&](const MemberInfo& info, ByteSource& content) {
                 std::string text = ReadAll(content, uint64_t{1} << 30);
                 const std::lock_guard lock(mutex);
                 dumped.members.emplace(info.path, std::move(text));
               },
               2, test.run);
  return dumped;
}

DumpedArchive Dump(const ConnectOptions& connect, const DumpOptions& options) {
  TestRun test;
  const auto source = MakeBackupSource(connect, options, test.run);
  return Dump(*source, test);
}

}  // namespace oxbackup::mysql
