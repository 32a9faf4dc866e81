// A whole site goes into an archive, is destroyed, and comes back equal.
#include <fstream>
#include <nlohmann/json.hpp>

#include "site_testing.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

class RoundTrip : public SiteTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(RoundTrip, RestoresADestroyedSiteEqual) {
  const std::string before = Fingerprint();
  ASSERT_TRUE(Ended(Backup({"--compression", GetParam()}), 0));
  ASSERT_TRUE(Ended(Engine({"verify"}), 0));
  Destroy();
  ASSERT_TRUE(Ended(Restore(), 0));
  EXPECT_EQ(Fingerprint(), before);
}

INSTANTIATE_TEST_SUITE_P(Codecs, RoundTrip, ::testing::Values("xz", "zstd", "none"));

TEST_F(SiteTest, RestoreOverALiveSiteLeavesNothingThatTheArchiveLacks) {
  const std::string before = Fingerprint();
  ASSERT_TRUE(Ended(Backup(), 0));
  Sql("CREATE TABLE openedx.newer (id INT PRIMARY KEY); INSERT INTO openedx.newer VALUES (1);"
      "UPDATE openedx.auth_user SET first_name = 'Changed';"
      "CREATE TRIGGER openedx.newer_trigger BEFORE INSERT ON openedx.newer FOR EACH ROW SET @a = "
      "1;");
  std::ofstream(media() + "/newer.txt") << "newer";
  ASSERT_TRUE(Ended(Restore(), 0));
  EXPECT_EQ(Fingerprint(), before);
}

TEST_F(SiteTest, OnlyRestoresTheSelectedComponents) {
  ASSERT_TRUE(Ended(Backup(), 0));
  const std::string before = Fingerprint();
  std::ofstream(media() + "/newer.txt") << "newer";
  const std::string with_file = Fingerprint();
  ASSERT_NE(before, with_file);
  ASSERT_TRUE(Ended(Restore({"--exclude", "media"}), 0));
  EXPECT_EQ(Fingerprint(), with_file);
  ASSERT_TRUE(Ended(Restore({"--only", "media"}), 0));
  EXPECT_EQ(Fingerprint(), before);
}

TEST_F(SiteTest, UndoBringsBackWhatARestoreReplaced) {
  ASSERT_TRUE(Ended(Backup(), 0));
  Sql("UPDATE openedx.auth_user SET first_name = 'Changed';");
  std::ofstream(media() + "/newer.txt") << "newer";
  const std::string changed = Fingerprint();
  ASSERT_TRUE(Ended(Restore({"--keep-old"}), 0));
  ASSERT_NE(Fingerprint(), changed);
  ASSERT_TRUE(Ended(Restore({"--undo"}), 0));
  EXPECT_EQ(Fingerprint(), changed);
}

TEST_F(SiteTest, DryRunChangesNothing) {
  ASSERT_TRUE(Ended(Backup(), 0));
  Sql("UPDATE openedx.auth_user SET first_name = 'Changed';");
  const std::string changed = Fingerprint();
  ASSERT_TRUE(Ended(Restore({"--dry-run"}), 0));
  EXPECT_EQ(Fingerprint(), changed);
}

TEST_F(SiteTest, RefusesToReplaceWithoutATerminalAndWithoutYes) {
  ASSERT_TRUE(Ended(Backup(), 0));
  std::vector<std::string> arguments = {"setsid", "--wait", OPENEDX_BACKUP_BINARY, "restore"};
  for (const std::string& tree : Trees()) arguments.push_back(tree);
  const ProcessResult refused = RunProcess(arguments, {.environment = Environment()});
  EXPECT_TRUE(Ended(refused, 2));
  EXPECT_NE(refused.error.find("--yes"), std::string::npos) << refused.error;
}

TEST_F(SiteTest, SecondBackupOfADayKeepsTheFirst) {
  ASSERT_TRUE(Ended(Backup(), 0));
  const std::string first = OnlyArchive();
  const auto size = fs::file_size(first);
  ASSERT_TRUE(Ended(Backup(), 0));
  EXPECT_EQ(ArchiveFolder().size(), 2u);
  EXPECT_EQ(fs::file_size(first), size);
}

TEST_F(SiteTest, VerifyAgainstLiveNamesWhatDiffers) {
  ASSERT_TRUE(Ended(Backup(), 0));
  std::vector<std::string> compare = {"verify", "--against-live"};
  for (const std::string& tree : Trees()) compare.push_back(tree);
  ASSERT_TRUE(Ended(Engine(compare), 0));
  Sql("UPDATE openedx.auth_user SET first_name = 'Changed';");
  compare.push_back("--json");
  const ProcessResult differs = Engine(compare);
  ASSERT_TRUE(Ended(differs, 5));
  EXPECT_EQ(nlohmann::json::parse(differs.out).at("differences"),
            nlohmann::json::array({"The table openedx.auth_user has as many rows on the server as "
                                   "in the archive, but not the same ones."}));
}

class BlockSharing : public SiteTest {
 protected:
  // Shared and all stored bytes of the second archive.
  std::pair<double, double> Shared(const std::string& first, const std::string& second) const {
    const ProcessResult diff = Engine({"inspect", "--json", "--diff", first, second});
    EXPECT_TRUE(Ended(diff, 0));
    const auto json = nlohmann::json::parse(diff.out);
    return {json.at("shared_bytes").get<double>(), json.at("stored_bytes").get<double>()};
  }
};

TEST_F(BlockSharing, AnUnchangedSiteSharesEveryBlock) {
  ASSERT_TRUE(Ended(Backup({"--name", "first"}), 0));
  ASSERT_TRUE(Ended(Backup({"--name", "second"}), 0));
  const auto [shared, stored] = Shared(archives() + "/first.tar.xz", archives() + "/second.tar.xz");
  EXPECT_EQ(shared, stored);
}

TEST_F(BlockSharing, OnePercentOfOneTableLeavesNineTenthsShared) {
  Generator("destroy");
  Generator("fill", {"--mysql-size", "120M", "--mongodb-size", "1M", "--media-size", "1M"});
  ASSERT_TRUE(Ended(Backup({"--name", "first"}), 0));
  Generator("change", {"--percent", "1"});
  ASSERT_TRUE(Ended(Backup({"--name", "second"}), 0));
  const auto [shared, stored] = Shared(archives() + "/first.tar.xz", archives() + "/second.tar.xz");
  EXPECT_GE(shared, 0.9 * stored);
  EXPECT_LT(shared, stored);
}

}  // namespace
}  // namespace oxbackup
