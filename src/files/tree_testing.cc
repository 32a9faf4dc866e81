#include "files/tree_testing.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <stdexcept>

#include "base/hash.h"
#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "files/entry_facts.h"
#include "files/tree_reading.h"
#include "files/tree_walk.h"

namespace oxbackup::files {
namespace {

namespace fs = std::filesystem;

void Check(int result, const std::string& what) {
  if (result != 0) throw std::runtime_error("test tree: " + what);
}

void SetTime(const fs::path& path, int64_t seconds, int64_t nanoseconds) {
  const timespec times[2] = {{0, UTIME_OMIT}, {seconds, nanoseconds}};
  Check(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW),
        "time of " + path.string());
}

std::string XattrText(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  std::string text;
  if (!file) return text;
  for (const auto& [name, value] : ReadXattrs(file.get(), path.string())) {
    text += fmt::format(" {}={}", name, value);
  }
  return text;
}

}  // namespace

std::map<std::string, std::string> Fingerprint(const fs::path& root) {
  const TestRun test;
  std::map<std::string, std::string> entries;
  const TreeRoot tree(root);
  WalkTree(
      tree, test.run, [](const std::string&) {},
      [&](const WalkedEntry& entry) {
        const std::string path = entry.path.empty() ? "." : entry.path;
        if (!entry.hard_link_to.empty()) {
          entries[path] = "same file as " + entry.hard_link_to;
          return;
        }
        const struct stat& status = entry.status;
        const fs::path full = tree.FullPath(entry.path);
        std::string text =
            fmt::format("{:o} {}:{} {}.{:09}", status.st_mode, status.st_uid, status.st_gid,
                        status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
        if (S_ISLNK(status.st_mode)) text += " -> " + entry.link_target;
        if (!S_ISLNK(status.st_mode)) text += XattrText(full);
        if (S_ISREG(status.st_mode)) {
          const std::string content = ReadTestFile(full);
          text += fmt::format(" {} bytes {:016x}", content.size(), Xxh3_64(content));
        }
        entries[path] = std::move(text);
      });
  return entries;
}

void MakeSampleTree(const fs::path& root, int variant) {
  fs::create_directories(root / "empty");
  fs::create_directories(root / "deep" / std::string(200, 'd') / "deeper");
  const std::string own = fmt::format("only in {}", variant);
  WriteTestFile(root / own, own);
  WriteTestFile(root / fmt::format("folder {}", variant) / "file", own);
  WriteTestFile(root / "a.txt", fmt::format("text of variant {}", variant));
  WriteTestFile(root / "empty file", "");
  WriteTestFile(root / "deep" / std::string(200, 'd') / "deeper" / std::string(250, 'n'), own);
  WriteTestFile(root / "large", std::string(size_t{300'000} + static_cast<size_t>(variant), 'L'));
  WriteTestFile(root / "names" / "new\nline", own);
  WriteTestFile(root / "names" / "not utf-8 \xff\xfe", own);
  WriteTestFile(root / "names" / "\xE6\xB8\xAC\xE8\xA9\xA6 \xF0\x9F\x8E\x93", own);
  WriteTestFile(root / "names" / "-rf *", own);
  fs::create_symlink("a.txt", root / "link");
  fs::create_symlink("/etc/passwd", root / "absolute link");
  fs::create_symlink(fmt::format("../nowhere {}", variant), root / "dangling");
  fs::create_directory_symlink("deep", root / "link to folder");
  fs::create_hard_link(root / "a.txt", root / "b second name");
  fs::create_hard_link(root / "a.txt", root / "deep" / "third name");
  const fs::path odd = root / "odd mode";
  WriteTestFile(odd, own);
  (void)::setxattr(odd.c_str(), "user.note", "value\0x", 7, 0);
  if (::geteuid() == 0) Check(::chown(odd.c_str(), 1234, 5678), "owner");
  Check(::chmod(odd.c_str(), 04751), "mode");
  Check(::chmod((root / "empty").c_str(), 01777), "mode");
  SetTime(odd, 1'000'000'000, 123'456'789);
  SetTime(root / "dangling", 1'100'000'000 + variant, 5);
  SetTime(root / "empty", 1'200'000'000, 1);
  SetTime(root, 1'300'000'000 + variant, 999'999'999);
}

std::vector<Member> MembersOf(const fs::path& root, const std::string& member_path) {
  const TestRun test;
  OwnerNames owners;
  std::vector<Member> members;
  const TreeRoot tree(root);
  const auto in_archive = [&](const std::string& path) {
    return path.empty() ? member_path : member_path + "/" + path;
  };
  WalkTree(
      tree, test.run, [](const std::string&) {},
      [&](const WalkedEntry& entry) {
        Member member;
        member.info = InfoFromStat(entry.status, owners);
        member.info.path = in_archive(entry.path);
        const fs::path full = tree.FullPath(entry.path);
        if (!entry.hard_link_to.empty()) {
          member.info.type = MemberType::kHardlink;
          member.info.link_target = in_archive(entry.hard_link_to);
        } else if (S_ISLNK(entry.status.st_mode)) {
          member.info.type = MemberType::kSymlink;
          member.info.link_target = entry.link_target;
        } else {
          const FileDescriptor file(::open(full.c_str(), O_RDONLY | O_CLOEXEC));
          member.info.xattrs = ReadXattrs(file.get(), full.string());
          if (S_ISDIR(entry.status.st_mode)) {
            member.info.type = MemberType::kDirectory;
          } else {
            member.content = ReadTestFile(full);
            member.info.size = member.content.size();
          }
        }
        members.push_back(std::move(member));
      });
  return members;
}

ComponentManifest ManifestOf(const std::string& component, const std::string& tree_name,
                             const fs::path& root, const RunContext& run) {
  ComponentManifest manifest;
  manifest.name = component;
  manifest.objects.push_back(ReadTreeDigest(TreeRoot(root), component, 2, run).ToObject(tree_name));
  return manifest;
}

void MemberListReader::Read(const MemberFilter& filter, const MemberConsumer& consumer, int,
                            const RunContext&) {
  for (const Member& member : members_) {
    if (!filter(member.info.path)) continue;
    MemoryByteSource content(member.content);
    consumer(member.info, content);
  }
}

}  // namespace oxbackup::files
