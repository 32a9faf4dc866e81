// A disk that fills up while a restore loads files beside the live ones. Needs the right to mount:
// root, or a kernel that lets users make namespaces.
#include <gtest/gtest.h>
#include <unistd.h>

#include "archive/archive_testing.h"
#include "command_testing.h"

namespace oxbackup {
namespace {

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

class FullDisk : public ::testing::TestWithParam<const char*> {
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
    std::vector<std::string> disk = {"unshare",     "--mount", "sh",       "-c",
                                     kOnASmallDisk, "sh",      GetParam(), small};
    if (::geteuid() != 0) disk.insert(disk.begin() + 1, "--map-root-user");
    const ProcessResult result =
        site_.RunThrough(disk, {"restore", "--yes", "--from", site_.archives(), "--caddy",
                                site_.caddy(), "--media", media(), "--json", "--progress", "none"});
    ASSERT_EQ(result.status, 1) << result.out << result.error;
    const nlohmann::json report = nlohmann::json::parse(result.out);
    EXPECT_EQ(report["status"], "failed");
    EXPECT_EQ(report["error"]["cause"], "No space left on device");
    EXPECT_EQ(report["error"]["do"], "free some space there; the live files are untouched");
    EXPECT_EQ(report["aftermath"], "Nothing live was changed.");
    EXPECT_EQ(ReadTestFile(other + "/newer"), "stays");
    EXPECT_FALSE(std::filesystem::exists(other + "/.openedx-backup"));
  }

  const CommandSite site_;
};

INSTANTIATE_TEST_SUITE_P(OutOf, FullDisk, ::testing::Values("size=256k", "nr_inodes=8"),
                         [](const auto& info) { return info.index == 0 ? "Bytes" : "Inodes"; });

TEST_P(FullDisk, OfCaddysFolderLeavesTheSiteAsItWas) { ExpectUntouched(site_.caddy(), media()); }

TEST_P(FullDisk, OfAMediaFolderLeavesTheSiteAsItWas) { ExpectUntouched(media(), site_.caddy()); }

}  // namespace
}  // namespace oxbackup
