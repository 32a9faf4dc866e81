// Wrong usage: the right status, a message that names the mistake, an example, and nothing done.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command_testing.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(UsageTest, HelpAndVersionNeedNothing) {
  const CommandSite site;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, std::vector<std::string>{"backup", "--help"},
        std::vector<std::string>{"--version"}, std::vector<std::string>{"version"}}) {
    const ProcessResult result = site.Run(arguments);
    EXPECT_EQ(result.status, 0) << arguments[0];
    EXPECT_THAT(result.out, HasSubstr("openedx-backup"));
    EXPECT_THAT(result.error, IsEmpty());
  }
  EXPECT_THAT(site.Run({"--help"}).out, HasSubstr("130"));
}

TEST(UsageTest, MistakesEndWithStatusTwoAndAnExample) {
  const CommandSite site;
  const std::vector<std::vector<std::string>> mistakes = {
      {},
      {"bakcup"},
      {"backup", "--too", "x"},
      {"backup"},
      {"backup", "--to", site.archives(), "--caddy", site.caddy(), "--memory", "1K"},
      {"backup", "--to", site.archives(), "--caddy", site.caddy(), "--compression", "rar"},
      {"backup", "--to", site.archives(), "--caddy", site.caddy(), "--only", "mysqll"},
      {"backup", "--to", site.archives(), "--caddy", site.caddy(), "--only", "mysql"},
      {"backup", "--to", site.archives(), "--caddy", site.path() / "nowhere"},
      {"restore", "--from", site.archives(), "--date", "22.11.2026", "--caddy", site.caddy()},
      {"restore", "--from", site.archives(), "--date", "2026-13-45", "--caddy", site.caddy()},
      {"inspect", "--from", site.archives(), "--date", "2026-02-29"},
      {"restore", "--from", site.archives(), "--max-age", "90m", "--caddy", site.caddy()},
      {"backup", "--to", site.archives(), "--caddy", site.caddy(), "--name", "a\nb"},
      {"restore", "--undo", "--dry-run", "--caddy", site.caddy()},
      {"restore", "--undo", "--date", "2026-11-22", "--caddy", site.caddy()},
      {"restore", "--undo", "--drop-old", "--caddy", site.caddy()},
      {"restore", "--drop-old", "--only", "caddy", "--caddy", site.caddy()},
      {"verify", "--from", site.archives(), "--quick", "--against-live"},
      {"verify", "--from", site.archives(), "--only", "caddy"},
      {"verify", "--from", site.archives(), "--caddy", site.caddy()},
      {"backup", "--to", site.archives(), "--caddy", site.caddy(), "--mysql-port", "3307"},
      {"backup", "--to", site.archives(), "--only", "caddy", "--exclude", "caddy"},
      {"list", "--from", site.archives(), "--threads", "2"},
      {"inspect", "--diff", "one"},
      {"extract", "--from", site.archives()},
  };
  for (const std::vector<std::string>& arguments : mistakes) {
    const ProcessResult result = site.Run(arguments);
    const std::string shown = ::testing::PrintToString(arguments);
    EXPECT_EQ(result.status, 2) << shown << result.error;
    EXPECT_THAT(result.error, HasSubstr("error: ")) << shown;
    EXPECT_THAT(result.error, HasSubstr("Exit status 2.")) << shown;
    EXPECT_THAT(result.out, IsEmpty()) << shown;
  }
  EXPECT_THAT(site.Stored(), IsEmpty());
}

TEST(UsageTest, ABadVariableIsNamedWithItsValue) {
  const CommandSite site;
  const ProcessResult result =
      site.Run({"backup", "--to", site.archives()},
               {{"MYSQL_HOST", "127.0.0.1"}, {"MYSQL_SINGLE_TRANSACTION", "perhaps"}});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.error,
              HasSubstr("MYSQL_SINGLE_TRANSACTION has to be true or false, not 'perhaps'"));
}

TEST(UsageTest, APasswordOnTheCommandLineIsRefusedAndNotRepeated) {
  const CommandSite site;
  const ProcessResult result =
      site.Run({"backup", "--to", site.archives(), "--mysql-password", "hunter2"});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.error + result.out, Not(HasSubstr("hunter2")));
}

