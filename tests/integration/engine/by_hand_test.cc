// Nobody needs us to restore, and we restore what others made.
#include <fstream>
#include <iterator>
#include <sstream>

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

  fs::path Unpack(const std::string& archive) const {
    fs::path target = folder() / "unpacked";
    fs::create_directory(target);
    // Without the option a folder's time is that of the last hard link which came into it.
    EXPECT_TRUE(Ended(
        RunProcess({"tar", "--delay-directory-restore", "-xJf", archive, "-C", target.string()}),
        0));
    return target / "data";
  }

  void LoadMongodb(const fs::path& dump) const {
    EXPECT_TRUE(Ended(RunProcess({Tool("mongorestore"), "--quiet", "--uri",
                                  mongodb::MongodbVariable("URI"), dump.string()}),
                      0));
  }
};

// `cat` puts the parts of a collection together, as docs/format.md tells.
void JoinParts(const fs::path& dump) {
  std::vector<fs::path> parts;
  for (const auto& entry : fs::recursive_directory_iterator(dump)) {
    if (entry.path().filename().string().find(".bson.") != std::string::npos) {
      parts.push_back(entry.path());
    }
  }
  for (const fs::path& part : parts) {
    const std::string name = part.string();
    std::ofstream whole(name.substr(0, name.rfind(".bson.") + 5), std::ios::app | std::ios::binary);
    whole << std::ifstream(name, std::ios::binary).rdbuf();
    fs::remove(part);
  }
}

TEST_F(ByHand, TarXzMysqlAndMongorestoreBringTheSiteBack) {
  const std::string before = Fingerprint();
  ASSERT_TRUE(Ended(Backup(), 0));
  const fs::path data = Unpack(OnlyArchive());
  Destroy();
  ProcessOptions options = Clean();
  options.input_file = (data / "mysql_dump.sql").string();
  const fs::path here = fs::current_path();
  fs::current_path(data);
  const ProcessResult loaded = RunProcess({Tool("mysql"), Defaults(), "--commands"}, options);
  fs::current_path(here);
  ASSERT_TRUE(Ended(loaded, 0));
  JoinParts(data / "mongodb_dump");
  LoadMongodb(data / "mongodb_dump");
  for (const auto& [from, to] :
       {std::pair{data / "caddy", caddy()}, std::pair{data / "media" / "openedx-media", media()}}) {
    fs::remove_all(to);
    ASSERT_TRUE(Ended(RunProcess({"cp", "-a", from.string(), to}), 0));
  }
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
