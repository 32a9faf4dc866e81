// Nobody needs us to restore, and we restore what others made.
#include <sstream>

#include "by_hand_testing.h"
#include "mongodb/server_testing.h"
#include "site_testing.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

class ByHand : public SiteTest {
 protected:
  std::string Defaults() const {
    return "--defaults-file=" + Variable("TESTBED_MYSQL_DEFAULTS_FILE");
  }
  // MYSQL_HOST would make the stock clients ignore their own settings.
  ProcessOptions Clean() const { return {.environment = {{"MYSQL_HOST", ""}, {"MYSQL_PORT", ""}}}; }

  HandShell Shell() const {
    return {folder(), Tool("mysql"), Variable("TESTBED_MYSQL_DEFAULTS_FILE"), Tool("mongorestore"),
            mongodb::MongodbVariable("URI")};
  }

  // Puts the archive of the site where and as the commands expect it, and destroys the site.
  fs::path ArchiveForHand(const std::string& name) const {
    EXPECT_TRUE(Ended(Backup(), 0));
    const fs::path place = folder() / "by hand";
    fs::create_directory(place);
    fs::copy_file(OnlyArchive(), place / name);
    Destroy();
    return place;
  }

  // `data`: the unpacked archive's folder of that name.
  void CopyTrees(const fs::path& data) const {
    for (const auto& [from, to] : {std::pair{data / "caddy", caddy()},
                                   std::pair{data / "media" / "openedx-media", media()}}) {
      fs::remove_all(to);
      ASSERT_TRUE(Ended(RunProcess({"cp", "-a", from.string(), to}), 0));
    }
  }

  void LoadMongodb(const fs::path& dump) const {
    EXPECT_TRUE(Ended(RunProcess({Tool("mongorestore"), "--quiet", "--uri",
                                  mongodb::MongodbVariable("URI"), dump.string()}),
                      0));
  }
};

TEST_F(ByHand, TheDocumentedCommandsBringTheSiteBack) {
  const std::string before = Fingerprint();
  const fs::path place = ArchiveForHand("backup.2026-11-22.tar.xz");
  ASSERT_TRUE(Ended(Shell().Run(place, DocumentedCommands(0)), 0));
  CopyTrees(place / "restore" / "data");
  EXPECT_EQ(Fingerprint(), before);
}

TEST_F(ByHand, TheCommandsThatEachArchiveCarriesBringTheSiteBack) {
  const std::string before = Fingerprint();
  const fs::path place = ArchiveForHand("FILE");
  const ProcessResult text = RunProcess({"tar", "-xOf", (place / "FILE").string(), "data/FORMAT"});
  ASSERT_TRUE(Ended(text, 0));
  ASSERT_TRUE(
      Ended(Shell().Run(place, LinesAfter(text.out, "To restore it by hand", "  ", false)), 0));
  CopyTrees(place / "data");
  EXPECT_EQ(Fingerprint(), before);
}

// What the script for the stock client says of itself: any client will do, and accounts are apart.
TEST_F(ByHand, TheScriptsOwnCommandsNeedNoSource) {
  Sql("DROP USER IF EXISTS by_hand; CREATE USER by_hand; GRANT SELECT ON openedx.* TO by_hand;");
  const std::string before = Fingerprint();
  const fs::path place = ArchiveForHand("archive");
  Sql("DROP USER by_hand;");
  ASSERT_TRUE(Ended(Shell().Run(place, "tar --delay-directory-restore -xf archive"), 0));
  const fs::path data = place / "data";
  const std::string script = ReadTestFile(data / "mysql_dump.sql");
  ASSERT_TRUE(
      Ended(Shell().Run(data, LinesAfter(script, "-- Without 'source'", "--   ", true)), 0));
  // Forced, since the account here may not grant all that the archive has: PROXY, for one.
  const std::string wanted = "where they\n-- are wanted: ";
  const size_t accounts = script.find(wanted) + wanted.size();
  ASSERT_TRUE(
      Ended(Shell().Run(data, script.substr(accounts, script.find('\n', accounts) - accounts)), 0));
  EXPECT_NE(Sql("SHOW GRANTS FOR by_hand;").find("GRANT SELECT ON `openedx`.*"), std::string::npos);
  Sql("DROP USER by_hand;");
  ASSERT_TRUE(Ended(Restore({"--exclude", "mysql"}), 0));
  EXPECT_EQ(Fingerprint(), before);
}

TEST_F(ByHand, TheExtractedLayoutLoadsWithTheStockTools) {
  const std::string before = Fingerprint();
  ASSERT_TRUE(Ended(Backup(), 0));
  const fs::path target = folder() / "extracted";
  ASSERT_TRUE(Ended(Engine({"extract", "--to", target.string(), "--from", OnlyArchive()}), 0));
  Generator("destroy");
  ProcessOptions options = Clean();
  options.input_file = (target / "data" / "mysql_dump.sql").string();
  ASSERT_TRUE(Ended(RunProcess({Tool("mysql"), Defaults(), "--binary-mode"}, options), 0));
  LoadMongodb(target / "data" / "mongodb_dump");
  ASSERT_TRUE(Ended(Restore({"--only", "caddy", "--only", "media"}), 0));
  EXPECT_EQ(Fingerprint(), before);
}

// The lines of `before` that `after` lacks, but for what the predecessor never had (media) and what
// mysqldump loses (it rounds FLOAT).
std::string Lost(const std::string& before, const std::string& after) {
  std::string lost;
  std::istringstream lines(before);
  for (std::string line; std::getline(lines, line);) {
    const bool rounded = line.starts_with("mysql rows") && line.find(" numbers ") != line.npos;
    if (line.starts_with("media ") || rounded || after.find(line) != after.npos) continue;
    lost += line + "\n";
  }
  return lost;
}

TEST_F(ByHand, AnArchiveOfThePredecessorRestores) {
  const std::string before = Fingerprint();
  const fs::path data = folder() / "data";
  fs::create_directory(data);
  ProcessOptions options = Clean();
  options.output_file = (data / "mysql_dump.sql").string();
  ASSERT_TRUE(Ended(
      RunProcess({Tool("mysqldump"), Defaults(), "--all-databases", "--single-transaction",
                  "--add-drop-database", "--routines", "--events", "--max-allowed-packet=64M"},
                 options),
      0));
  ASSERT_TRUE(
      Ended(RunProcess({Tool("mongodump"), "--quiet", "--uri", mongodb::MongodbVariable("URI"),
                        "--out", (data / "mongodb_dump").string()}),
            0));
  ASSERT_TRUE(Ended(RunProcess({"cp", "-a", caddy(), (data / "caddy").string()}), 0));
  ASSERT_TRUE(
      Ended(RunProcess({"tar", "--format=posix", "-cJf", archives() + "/backup.2024-03-01.tar.xz",
                        "-C", folder().string(), "data"}),
            0));
  Generator("destroy");
  // Media are not in there, and accounts of the mysql schema are left out: done, with warnings.
  const ProcessResult restored = Restore({"--exclude", "media"});
  EXPECT_TRUE(restored.status == 0 || restored.status == 3) << restored.error;
  EXPECT_EQ(Lost(before, Fingerprint()), "");
}

}  // namespace
}  // namespace oxbackup
