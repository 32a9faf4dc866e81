// Dumps that mysqldump and mariadb-dump make, as the predecessor's archives hold them.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>

#include "archive/archive_testing.h"
#include "base/error.h"
#include "restore_testing.h"
#include "test_servers.h"

namespace oxbackup::mysql {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kSite[] = "load_dumped";

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) throw Error(ErrorKind::kUsage, std::string(name) + " is not set");
  return value;
}

/// Runs a program and returns what it prints. Its standard error goes to ours.
std::string OutputOf(std::vector<std::string> arguments) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw SystemError(ErrorKind::kInternal, "pipe", errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, arguments[0].c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) throw SystemError(ErrorKind::kInternal, "starting " + arguments[0], error);
  std::string output;
  std::array<char, 65536> buffer;
  for (ssize_t got = 0; (got = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    output.append(buffer.data(), static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (status != 0) throw Error(ErrorKind::kInternal, arguments[0] + " failed");
  return output;
}

class ForeignDump : public testing::TestWithParam<Flavour> {
 protected:
  ForeignDump() : connect_(ServerOf(GetParam())), session_(connect_, std::stop_token()) {
    ForgetRestores(session_);
    site_.emplace(session_, kSite);
    FillSite(session_, kSite, 1);
    original_ = Describe(session_, kSite);
  }
  ~ForeignDump() override { ForgetRestores(session_); }

  /// As the predecessor calls it.
  std::string Dump(const std::vector<std::string>& what) {
    const bool mysql = GetParam() == Flavour::kMySql;
    std::vector<std::string> arguments = {
        Environment("TESTBED_BIN") + (mysql ? "/mysqldump" : "/mariadb-dump"),
        "--defaults-file=" +
            Environment(mysql ? "TESTBED_MYSQL_DEFAULTS_FILE" : "TESTBED_MARIADB_DEFAULTS_FILE"),
        "--add-drop-database",
        "--routines",
        "--events",
        "--single-transaction"};
    if (mysql) arguments.emplace_back("--set-gtid-purged=OFF");
    arguments.insert(arguments.end(), what.begin(), what.end());
    return OutputOf(std::move(arguments));
  }

  void RestoreScript(const std::string& script, const RestoreOptions& options) {
    RestoreMembers({MakeFile("data/mysql_dump.sql", script), MakeFile("data/caddy/x", "y")},
                   options);
  }

  void RestoreMembers(const std::vector<Member>& members, const RestoreOptions& options) {
    const std::string archive = WriteForeign(members);
    const auto target = MakeRestoreTarget(connect_, options, run_.run);
    const std::unique_ptr<ArchiveReader> reader =
        OpenArchive(std::make_unique<MemoryRangedSource>(archive), run_.run);
    ASSERT_EQ(reader->manifest(), nullptr);
    target->Plan(nullptr, RestoreRoom::kBeside);
    target->Load(*reader);
    target->Verify(nullptr);
    target->WriteIntent(IntentOf("run", false));
    target->Swap();
    target->CloseSwap(false);
  }

  /// A plain tar without a manifest.
  static std::string WriteForeign(const std::vector<Member>& members) {
    std::string tar;
    for (const Member& member : members) {
      std::string header(512, '\0');
      const auto put = [&](size_t at, const std::string& text) {
        header.replace(at, text.size(), text);
      };
      put(0, member.info.path);
      put(100, "0000644");
      put(108, "0000000");
      put(116, "0000000");
      std::array<char, 12> octal{};
      std::snprintf(octal.data(), octal.size(), "%011o",
                    static_cast<unsigned>(member.content.size()));
      put(124, octal.data());
      put(136, "00000000000");
      put(148, "        ");
      put(156, "0");
      put(257, std::string("ustar\0"
                           "00",
                           8));
      unsigned sum = 0;
      for (const char c : header) sum += static_cast<unsigned char>(c);
      std::snprintf(octal.data(), octal.size(), "%06o", sum);
      put(148, std::string(octal.data()) + '\0' + ' ');
      tar += header + member.content;
      tar.append((512 - member.content.size() % 512) % 512, '\0');
    }
    return tar.append(1024, '\0');
  }

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  std::optional<ScratchDatabase> site_;
  std::map<std::string, std::string> original_;
};

INSTANTIATE_TEST_SUITE_P(Servers, ForeignDump, testing::Values(Flavour::kMySql, Flavour::kMariaDb),
                         FlavourName);

TEST_P(ForeignDump, ComesBackWithAllItsObjects) {
  const std::string script = Dump({"--databases", kSite});
  session_.Execute("USE load_dumped");
  session_.Execute("DELETE FROM child WHERE id > 10");
  session_.Execute("DROP VIEW a_over_z");
  session_.Execute("DROP FUNCTION answer");
  session_.Execute("CREATE TABLE only_now (a INT)");
  RestoreScript(script, QuietOptions());
  EXPECT_EQ(Describe(session_, kSite), original_);
}

TEST_P(ForeignDump, OfAllDatabasesLeavesTheServersOwnOnesAlone) {
  const std::string script = Dump({"--all-databases"});
  ASSERT_THAT(script, HasSubstr("`mysql`"));
  const std::string users = session_.QueryValue("SELECT COUNT(*) FROM mysql.user");
  site_.reset();
  site_.emplace(session_, kSite);
  RestoreOptions options = QuietOptions();
  options.databases = {kSite};
  RestoreScript(script, options);
  EXPECT_EQ(Describe(session_, kSite), original_);
  EXPECT_EQ(session_.QueryValue("SELECT COUNT(*) FROM mysql.user"), users);
  EXPECT_THAT(run_.warnings.All(), Contains(HasSubstr("accounts")));
}

TEST_P(ForeignDump, MergeTablesAndForeignKeysToNothingComeBack) {
  session_.Execute("USE load_dumped");
  session_.Execute("CREATE TABLE one (a INT NOT NULL) ENGINE=MyISAM");
  session_.Execute("INSERT INTO one VALUES (1)");
  session_.Execute("CREATE TABLE merged (a INT NOT NULL) ENGINE=MERGE UNION=(one)");
  session_.Execute("SET SESSION foreign_key_checks=0");
  session_.Execute(
      "CREATE TABLE loose (a INT, CONSTRAINT lost FOREIGN KEY (a) REFERENCES missing (id)) "
      "ENGINE=InnoDB");
  original_ = Describe(session_, kSite);
  const std::string script = Dump({"--databases", kSite});
  session_.Execute("DELETE FROM one");
  RestoreScript(script, QuietOptions());
  EXPECT_EQ(Describe(session_, kSite), original_);
}

TEST_P(ForeignDump, AStatementThatCannotBePlacedIsNamedWithItsLine) {
  try {
    RestoreScript("CREATE DATABASE `load_dumped`;\nUSE `load_dumped`;\nCALL p();\n",
                  QuietOptions());
    FAIL() << "CALL was accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.contexts(), Contains(HasSubstr("line 3")));
    EXPECT_THAT(error.cause(), HasSubstr("CALL p()"));
  }
  EXPECT_EQ(Describe(session_, kSite), original_);
}

TEST_P(ForeignDump, DefinitionsAndRowsInTwoDumpsOneAfterTheOtherComeBack) {
  const std::string script = Dump({"--no-data", "--databases", kSite}) +
                             Dump({"--no-create-info", "--skip-triggers", "--skip-routines",
                                   "--skip-events", "--databases", kSite}) +
                             Dump({"--no-create-info", "--no-data", "--skip-triggers",
                                   "--skip-routines", "--skip-events", "--databases", kSite});
  session_.Execute("DELETE FROM load_dumped.child");
  RestoreScript(script, QuietOptions());
  EXPECT_EQ(Describe(session_, kSite), original_);
}

TEST_P(ForeignDump, ATableThatIsCreatedTwiceIsRefusedBeforeAnythingIsRemoved) {
  const std::string script = Dump({"--databases", kSite});
  const std::string archive = WriteForeign({MakeFile("data/mysql_dump.sql", script + script)});
  const auto target = MakeRestoreTarget(connect_, QuietOptions(), run_.run);
  for (const bool in_place : {true, false}) {
    const std::unique_ptr<ArchiveReader> reader =
        OpenArchive(std::make_unique<MemoryRangedSource>(archive), run_.run);
    try {
      in_place ? target->PrepareRemoval(*reader) : target->Load(*reader);
      ADD_FAILURE() << "taken, in place: " << in_place;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("creates the table load_dumped.audit a second time"));
    }
  }
  target->Abandon();
  EXPECT_EQ(Describe(session_, kSite), original_);
}

TEST_P(ForeignDump, AScriptCutShortIsRefused) {
  const std::string script = Dump({"--databases", kSite});
  EXPECT_THROW(RestoreScript(script.substr(0, script.size() / 2), QuietOptions()), Error);
  EXPECT_EQ(Describe(session_, kSite), original_);
}

TEST_P(ForeignDump, ValuesThatTheServerChangesAreSaid) {
  RestoreScript(
      "CREATE DATABASE `load_dumped`;\nUSE `load_dumped`;\n"
      "CREATE TABLE `narrow` (`a` TINYINT, `b` VARCHAR(2)) ENGINE=InnoDB;\n"
      "INSERT INTO `narrow` VALUES (1,'ab'),(300,'abc');\n",
      QuietOptions());
  EXPECT_THAT(run_.warnings.All(), Contains(HasSubstr("load_dumped.narrow: the server changed")));
  EXPECT_THAT(run_.warnings.All(), Contains(HasSubstr("2 warnings")));
}

// One of ours that somebody packed anew, without the manifest and its digests.
TEST_P(ForeignDump, ValuesThatTheServerChangesAreSaidOfOurMembersToo) {
  RestoreMembers({MakeFile("data/mysql_dump/load_dumped-schema-create.sql",
                           "CREATE DATABASE IF NOT EXISTS `load_dumped`;\n"),
                  MakeFile("data/mysql_dump/load_dumped.narrow-schema.sql",
                           "CREATE TABLE `narrow` (`b` VARCHAR(2)) ENGINE=InnoDB;\n"),
                  MakeFile("data/mysql_dump/load_dumped.narrow.1.sql",
                           "INSERT INTO `narrow` (`b`) VALUES\n('abc'),\n('abcd');\n")},
                 QuietOptions());
  EXPECT_THAT(run_.warnings.All(), Contains(HasSubstr("load_dumped.narrow: the server changed")));
}

}  // namespace
}  // namespace oxbackup::mysql
