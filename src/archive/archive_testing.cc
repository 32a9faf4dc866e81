#include "archive/archive_testing.h"

#include <fmt/format.h>

#include <mutex>
#include <random>
#include <utility>

#include "archive/format_member.h"
#include "archive/manifest_block.h"

namespace oxbackup {
namespace {

class OwnedByteSource final : public ByteSource {
 public:
  explicit OwnedByteSource(std::string bytes) : bytes_(std::move(bytes)), source_(bytes_) {}
  size_t Read(char* buffer, size_t size) override { return source_.Read(buffer, size); }

 private:
  std::string bytes_;
  MemoryByteSource source_;
};

}  // namespace

std::string RandomBytes(uint64_t size, uint32_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes;
  bytes.reserve(size + 8);
  while (bytes.size() < size) {
    const uint64_t word = random();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  bytes.resize(size);
  return bytes;
}

std::string SqlText(uint64_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::string text = "INSERT INTO `t` (`id`,`state`) VALUES\n";
  for (int id = 1; text.size() < size; ++id) {
    text += fmt::format("({},'{{\\\"attempts\\\": {}, \\\"seed\\\": {}}}'),\n", id, random() % 5,
                        random() % 1000);
  }
  text.resize(size);
  return text;
}

Member MakeFile(std::string path, std::string content) {
  Member member;
  member.info.path = std::move(path);
  member.info.size = content.size();
  member.content = std::move(content);
  return member;
}

MemberGroup MakeGroup(std::vector<Member> members) {
  MemberGroup group;
  group.members = std::move(members);
  return group;
}

std::vector<Member> EveryKindOfMember() {
  std::vector<Member> members;
  Member directory = MakeFile("data/caddy", "");
  directory.info.type = MemberType::kDirectory;
  directory.info.mode = 02750;
  members.push_back(directory);

  Member file = MakeFile("data/caddy/caf\xC3\xA9 \xE6\xB8\xAC.txt", "accents");
  file.info.mode = 0600;
  file.info.uid = 3'000'000;
  file.info.gid = 33;
  file.info.user = "www-data";
  file.info.group = "www-data";
  file.info.mtime_seconds = 1'700'000'000;
  file.info.mtime_nanoseconds = 123'456'789;
  file.info.xattrs = {{"user.note", std::string("a\0b=\n\xFF", 6)}, {"user.other", "x"}};
  members.push_back(file);

  members.push_back(MakeFile("data/caddy/e\xCC\x81 decomposed", "as a Mac names it"));
  members.push_back(MakeFile("data/caddy/\xE9 latin 1", "no UTF-8"));
  members.push_back(MakeFile("data/caddy/" + std::string(200, 'n'), "a long name"));
  members.push_back(MakeFile("data/caddy/empty", ""));
  Member symlink = MakeFile("data/caddy/link", "");
  symlink.info.type = MemberType::kSymlink;
  symlink.info.link_target = "../../" + std::string(150, 't');
  members.push_back(symlink);
  Member hardlink = MakeFile("data/caddy/same", "");
  hardlink.info.type = MemberType::kHardlink;
  hardlink.info.link_target = "data/caddy/empty";
  members.push_back(hardlink);
  return members;
}

std::string WriteArchive(const std::string& compression, std::vector<std::vector<Member>> groups,
                         const RunContext& run) {
  StringSink sink;
  ArchiveWriter writer(sink, {ParseCompression(compression), 2}, run);
  for (std::vector<Member>& group : groups) writer.Add(MakeGroup(std::move(group)));
  Manifest manifest;
  manifest.tool_version = "test";
  manifest.host = "host";
  writer.Finish(std::move(manifest));
  return sink.bytes();
}

std::map<std::string, ReadMember> ReadMembers(ArchiveReader& reader, int threads,
                                              const RunContext& run) {
  std::map<std::string, ReadMember> members;
  std::mutex mutex;
  reader.Read([](const std::string& path) { return path != kFormatPath; },
              [&](const MemberInfo& info, ByteSource& content) {
                std::string bytes = ReadAll(content, UINT64_MAX);
                const std::lock_guard lock(mutex);
                members[info.path] = {info, std::move(bytes)};
              },
              threads, run);
  return members;
}

std::map<std::string, ReadMember> ReadMembers(const std::string& archive, int threads,
                                              const RunContext& run) {
  return ReadMembers(*OpenBytes(archive, run), threads, run);
}

std::unique_ptr<ArchiveReader> OpenBytes(std::string archive, const RunContext& run) {
  return OpenArchive(std::make_unique<MemoryRangedSource>(std::move(archive), "test.tar"), run);
}

std::unique_ptr<ArchiveReader> OpenPipe(std::string archive) {
  return OpenSequentialArchive(std::make_unique<OwnedByteSource>(std::move(archive)), "pipe");
}

std::string WithManifest(const std::string& archive, const std::function<void(Manifest&)>& lie) {
  const auto tail = ReadArchiveTail(MemoryRangedSource(archive));
  lie(tail->manifest);
  std::vector<BlockRecord> blocks = tail->blocks;
  const std::string text = SerializeManifest(tail->manifest);
  StringSink block;
  blocks.back() = tail->block_codec->EncodeStored(ManifestBlock(text).pieces(), block);
  return archive.substr(0, tail->manifest_block_offset) + block.bytes() +
         tail->block_codec->Trailer(blocks);
}

}  // namespace oxbackup