TEST(UsageTest, ErrorsAreJsonToo) {
  const CommandSite site;
  const nlohmann::json result = site.RunJson({"backup", "--to", site.archives()});
  EXPECT_EQ(result["status"], "usage");
  EXPECT_EQ(result["command"], "backup");
  EXPECT_EQ(result["error"]["kind"], "usage");
  EXPECT_THAT(result["error"]["message"].get<std::string>(), HasSubstr("nothing to back up"));
}

// The reader is gone before anything is written.
ProcessResult RunIntoAClosedPipe(const std::string& arguments) {
  return RunProcess(
      {"bash", "-c", "exec 3> >(:); wait $!; " OPENEDX_BACKUP_COMMAND " " + arguments + " >&3"});
}

TEST(UsageTest, AReaderThatHasSeenEnoughEndsTheCommandQuietly) {
  const CommandSite site;
  site.Backup();
  for (const std::string& arguments : {std::string("--help"), "list --from " + site.archives(),
                                       "list --json --from " + site.archives()}) {
    const ProcessResult result = RunIntoAClosedPipe(arguments);
    EXPECT_EQ(result.status, 0) << arguments;
    EXPECT_THAT(result.error, IsEmpty()) << arguments;
  }
}

TEST(UsageTest, AResultThatCannotBeWrittenIsAFailure) {
  const CommandSite site;
  ProcessOptions options;
  options.output_file = "/dev/full";
  const ProcessResult result =
      RunProcess({OPENEDX_BACKUP_COMMAND, "list", "--from", site.archives()}, options);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.error, HasSubstr("standard output cannot be written"));
}

// "Nothing was left behind." would be wrong.
TEST(UsageTest, AResultThatCannotBeWrittenDoesNotDenyTheWork) {
  const CommandSite site;
  site.Backup();
  ProcessOptions options;
  options.output_file = "/dev/full";
  const std::string target = site.path() / "target";
  const ProcessResult result = RunProcess(
      {OPENEDX_BACKUP_COMMAND, "extract", "--from", site.archives(), "--to", target}, options);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.error, HasSubstr("The command has done its work"));
  EXPECT_TRUE(std::filesystem::exists(target + "/data/caddy"));
}

TEST(UsageTest, AFolderWhereAFileBelongsIsRefusedAndTheOtherWayAbout) {
  const CommandSite site;
  const std::string file = site.caddy() + "/certificates/campus.crt";
  for (const auto& [flag, path] :
       {std::pair<std::string, std::string>{"--media", file}, {"--tutor-config", site.caddy()}}) {
    const ProcessResult result = site.Run({"backup", "--to", site.archives(), flag, path});
    EXPECT_EQ(result.status, 2) << flag;
    EXPECT_THAT(result.error, AllOf(HasSubstr(flag), HasSubstr(path))) << flag;
  }
  EXPECT_THAT(site.Stored(), IsEmpty());
}

TEST(UsageTest, AnIntervalThatIsNoNumberIsRefused) {
  const CommandSite site;
  for (const char* const interval : {"nan", "inf", "0", "-1", "1s"}) {
    const ProcessResult result =
        site.Run({"backup", "--to", site.archives(), "--caddy", site.caddy(), "--progress", "lines",
                  "--progress-interval", interval});
    EXPECT_EQ(result.status, 2) << interval;
    EXPECT_THAT(result.error, HasSubstr("--progress-interval has to be seconds")) << interval;
  }
}

// Docker makes one of a file that it does not find. Read as an empty file it would be no password,
// or no settings.
TEST(UsageTest, AFolderIsNoFileOfSettingsAndNoSecret) {
  const CommandSite site;
  const std::string folder = site.archives();
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--config", folder},
        {"--mysql-host", "localhost", "--mysql-password-file", folder}}) {
    std::vector<std::string> arguments = {"backup", "--to", folder, "--caddy", site.caddy()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const ProcessResult result = site.Run(arguments);
    EXPECT_EQ(result.status, 2) << flags.front();
    EXPECT_THAT(result.error, AllOf(HasSubstr(folder), HasSubstr("it is a folder")));
  }
}

TEST(UsageTest, AnUnreachableServerIsAFailureThatWritesNothing) {
  const CommandSite site;
  // Port 1 of the loopback: nothing listens there.
  const ProcessResult result = site.Run(
      {"backup", "--to", site.archives(), "--mysql-host", "127.0.0.1", "--mysql-port", "1"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.error, HasSubstr("Nothing was written. Exit status 1."));
  EXPECT_THAT(site.Stored(), IsEmpty());
}

}  // namespace
}  // namespace oxbackup
