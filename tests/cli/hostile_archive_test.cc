// Archives that were made to write elsewhere, through the commands that unpack: extract and restore
// refuse them as damaged, and nothing of the machine has changed.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "archive/archive_testing.h"
#include "archive/format_member.h"
#include "base/hash.h"
#include "base/run_context_testing.h"
#include "command_testing.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

constexpr size_t kRecord = 512;

// A member as its header claims it to be; made here, since our own writers refuse such claims.
struct Claim {
  char type = '0';  // tar's: '0' file, '1' hard link, '2' symbolic link
  std::string path = {};
  std::string link = {};
  std::string content = {};
  std::string size_field = {};  // in place of the content's size
};

Claim File(std::string path) { return {.path = std::move(path), .content = "evil"}; }
Claim Symlink(std::string path, std::string to) {
  return {.type = '2', .path = std::move(path), .link = std::move(to)};
}
Claim Hardlink(std::string path, std::string to) {
  return {.type = '1', .path = std::move(path), .link = std::move(to)};
}

std::string Header(const Claim& claim) {
  std::string header(kRecord, '\0');
  const auto put = [&](size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  put(0, claim.path);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124,
      claim.size_field.empty() ? fmt::format("{:011o}", claim.content.size()) : claim.size_field);
  put(136, "00000000000");
  put(148, "        ");
  put(156, std::string(1, claim.type));
  put(157, claim.link);
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  return header;
}

std::string Foreign(const std::vector<Claim>& claims) {
  std::string tar;
  for (const Claim& claim : claims) {
    tar += Header(claim) + claim.content;
    tar.resize((tar.size() + kRecord - 1) / kRecord * kRecord);
  }
  return tar + std::string(2 * kRecord, '\0');
}

void DescribeAsCaddy(Manifest& manifest) {
  ComponentManifest caddy;
  caddy.name = "caddy";
  ObjectEntry tree;
  tree.kind = "tree";
  tree.items = 1;
  caddy.objects.push_back(tree);
  manifest.components.push_back(caddy);
}

// An archive of ours, right in all its digests, whose headers and manifest make the claims:
// harmless members are written and then replaced by the claims, a record by a record.
std::string Ours(const std::vector<Claim>& claims) {
  const TestRun test;
  std::vector<Member> members;
  const auto harmless = [](size_t i) { return fmt::format("data/caddy/harmless-{}", i); };
  for (size_t i = 0; i < claims.size(); ++i) {
    members.push_back(MakeFile(harmless(i), claims[i].content));
  }
  std::string archive = WriteArchive("none", {members}, test.run);
  for (size_t i = 0; i < claims.size(); ++i) {
    archive.replace(archive.find(harmless(i)), kRecord, Header(claims[i]));
  }
  return WithManifest(archive, [&](Manifest& manifest) {
    DescribeAsCaddy(manifest);
    for (MemberEntry& entry : manifest.members) {
      for (size_t i = 0; i < claims.size(); ++i) {
        if (entry.path != harmless(i)) continue;
        entry.path = claims[i].path;
        if (claims[i].type != '0') entry.sha256 = {};
        break;
      }
    }
    size_t begin = 0;
    for (BlockEntry& block : manifest.blocks) {
      block.digest = Xxh3_128Hex(std::string_view(archive).substr(begin, block.stored_size));
      begin += block.stored_size;
    }
  });
}

class HostileArchive : public ::testing::Test {
 protected:
  HostileArchive() { WriteTestFile(site_.path() / "outside" / "victim", "untouched"); }

  // All that lies in the folder of the test but the archives, with its content.
  std::map<std::string, std::string> Everything() const {
    std::map<std::string, std::string> entries;
    for (auto entry = fs::recursive_directory_iterator(site_.path());
         entry != fs::recursive_directory_iterator(); ++entry) {
      if (entry->path() == site_.archives()) {
        entry.disable_recursion_pending();
        continue;
      }
      const bool file = entry->is_regular_file() && !entry->is_symlink();
      entries[entry->path().string()] =
          file ? ReadTestFile(entry->path()) : std::string(entry->is_symlink() ? "link" : "folder");
    }
    return entries;
  }

