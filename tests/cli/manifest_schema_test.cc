// docs/manifest.schema.json describes the manifests that are written, and those of every golden
// archive, by the word of a validator that is not ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command_testing.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

ProcessResult Validate(const std::vector<std::string>& arguments) {
  std::vector<std::string> line = {OPENEDX_BACKUP_FIXTURES "/../validate_manifest.py"};
  line.insert(line.end(), arguments.begin(), arguments.end());
  return RunProcess(line);
}

std::vector<std::string> ArchivesBelow(const fs::path& folder) {
  std::vector<std::string> archives;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().find(".tar") != std::string::npos) {
      archives.push_back(entry.path().string());
    }
  }
  return archives;
}

TEST(ManifestSchemaTest, DescribesEveryGoldenArchive) {
  const std::vector<std::string> archives =
      ArchivesBelow(fs::path(OPENEDX_BACKUP_FIXTURES) / "format-1");
  ASSERT_THAT(archives, Not(IsEmpty()));
  const ProcessResult result = Validate(archives);
  EXPECT_EQ(result.status, 0) << result.out << result.error;
}

TEST(ManifestSchemaTest, DescribesWhatIsWrittenNow) {
  const CommandSite site;
  WriteTestFile(site.path() / "media" / "caf\xC3\xA9 \xE9", "a name that is no UTF-8");
  WriteTestFile(site.path() / "config.yml", "LMS_HOST: campus.example.org\n");
  for (const char* const compression : {"xz", "zstd:3", "none"}) {
    const ProcessResult made = site.Run({"backup", "--to", site.archives(), "--caddy", site.caddy(),
                                         "--media", site.path() / "media", "--tutor-config",
                                         site.path() / "config.yml", "--compression", compression});
    ASSERT_EQ(made.status, 0) << made.error;
  }
  const std::vector<std::string> archives = ArchivesBelow(site.archives());
  ASSERT_EQ(archives.size(), 3u);
  const ProcessResult result = Validate(archives);
  EXPECT_EQ(result.status, 0) << result.out << result.error;
}

TEST(ManifestSchemaTest, TheValidatorSeesWhatIsMissing) {
  const CommandSite site;
  const ProcessResult result = Validate({"--without", "skew_ms", site.Backup()});
  EXPECT_EQ(result.status, 1) << result.error;
  EXPECT_THAT(result.out, HasSubstr("'skew_ms' is a required property"));
}

}  // namespace
}  // namespace oxbackup
