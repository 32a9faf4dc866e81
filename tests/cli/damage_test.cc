// What can still be had of a damaged archive, as the hints say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/archive_layout.h"
#include "archive/archive_reader.h"
#include "command_testing.h"
#include "stream/byte_stream.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;

class DamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // Media come behind Caddy, in blocks of their own.
    WriteTestFile(media() + "/a.bin", std::string(3 << 20, 'x'));
    const nlohmann::json result = site_.RunJson(
        {"backup", "--to", site_.archives(), "--caddy", site_.caddy(), "--media", media()});
    ASSERT_EQ(result["exit_status"], 0) << result.dump(2);
    archive_ = site_.archives() + "/" + result["archive"].get<std::string>();
  }
  std::string media() const { return site_.path() / "media"; }
  std::string Target(const std::string& name) const { return site_.path() / name; }

  // Changes a byte in the middle of the block in which the picture lies.
  void DamageMedia() const {
    std::string bytes = ReadTestFile(archive_);
    const MemoryRangedSource stored(bytes);
    const auto manifest = ReadManifest(stored);
    constexpr uint64_t kXzHeader = 12;
    const ArchiveLayout layout(*manifest, kXzHeader);
    for (const MemberEntry& member : manifest->members) {
      if (member.size < 1 << 20) continue;
      const size_t block = layout.BlockAt(member.offset);
      const uint64_t middle = (layout.stored_begin(block) + layout.stored_begin(block + 1)) / 2;
      bytes[middle] = static_cast<char>(bytes[middle] ^ 1);
    }
    WriteTestFile(archive_, bytes);
  }

  const CommandSite site_;
  std::string archive_;
};

TEST_F(DamageTest, AComponentThatTheDamageDoesNotTouchIsExtracted) {
  DamageMedia();
  const nlohmann::json all = site_.RunJson({"extract", "--from", archive_, "--to", Target("all")});
  EXPECT_EQ(all["exit_status"], 5);
  EXPECT_THAT(all["error"]["do"].get<std::string>(), HasSubstr("openedx-backup extract --only"));
  EXPECT_FALSE(std::filesystem::exists(Target("all")));
  const nlohmann::json caddy =
      site_.RunJson({"extract", "--from", archive_, "--to", Target("one"), "--only", "caddy"});
  EXPECT_EQ(caddy["exit_status"], 0) << caddy.dump(2);
  EXPECT_EQ(ReadTestFile(Target("one") + "/data/caddy/certificates/campus.crt"), "a certificate");
}

TEST_F(DamageTest, StockToolsGetOutWhatLiesBeforeTheDamage) {
  DamageMedia();
  const std::string target = Target("by_hand");
  std::filesystem::create_directory(target);
  RunProcess({"bash", "-c", "xz -dc '" + archive_ + "' | tar -x -C '" + target + "'"});
  EXPECT_EQ(ReadTestFile(target + "/data/caddy/certificates/campus.crt"), "a certificate");
}

TEST_F(DamageTest, AnArchiveWithoutItsEndSaysHowToGetTheRestOut) {
  std::string bytes = ReadTestFile(archive_);
  WriteTestFile(archive_, bytes.substr(0, bytes.size() - 100));
  const nlohmann::json result =
      site_.RunJson({"extract", "--from", archive_, "--to", Target("all")});
  EXPECT_NE(result["exit_status"], 0);
  const std::string target = Target("by_hand");
  std::filesystem::create_directory(target);
  RunProcess({"bash", "-c", "xz -dc '" + archive_ + "' | tar -x -C '" + target + "'"});
  EXPECT_EQ(ReadTestFile(target + "/data/media/media/a.bin").size(), size_t{3} << 20);
}

TEST_F(DamageTest, AListWithoutACompleteArchiveIsNoSuccess) {
  EXPECT_EQ(site_.RunJson({"list", "--from", site_.archives()})["exit_status"], 0);
  std::string bytes = ReadTestFile(archive_);
  WriteTestFile(archive_, bytes.substr(0, bytes.size() - 100));
  const nlohmann::json damaged = site_.RunJson({"list", "--from", site_.archives()});
  EXPECT_EQ(damaged["exit_status"], 3);
  EXPECT_EQ(damaged["archives"][0]["state"], "damaged");
  const std::string note = site_.archives() + "/note.txt";
  WriteTestFile(note, "no archive");
  EXPECT_EQ(site_.RunJson({"list", "--from", note})["exit_status"], 4);
  WriteTestFile(site_.archives() + "/whole.tar.xz", bytes);
  EXPECT_EQ(site_.RunJson({"list", "--from", site_.archives()})["exit_status"], 0);
}

TEST_F(DamageTest, WhatIsNotInAnArchiveIsNotExtracted) {
  const nlohmann::json result =
      site_.RunJson({"extract", "--from", archive_, "--to", Target("mysql"), "--only", "mysql"});
  EXPECT_EQ(result["exit_status"], 4);
  EXPECT_FALSE(std::filesystem::exists(Target("mysql")));
}

}  // namespace
}  // namespace oxbackup
