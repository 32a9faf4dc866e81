// Bad input and broken surroundings: the documented status, a message with a next step, no partial
// archive, an untouched live site.
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>

#include "site_testing.h"

namespace oxbackup {
namespace {

namespace fs = std::filesystem;

class BadInput : public SiteTest {
 protected:
  ProcessResult BackupWith(const std::map<std::string, std::string>& changes,
                           const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {OPENEDX_BACKUP_BINARY, "backup"};
    for (const std::string& word : Trees()) arguments.push_back(word);
    for (const std::string& word : more) arguments.push_back(word);
    std::map<std::string, std::string> environment = Environment();
    for (const auto& [name, value] : changes) environment[name] = value;
    return RunProcess(arguments, {.environment = environment});
  }

  // The status, a next step in the message, nothing in the folder, and no word of success or
  // secret.
  void ExpectCleanFailure(const ProcessResult& result, int status, const std::string& word) const {
    EXPECT_TRUE(Ended(result, status));
    EXPECT_NE(result.error.find(word), std::string::npos) << result.error;
    EXPECT_NE(result.error.find("do:"), std::string::npos) << result.error;
    EXPECT_EQ(result.error.find(Variable("TESTBED_MYSQL_PASSWORD")), std::string::npos);
    EXPECT_EQ(result.out.find("Complete"), std::string::npos);
    EXPECT_EQ(ArchiveFolder(), std::vector<std::string>{});
  }
};

TEST_F(BadInput, WrongMysqlPassword) {
  ExpectCleanFailure(BackupWith({{"MYSQL_ROOT_PASSWORD", "wrong"}}), 1, "1045");
}

TEST_F(BadInput, WrongMongodbPassword) {
  ExpectCleanFailure(BackupWith({{"MONGODB_PASSWORD", "wrong"}}), 1, "uthenticat");
}

TEST_F(BadInput, UnreachableServers) {
  ExpectCleanFailure(BackupWith({{"MYSQL_PORT", "1"}}), 1, "127.0.0.1");
  ExpectCleanFailure(BackupWith({{"MONGODB_PORT", "1"}}), 1, "127.0.0.1");
}

TEST_F(BadInput, UnknownDatabaseInAList) {
  ExpectCleanFailure(BackupWith({{"MYSQL_DATABASES", "openedx nosuch"}}), 2, "nosuch");
  ExpectCleanFailure(BackupWith({{"MONGODB_DATABASES", "[\"nosuch\"]"}}), 2, "nosuch");
}

TEST_F(BadInput, MissingRight) {
  Sql("DROP USER IF EXISTS e2e_poor; CREATE USER e2e_poor IDENTIFIED BY 'poor';"
      "GRANT USAGE ON *.* TO e2e_poor;");
  const ProcessResult refused = BackupWith({{"MYSQL_ROOT_USERNAME", "e2e_poor"},
                                            {"MYSQL_ROOT_PASSWORD", "poor"},
                                            {"MYSQL_DATABASES", "openedx"}});
  Sql("DROP USER e2e_poor;");
  ExpectCleanFailure(refused, 2,
                     "there is no database 'openedx' on the server, or the account may not see it");
  EXPECT_NE(refused.error.find("do:     check the list of databases (MYSQL_DATABASES)"),
            std::string::npos)
      << refused.error;
}

TEST_F(BadInput, MissingTargetFolder) {
  const ProcessResult result = Engine({"backup", "--to", (folder() / "nosuch").string()});
  ExpectCleanFailure(result, 4,
                     "there is no folder or archive '" + (folder() / "nosuch").string() + "'");
  // Making it is no advice: where a disk is not mounted, it would fill the one below.
  EXPECT_NE(result.error.find("do:     check the spelling and that the disk is mounted"),
            std::string::npos)
      << result.error;
  EXPECT_FALSE(fs::exists(folder() / "nosuch"));
}

// Runs the engine where the archives' folder is a mount of its own. Needs root, as the testbed
// does.
TEST_F(BadInput, FullAndReadOnlyDisk) {
  for (const auto& [options, word] :
       {std::pair{"size=256k", "space"}, std::pair{"size=64m,ro", "ead-only"}}) {
    std::vector<std::string> arguments = {"unshare",
                                          "-m",
                                          "sh",
                                          "-c",
                                          "mount -t tmpfs -o \"$1\" tmpfs \"$2\" && shift 2 && "
                                          "\"$@\"; status=$?; ls -A \"$BACKUP_LOCATION\""
                                          " >&2; exit $status",
                                          "sh",
                                          options,
                                          archives(),
                                          OPENEDX_BACKUP_BINARY,
                                          "backup"};
    for (const std::string& tree : Trees()) arguments.push_back(tree);
    const ProcessResult result = RunProcess(arguments, {.environment = Environment()});
    EXPECT_TRUE(Ended(result, 1));
    EXPECT_NE(result.error.find(word), std::string::npos) << result.error;
    EXPECT_NE(result.error.find("do:"), std::string::npos) << result.error;
    EXPECT_EQ(result.error.find(".partial"), std::string::npos) << result.error;
  }
}

TEST_F(BadInput, DamagedArchivesRestoreNothing) {
  ASSERT_TRUE(Ended(Backup(), 0));
  // So that what a restore brings in would be seen.
  Generator("change", {"--percent", "20"});
  const std::string before = Fingerprint();
  const std::string archive = OnlyArchive();
  std::ifstream file(archive, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(file), {});
  for (const size_t at : {size_t{3}, whole.size() / 3, whole.size() / 2, whole.size() - 5}) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    std::ofstream(archive, std::ios::binary | std::ios::trunc) << flipped;
    EXPECT_TRUE(Ended(Engine({"verify", "--from", archive}), 5)) << "byte " << at;
    // A restore does not need the first bytes: one that passes over a flip there is right.
    if (at <= 12) continue;
    EXPECT_TRUE(Ended(Restore({"--from", archive}), 5)) << "byte " << at;
  }
  for (const size_t size : {size_t{0}, size_t{100}, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(archive, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    EXPECT_TRUE(Ended(Engine({"verify", "--from", archive}), 5)) << "cut to " << size;
    EXPECT_TRUE(Ended(Restore({"--from", archive}), 5)) << "cut to " << size;
  }
  EXPECT_EQ(Fingerprint(), before);
}

TEST_F(BadInput, NothingSuitable) {
  EXPECT_TRUE(Ended(Restore(), 4));
  ASSERT_TRUE(Ended(Backup(), 0));
  const ProcessResult result = Restore({"--date", "1999-12-31"});
  EXPECT_TRUE(Ended(result, 4));
  EXPECT_NE(result.error.find("backup."), std::string::npos)
      << "says what there is: " << result.error;
}

TEST_F(BadInput, AKilledBackupLeavesNoArchiveAndTheNextOneCleansUp) {
  Generator("destroy");
  Generator("fill", {"--mysql-size", "60M", "--mongodb-size", "1M", "--media-size", "1M"});
  std::vector<std::string> arguments = {"backup", "--compression", "xz:9"};
  for (const std::string& tree : Trees()) arguments.push_back(tree);
  const std::unique_ptr<Process> backup = StartEngine(arguments);
  while (ArchiveFolder().empty()) {
  }
  backup->Signal(SIGKILL);
  EXPECT_EQ(backup->Wait().status, 128 + SIGKILL);
  const ProcessResult list = Engine({"list"});
  EXPECT_EQ(list.out.find("backup."), std::string::npos) << list.out;
  EXPECT_TRUE(Ended(Restore(), 4));
  ASSERT_TRUE(Ended(Backup({"--compression", "zstd"}), 0));
  EXPECT_EQ(ArchiveFolder().size(), 1u);
}

TEST_F(BadInput, AnInterruptedBackupStopsCleanly) {
  Generator("destroy");
  Generator("fill", {"--mysql-size", "60M", "--mongodb-size", "1M", "--media-size", "1M"});
  std::vector<std::string> arguments = {"backup", "--compression", "xz:9"};
  for (const std::string& tree : Trees()) arguments.push_back(tree);
  const std::unique_ptr<Process> backup = StartEngine(arguments);
  while (ArchiveFolder().empty()) {
  }
  backup->Signal(SIGINT);
  EXPECT_TRUE(Ended(backup->Wait(), 130));
  EXPECT_EQ(ArchiveFolder(), std::vector<std::string>{});
}

}  // namespace
}  // namespace oxbackup
