#include "mongodb/dump_testing.h"

#include <string_view>

#include "mongodb/bson.h"

namespace oxbackup::mongodb {
namespace {

class BytesSink final : public ByteSink {
 public:
  void Write(std::string_view bytes) override { bytes_ += bytes; }
  void Finish() override {}
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace

TestDump RunTestDump(const ConnectOptions& connect, const DumpOptions& options, TestRun& run,
                     const std::function<void()>& before_copy) {
  const auto source = MakeBackupSource(connect, options, run.run);
  source->Prepare();
  source->TakeSnapshot();
  if (before_copy) before_copy();
  BytesSink sink;
  ArchiveWriterOptions archive;
  archive.compression = ParseCompression("none");
  ArchiveWriter writer(sink, archive, run.run);
  source->Copy(writer);
  TestDump dump;
  dump.manifest = source->Finish();
  Manifest manifest;
  manifest.compression = "none";
  manifest.components.push_back(dump.manifest);
  writer.Finish(manifest);
  dump.members = ReadMembers(sink.bytes(), 1, run.run);
  dump.members.erase(kManifestPath);
  return dump;
}

std::vector<std::string> DumpedDocuments(const TestDump& dump, const std::string& prefix) {
  std::vector<std::string> documents;
  for (const auto& [path, member] : dump.members) {
    if (path != prefix && !path.starts_with(prefix + ".")) continue;
    std::string_view rest = member.content;
    while (!rest.empty()) {
      const size_t length = DocumentLength(rest).value();
      documents.emplace_back(rest.substr(0, length));
      rest.remove_prefix(length);
    }
  }
  return documents;
}

const ObjectEntry* FindEntry(const TestDump& dump, const std::string& database,
                             const std::string& name) {
  for (const ObjectEntry& entry : dump.manifest.objects) {
    if (entry.database == database && entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace oxbackup::mongodb
