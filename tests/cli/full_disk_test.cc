// A disk that fills up while a restore loads files beside the live ones. Needs the right to mount:
// root, or a kernel that lets users make namespaces.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "archive/archive_testing.h"
#include "command_testing.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;

// Mounts a small disk on the folder $2, gives it one live file, runs the command and compares.
constexpr char kOnASmallDisk[] = R"sh(
  set -e
  mount -t tmpfs -o "$1" tmpfs "$2"
  cd "$2"
  shift 2
  printf live >kept
  seen() { find . -printf '%p %y %m %U %G\n' | sort; find . -type f -exec cat {} +; }
  before=$(seen)
  status=0
  "$@" || status=$?
  [ "$before" = "$(seen)" ] || { echo "CHANGED:" "$(seen)" >&2; status=99; }
  exit $status
)sh";

struct Disk {
  const char* name;
  const char* options;  // of its mount
  const char* message;
  const char* cause;
  const char* hint;
};

class SmallDisk : public ::testing::Test {
 protected:
  SmallDisk() {
    for (const std::string& folder : {site_.caddy(), media()}) {
      WriteTestFile(folder + "/big", RandomBytes(600'000, 1));
      for (int i = 0; i < 30; ++i) WriteTestFile(folder + "/" + std::to_string(i), "small");
    }
    const nlohmann::json made = site_.RunJson(
        {"backup", "--to", site_.archives(), "--caddy", site_.caddy(), "--media", media()});
    EXPECT_EQ(made["exit_status"], 0) << made.dump(2);
  }

  std::string media() const { return site_.path() / "media"; }

  const CommandSite site_;
};

class FullDisk : public SmallDisk, public ::testing::WithParamInterface<Disk> {
 protected:
  // `small` is the folder that gets the small disk, `other` the other one.
  void ExpectUntouched(const std::string& small, const std::string& other) const {
    WriteTestFile(other + "/newer", "stays");
    std::vector<std::string> disk = {"unshare", "--mount",          "sh", "-c", kOnASmallDisk,
                                     "sh",      GetParam().options, small};
    if (::geteuid() != 0) disk.insert(disk.begin() + 1, "--map-root-user");
    const ProcessResult result =
        site_.RunThrough(disk, {"restore", "--yes", "--from", site_.archives(), "--caddy",
                                site_.caddy(), "--media", media(), "--json", "--progress", "none"});
    ASSERT_EQ(result.status, 1) << result.out << result.error;
    const nlohmann::json report = nlohmann::json::parse(result.out);
    EXPECT_EQ(report["status"], "failed");
    EXPECT_THAT(report["error"]["message"].get<std::string>(), HasSubstr(GetParam().message));
    EXPECT_THAT(report["error"]["cause"].get<std::string>(), HasSubstr(GetParam().cause));
    EXPECT_EQ(report["error"]["do"], GetParam().hint);
    EXPECT_EQ(report["aftermath"], "Nothing live was changed.");
    EXPECT_EQ(ReadTestFile(other + "/newer"), "stays");
    EXPECT_FALSE(std::filesystem::exists(other + "/.openedx-backup"));
  }
};

// What the plan can see is refused before anything is written. The bytes of the second disk are
// enough for those of the files, not for the whole pages that it keeps each of them in.
INSTANTIATE_TEST_SUITE_P(
    OutOf, FullDisk,
    ::testing::Values(Disk{"BytesByThePlan", "size=256k",
                           "has too little space for the restored files",
                           "600 kB are needed beside the live files", "free some space there"},
                      Disk{"BytesWhileLoading", "size=640k", "beside the live files",
                           "No space left on device", "free some space there"},
                      Disk{"InodesWhileLoading", "nr_inodes=8", "beside the live files",
                           "No space left on device", "free some space there"}),
    [](const auto& info) { return info.param.name; });

// Gives that disk a live file that leaves no room for a second copy of the archive's.
constexpr char kOnADiskForOneCopy[] = R"sh(
  set -e
  mount -t tmpfs -o size=1m tmpfs "$1"
  cd "$1"
  shift 1
  head -c 700000 /dev/zero >live
  status=0
  "$@" || status=$?
  ls >&2
  exit $status
)sh";

class DiskForOneCopy : public SmallDisk {
 protected:
  ProcessResult Restore(const std::vector<std::string>& more) const {
    std::vector<std::string> disk = {"unshare",          "--mount", "sh",         "-c",
                                     kOnADiskForOneCopy, "sh",      site_.caddy()};
    if (::geteuid() != 0) disk.insert(disk.begin() + 1, "--map-root-user");
    std::vector<std::string> arguments = {"restore", "--yes",       "--from", site_.archives(),
                                          "--caddy", site_.caddy(), "--only", "caddy",
                                          "--json",  "--progress",  "none"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return site_.RunThrough(disk, arguments);
  }
};

TEST_F(DiskForOneCopy, IsEnoughInPlaceAndTheErrorSaysSo) {
  const ProcessResult refused = Restore({});
  ASSERT_EQ(refused.status, 1) << refused.out << refused.error;
  EXPECT_THAT(nlohmann::json::parse(refused.out)["error"]["do"].get<std::string>(),
              HasSubstr("restore with --in-place"));
  const ProcessResult restored = Restore({"--in-place"});
  EXPECT_EQ(restored.status, 0) << restored.out << restored.error;
  EXPECT_THAT(restored.error, HasSubstr("\nbig\n"));
  EXPECT_THAT(restored.error, ::testing::Not(HasSubstr("\nlive\n")));
}

TEST_P(FullDisk, OfCaddysFolderLeavesTheSiteAsItWas) { ExpectUntouched(site_.caddy(), media()); }

TEST_P(FullDisk, OfAMediaFolderLeavesTheSiteAsItWas) { ExpectUntouched(media(), site_.caddy()); }

}  // namespace
}  // namespace oxbackup
