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

class FullDisk : public ::testing::TestWithParam<Disk> {
 protected:
  FullDisk() {
    for (const std::string& folder : {site_.caddy(), media()}) {
      WriteTestFile(folder + "/big", RandomBytes(600'000, 1));
      for (int i = 0; i < 30; ++i) WriteTestFile(folder + "/" + std::to_string(i), "small");
    }
    const nlohmann::json made = site_.RunJson(
        {"backup", "--to", site_.archives(), "--caddy", site_.caddy(), "--media", media()});
    EXPECT_EQ(made["exit_status"], 0) << made.dump(2);
  }

  std::string media() const { return site_.path() / "media"; }

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

  const CommandSite site_;
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

TEST_P(FullDisk, OfCaddysFolderLeavesTheSiteAsItWas) { ExpectUntouched(site_.caddy(), media()); }

TEST_P(FullDisk, OfAMediaFolderLeavesTheSiteAsItWas) { ExpectUntouched(media(), site_.caddy()); }

}  // namespace
}  // namespace oxbackup