  void ExpectRefused(const std::string& bytes, const std::string& what) {
    const std::string archive = site_.archives() + "/backup.2026-11-22.tar";
    WriteTestFile(archive, bytes);
    const auto before = Everything();
    const std::vector<std::vector<std::string>> commands = {
        {"extract", "--from", archive, "--to", site_.path() / "out"},
        {"restore", "--from", archive, "--caddy", site_.caddy(), "--yes"}};
    for (const std::vector<std::string>& command : commands) {
      const ProcessResult result = site_.Run(command);
      const std::string shown = what + " by " + command[0] + ": " + result.error;
      EXPECT_EQ(result.status, 5) << shown;
      EXPECT_THAT(result.error, ::testing::HasSubstr("do: ")) << shown;
      EXPECT_EQ(Everything(), before) << shown;
    }
  }
  void ExpectRefused(const std::vector<Claim>& claims) {
    ExpectRefused(Foreign(claims), claims.back().path + ", foreign");
    ExpectRefused(Ours(claims), claims.back().path + ", ours");
  }

  std::string victim() const { return (site_.path() / "outside" / "victim").string(); }

  const CommandSite site_;
};

TEST_F(HostileArchive, WhatTheseTestsMakeIsRefusedForItsClaimsAlone) {
  const std::vector<Claim> harmless = {File("data/caddy/a"), Symlink("data/caddy/b", victim())};
  for (const std::string& bytes : {Foreign(harmless), Ours(harmless)}) {
    const std::string archive = site_.archives() + "/backup.2026-11-22.tar";
    WriteTestFile(archive, bytes);
    const fs::path target = site_.path() / "out";
    const ProcessResult result = site_.Run({"extract", "--from", archive, "--to", target});
    EXPECT_EQ(result.status, 0) << result.error;
    EXPECT_EQ(ReadTestFile(target / "data" / "caddy" / "a"), "evil");
    EXPECT_EQ(fs::read_symlink(target / "data" / "caddy" / "b"), victim());
    fs::remove_all(target);
  }
}

TEST_F(HostileArchive, PathsUpwards) {
  ExpectRefused({File("data/caddy/../../outside/victim")});
  ExpectRefused({File("../outside/victim")});
  ExpectRefused({File("data/mysql_dump/../../../outside/victim.sql")});
  ExpectRefused({File("data/mongodb_dump/../../../outside/victim.bson")});
  ExpectRefused({File("data/media/x/../../../../outside/victim")});
}

TEST_F(HostileArchive, AbsolutePaths) {
  ExpectRefused({File(victim())});
  ExpectRefused({File((site_.path() / "outside" / "new").string())});
}

TEST_F(HostileArchive, FilesThroughALink) {
  const std::string outside = (site_.path() / "outside").string();
  ExpectRefused({Symlink("data/caddy/up", outside), File("data/caddy/up/victim")});
  ExpectRefused({Symlink("data/caddy/up", "../../../outside"), File("data/caddy/up/new")});
  ExpectRefused({Symlink("data/caddy", outside), File("data/caddy/victim")});
}

TEST_F(HostileArchive, HardLinksOutOfTheTree) {
  ExpectRefused({Hardlink("data/caddy/x", victim())});
  ExpectRefused({Hardlink("data/caddy/x", "../outside/victim")});
  ExpectRefused({Symlink("data/caddy/l", victim()), Hardlink("data/caddy/x", "data/caddy/l")});
}

TEST_F(HostileArchive, HeadersThatLieAboutSizes) {
  Claim beyond_the_end = File("data/caddy/x");
  beyond_the_end.size_field = "77777777777";
  ExpectRefused({beyond_the_end});
  // Base 256, as GNU tar writes what octal digits cannot say: 2^63 - 1 and -1.
  Claim huge = File("data/caddy/x");
  huge.size_field = std::string("\x80\0\0\0\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12);
  ExpectRefused({huge});
  Claim negative = File("data/caddy/x");
  negative.size_field = std::string(12, '\xFF');
  ExpectRefused({negative});
}

TEST_F(HostileArchive, ManifestsThatLieAboutSizes) {
  const std::string archive = Ours({File("data/caddy/x")});
  const std::vector<std::function<void(Manifest&)>> lies = {
      [](Manifest& m) { m.members.back().size = uint64_t{1} << 62; },
      [](Manifest& m) { m.members.back().size = 3; },
      [](Manifest& m) { m.members.back().offset += uint64_t{1} << 40; },
      [](Manifest& m) { m.blocks.back().raw_size = uint64_t{1} << 40; },
      [](Manifest& m) { m.blocks.back().stored_size = uint64_t{1} << 40; },
      [](Manifest& m) { m.blocks.clear(); }};
  for (size_t i = 0; i < lies.size(); ++i) {
    ExpectRefused(WithManifest(archive, lies[i]), fmt::format("lie {}", i));
  }
}

}  // namespace
}  // namespace oxbackup
