// A site of files alone through every command.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "base/file_descriptor.h"
#include "command_testing.h"

namespace oxbackup {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST(RoundTripTest, BackupListInspectVerifyExtractRestore) {
  const CommandSite site;
  const std::string archive = site.Backup();

  const nlohmann::json list = site.RunJson({"list", "--from", site.archives()});
  ASSERT_THAT(list["archives"], SizeIs(1));
  EXPECT_EQ(list["archives"][0]["state"], "complete");
  EXPECT_THAT(list["archives"][0]["components"], ElementsAre("caddy"));

  const nlohmann::json inspect = site.RunJson({"inspect", "--from", archive, "--tables"});
  EXPECT_EQ(inspect["manifest"]["components"][0]["items"], 5);
  EXPECT_THAT(inspect["manifest"]["components"][0]["entries"], SizeIs(1));

  EXPECT_EQ(site.RunJson({"verify", "--from", archive})["depth"], "full");
  EXPECT_EQ(site.RunJson({"verify", "--from", archive, "--quick"})["exit_status"], 0);

  const std::string target = site.path() / "out";
  EXPECT_EQ(site.RunJson({"extract", "--from", archive, "--to", target})["exit_status"], 0);
  EXPECT_EQ(ReadTestFile(target + "/data/caddy/certificates/campus.crt"), "a certificate");

  WriteTestFile(site.caddy() + "/certificates/campus.crt", "another");
  WriteTestFile(site.caddy() + "/newer", "a file that the archive lacks");
  const nlohmann::json restore =
      site.RunJson({"restore", "--from", site.archives(), "--caddy", site.caddy(), "--yes"});
  EXPECT_EQ(restore["exit_status"], 0) << restore.dump(2);
  EXPECT_EQ(restore["swapped"], true);
  EXPECT_EQ(ReadTestFile(site.caddy() + "/certificates/campus.crt"), "a certificate");
  EXPECT_FALSE(std::filesystem::exists(site.caddy() + "/newer"));
}

TEST(RoundTripTest, FoldersInsideOfEachOtherAreRefused) {
  const CommandSite site;
  const std::string inner = site.caddy() + "/certificates";
  for (const std::string& outer : {site.caddy(), inner}) {
    const ProcessResult backup = site.Run(
        {"backup", "--to", site.archives(), "--caddy", outer, "--media", "media=" + inner});
    EXPECT_EQ(backup.status, 2);
    EXPECT_THAT(backup.error, HasSubstr("lies in"));
  }
  site.Backup();
  const ProcessResult restore =
      site.Run({"restore", "--from", site.archives(), "--caddy", site.caddy(), "--media",
                "media=" + site.caddy() + "/not/there/yet", "--yes"});
  EXPECT_EQ(restore.status, 2);
  EXPECT_THAT(restore.error, HasSubstr("lies in"));
}

TEST(RoundTripTest, WhatTakesNoPartIsSaidOnceAndOnlyWhereNobodyAskedForIt) {
  const CommandSite site;
  const ProcessResult all = site.Run({"backup", "--to", site.archives(), "--caddy", site.caddy()});
  EXPECT_THAT(
      all.out,
      HasSubstr("  Not in it: mysql (--mysql-host is not set), mongodb (--mongodb-host is not\n"
                "  set), media (--media is not set), config (--tutor-config is not set).\n"));
  EXPECT_THAT(all.error, Not(HasSubstr("is not set")));
  const ProcessResult chosen =
      site.Run({"backup", "--to", site.archives(), "--caddy", site.caddy(), "--only", "caddy"});
  EXPECT_THAT(chosen.out + chosen.error, Not(HasSubstr("not set")));
}

TEST(RoundTripTest, ARestoreNamesWhatTheArchiveHoldsAndIsNotRestored) {
  const CommandSite site;
  const std::string media = site.path() / "media";
  WriteTestFile(media + "/a.png", "a picture");
  ASSERT_EQ(site.RunJson({"backup", "--to", site.archives(), "--caddy", site.caddy(), "--media",
                          media})["exit_status"],
            0);
  const std::vector<std::string> restore = {"restore", "--from",     site.archives(),
                                            "--caddy", site.caddy(), "--yes"};
  const ProcessResult result = site.Run(restore);
  EXPECT_EQ(result.status, 0) << result.error;
  const std::string sentence = "In the archive, but not restored: media (--media is not set).";
  EXPECT_THAT(result.error, HasSubstr(sentence));
  EXPECT_THAT(result.out, HasSubstr(sentence));
  EXPECT_THAT(site.RunJson(restore)["left_out"], ElementsAre("media"));

  const ProcessResult compared =
      site.Run({"verify", "--from", site.archives(), "--against-live", "--media", media, "--caddy",
                site.caddy(), "--only", "media"});
  EXPECT_EQ(compared.status, 0) << compared.error;
  EXPECT_THAT(compared.out, HasSubstr("the running site equals it in 1 table, collection or"));
  EXPECT_THAT(compared.out, HasSubstr("Not compared: caddy (not selected)."));
}

TEST(RoundTripTest, WhatTheSiteHasAndTheArchiveLacksIsNamed) {
  const CommandSite site;
  site.Backup();
  const std::string media = site.path() / "media";
  WriteTestFile(media + "/a.png", "a picture");
  const ProcessResult restored = site.Run(
      {"restore", "--from", site.archives(), "--caddy", site.caddy(), "--media", media, "--yes"});
  EXPECT_EQ(restored.status, 0) << restored.error;
  EXPECT_THAT(restored.error, HasSubstr("Not in the archive, so it stays as it is: media."));
  const ProcessResult compared = site.Run({"verify", "--from", site.archives(), "--against-live",
                                           "--caddy", site.caddy(), "--media", media});
  EXPECT_EQ(compared.status, 0) << compared.error;
  EXPECT_THAT(compared.out, HasSubstr("The site has, but not the archive: media."));
  EXPECT_EQ(
      site.Run({"verify", "--from", site.archives(), "--against-live", "--media", media}).status,
      4);
}

TEST(RoundTripTest, ALiveSiteThatDiffersEndsWithStatusFive) {
  const CommandSite site;
  const std::string archive = site.Backup();
  const std::vector<std::string> compare = {"verify",  "--from",     archive,
                                            "--caddy", site.caddy(), "--against-live"};
  EXPECT_EQ(site.RunJson(compare)["exit_status"], 0);
  WriteTestFile(site.caddy() + "/certificates/campus.crt", "another");
  const nlohmann::json result = site.RunJson(compare);
  EXPECT_EQ(result["exit_status"], 5);
  EXPECT_THAT(result["differences"], SizeIs(1));
}

TEST(RoundTripTest, WithoutATerminalAndWithoutYesRestoreRefuses) {
  const CommandSite site;
  site.Backup();
  WriteTestFile(site.caddy() + "/certificates/campus.crt", "another");
  const ProcessResult result =
      site.Run({"restore", "--from", site.archives(), "--caddy", site.caddy()});
  EXPECT_EQ(result.status, 2) << result.error;
  EXPECT_THAT(result.error, HasSubstr("pass --yes"));
  EXPECT_THAT(result.error, HasSubstr("This replaces"));
  EXPECT_EQ(ReadTestFile(site.caddy() + "/certificates/campus.crt"), "another");
}

TEST(RoundTripTest, ADryRunChangesNothing) {
  const CommandSite site;
  site.Backup();
  WriteTestFile(site.caddy() + "/certificates/campus.crt", "another");
  const ProcessResult result =
      site.Run({"restore", "--from", site.archives(), "--caddy", site.caddy(), "--dry-run"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_THAT(result.out, HasSubstr("This replaces"));
  EXPECT_EQ(ReadTestFile(site.caddy() + "/certificates/campus.crt"), "another");
}

TEST(RoundTripTest, NothingFoundIsStatusFour) {
  const CommandSite site;
  EXPECT_EQ(site.RunJson({"verify", "--from", site.archives()})["exit_status"], 4);
  EXPECT_EQ(site.RunJson({"list", "--from", site.path() / "nowhere"})["exit_status"], 4);
  site.Backup();
  EXPECT_EQ(
      site.RunJson({"inspect", "--from", site.archives(), "--date", "2001-01-01"})["exit_status"],
      4);
}

TEST(RoundTripTest, ArchivesInsideAFolderOfTheSiteAreRefused) {
  const CommandSite site;
  const std::string archive = site.Backup();
  const std::string inside = site.caddy() + "/backups";
  std::filesystem::create_directory(inside);
  const std::string copy = inside + "/copy.tar.xz";
  std::filesystem::copy_file(archive, copy);
  const std::string link = site.path() / "link";
  std::filesystem::create_directory_symlink(inside, link);
  const std::string link_to_file = site.archives() + "/linked.tar.xz";
  std::filesystem::create_symlink(copy, link_to_file);
  for (const std::string& place : {inside, link, site.caddy()}) {
    const nlohmann::json backup = site.RunJson({"backup", "--to", place, "--caddy", site.caddy()});
    EXPECT_EQ(backup["exit_status"], 2) << backup.dump(2);
  }
  for (const std::string& place : {inside, link, copy, link_to_file}) {
    const nlohmann::json restore =
        site.RunJson({"restore", "--from", place, "--caddy", site.caddy(), "--yes"});
    EXPECT_EQ(restore["exit_status"], 2) << restore.dump(2);
    EXPECT_THAT(std::string(restore["error"]["do"]), HasSubstr("--exclude caddy"));
  }
  EXPECT_TRUE(std::filesystem::exists(copy));

  const std::string media = site.path() / "media";
  WriteTestFile(media + "/a.png", "a picture");
  EXPECT_EQ(site.RunJson({"backup", "--to", inside, "--caddy", site.caddy(), "--media", media,
                          "--exclude", "caddy"})["exit_status"],
            0);
}

TEST(RoundTripTest, AFlippedByteIsStatusFive) {
  const CommandSite site;
  const std::string archive = site.Backup();
  std::string bytes = ReadTestFile(archive);
  bytes[bytes.size() / 3] = static_cast<char>(bytes[bytes.size() / 3] ^ 0x10);
  WriteTestFile(archive, bytes);
  const nlohmann::json result = site.RunJson({"verify", "--from", archive});
  EXPECT_EQ(result["exit_status"], 5);
  EXPECT_EQ(result["error"]["kind"], "corrupt");
}

TEST(RoundTripTest, AnUnchangedSiteSharesItsBlocks) {
  const CommandSite site;
  const std::string first = site.Backup();
  const std::string second = site.Backup();
  EXPECT_THAT(site.Stored(), SizeIs(2));
  const nlohmann::json diff = site.RunJson({"inspect", "--diff", first, second});
  EXPECT_EQ(diff["shared_blocks"], diff["blocks"]);
}

TEST(RoundTripTest, SettingsComeFromAFileToo) {
  const CommandSite site;
  const std::string file = site.path() / "settings.toml";
  WriteTestFile(file, "location = \"" + site.archives() + "\"\ncaddy = \"" + site.caddy() +
                          "\"\ncompression = \"zstd:3\"\n");
  const ProcessResult result = site.Run({"backup", "--config", file});
  EXPECT_EQ(result.status, 0) << result.error;
  ASSERT_THAT(site.Stored(), SizeIs(1));
  EXPECT_THAT(site.Stored().front(), HasSubstr(".tar.zst"));
}

TEST(RoundTripTest, ProgressAsJsonIsOneObjectALine) {
  const CommandSite site;
  // 64 MiB take longer than one interval.
  std::filesystem::resize_file(site.caddy() + "/locks/empty", uint64_t{64} << 20);
  const ProcessResult result =
      site.Run({"backup", "--to", site.archives(), "--caddy", site.caddy(), "--json", "--progress",
                "json", "--progress-interval", "0.05"});
  ASSERT_EQ(result.status, 0) << result.error;
  std::istringstream lines(result.out);
  std::string line;
  std::string last_type;
  while (std::getline(lines, line)) last_type = nlohmann::json::parse(line)["type"];
  EXPECT_EQ(last_type, "result");
}

/// Waits until the command has begun to write its archive.
void AwaitAnythingIn(const CommandSite& site) {
  while (site.Stored().empty()) std::this_thread::yield();
}

// As timeout(1) ends its child: by itself and by its group.
TEST(InterruptTest, SignalsThatComeTogetherAreOne) {
  const CommandSite site;
  std::filesystem::resize_file(site.caddy() + "/locks/empty", uint64_t{8} << 30);
  const auto process = site.Start({"backup", "--to", site.archives(), "--caddy", site.caddy()});
  AwaitAnythingIn(site);
  process->Signal(SIGTERM);
  process->Signal(SIGINT);
  const ProcessResult result = process->Wait();
  EXPECT_EQ(result.status, 130) << result.error;
  EXPECT_THAT(result.error, HasSubstr("Nothing was written. Exit status 130."));
  EXPECT_THAT(site.Stored(), IsEmpty());
}

/// Whether the process reads this signal by itself, which it does once it is up.
bool Blocks(const Process& process, int signal) {
  std::ifstream status(fmt::format("/proc/{}/status", process.pid()));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigBlk:")) {
      return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
    }
  }
  return false;
}

// As below `| less`.
TEST(InterruptTest, ASecondSignalEndsARunWhoseMessagesNobodyReads) {
  const CommandSite site;
  const std::string pipe = site.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const FileDescriptor reader(::open(pipe.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  const std::string filling(4096, 'x');
  while (::write(reader.get(), filling.data(), filling.size()) > 0) continue;
  const auto process = site.Start({"backup", "--to", site.archives(), "--caddy", site.caddy()},
                                  {"sh", "-c", "exec \"$@\" 2>\"$0\"", pipe});
  while (!Blocks(*process, SIGTERM)) std::this_thread::yield();
  while (process->Runs()) process->Signal(SIGTERM);
  EXPECT_EQ(process->Wait().status, 130);
}

TEST(InterruptTest, CtrlCLeavesNoArchiveAndStatus130) {
  const CommandSite site;
  // Far more than is read between two looks at the folder.
  std::filesystem::resize_file(site.caddy() + "/locks/empty", uint64_t{8} << 30);
  for (const int signal : {SIGINT, SIGTERM}) {
    const auto process = site.Start({"backup", "--to", site.archives(), "--caddy", site.caddy()});
    AwaitAnythingIn(site);
    process->Signal(signal);
    const ProcessResult result = process->Wait();
    EXPECT_EQ(result.status, 130) << result.error;
    EXPECT_THAT(result.error, HasSubstr("Nothing was written. Exit status 130."));
    EXPECT_THAT(site.Stored(), IsEmpty());
  }
}

}  // namespace
}  // namespace oxbackup
