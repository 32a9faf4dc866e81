#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "cli/exit_status.h"
#include "cli/generate.h"

namespace oxbackup {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Error ErrorOf(const std::vector<std::string>& arguments) {
  try {
    ParseCommandLine(arguments);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error;
  }
  return Error(ErrorKind::kInternal, "no error");
}

TEST(CommandLineTest, FlagsArriveByTheIdOfTheirSetting) {
  const CommandLine line = ParseCommandLine(
      {"backup", "--to", "/b", "--media", "a=/x", "--media=/y", "--only", "mysql,media", "--json"});
  ASSERT_NE(line.command, nullptr);
  EXPECT_EQ(line.command->name, "backup");
  EXPECT_THAT(line.flags.at("location"), ElementsAre("/b"));
  EXPECT_THAT(line.flags.at("media"), ElementsAre("a=/x", "/y"));
  EXPECT_THAT(line.flags.at("only"), ElementsAre("mysql,media"));
  EXPECT_TRUE(line.flags.contains("json"));
}

TEST(CommandLineTest, ALogInJsonIsKnownBeforeAnythingIsParsed) {
  const auto none = [](const std::string&) { return std::optional<std::string>(); };
  const auto json = [](const std::string& name) {
    return name == "LOG_FORMAT" ? std::optional<std::string>("json") : std::nullopt;
  };
  EXPECT_TRUE(AsksForJsonLog({"bakcup"}, json));
  EXPECT_FALSE(AsksForJsonLog({"bakcup"}, none));
  EXPECT_TRUE(AsksForJsonLog({"list", "--log-format=json"}, none));
  EXPECT_TRUE(AsksForJsonLog({"list", "--log-format", "json"}, none));
  EXPECT_FALSE(AsksForJsonLog({"list", "--log-format", "text"}, json));
}

TEST(CommandLineTest, DiffTakesTwoArchives) {
  const CommandLine line = ParseCommandLine({"inspect", "--diff", "a.tar.xz", "b.tar.xz"});
  EXPECT_THAT(line.flags.at("diff"), ElementsAre("a.tar.xz", "b.tar.xz"));
  EXPECT_THAT(ErrorOf({"inspect", "--diff", "a"}).what(), HasSubstr("--diff"));
}

TEST(CommandLineTest, AValueThatCanBeLeftOutHasItsDefault) {
  const auto value = [](const std::vector<std::string>& arguments) {
    return ParseCommandLine(arguments).flags.at("list-versions");
  };
  EXPECT_THAT(value({"list", "--list-versions"}), ElementsAre("20"));
  EXPECT_THAT(value({"list", "--list-versions", "--json"}), ElementsAre("20"));
  EXPECT_THAT(value({"list", "--list-versions=5"}), ElementsAre("5"));
  EXPECT_THAT(value({"list", "--list-versions", "5", "--json"}), ElementsAre("5"));
  EXPECT_FALSE(ParseCommandLine({"list"}).flags.contains("list-versions"));
}

TEST(CommandLineTest, EveryMistakeGetsAnExample) {
  EXPECT_THAT(ErrorOf({}).hint(), HasSubstr("--help"));
  EXPECT_THAT(ErrorOf({"bakcup"}).what(), HasSubstr("no command 'bakcup'"));
  const Error unknown = ErrorOf({"backup", "--too", "/b"});
  EXPECT_THAT(unknown.what(), HasSubstr("no flag --too"));
  EXPECT_THAT(unknown.hint(), HasSubstr("openedx-backup backup --to /backup"));
  EXPECT_THAT(ErrorOf({"list", "--dry-run"}).what(), HasSubstr("--dry-run is no flag of list"));
  EXPECT_THAT(ErrorOf({"backup", "--to"}).what(), HasSubstr("--to"));
  EXPECT_THAT(ErrorOf({"backup", "--memory", "1G", "--memory", "2G"}).what(),
              HasSubstr("--memory is given more than once"));
  EXPECT_THAT(ErrorOf({"--to", "/b", "backup"}).what(), HasSubstr("command comes first"));
}

TEST(CommandLineTest, APasswordAsAFlagIsRefusedWithoutRepeatingIt) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"backup", "--mysql-password", "hunter2"},
        std::vector<std::string>{"backup", "--mysql-password=hunter2"}}) {
    const Error error = ErrorOf(arguments);
    EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
    EXPECT_THAT(error.hint(), HasSubstr("MYSQL_ROOT_PASSWORD"));
  }
}

TEST(CommandLineTest, HelpOfEveryCommandNamesItsFlagsAndEveryExitStatus) {
  for (const Command& command : Commands()) {
    const CommandLine line = ParseCommandLine({std::string(command.name), "--help"});
    ASSERT_EQ(line.action, CommandLine::Action::kHelp);
    const std::string help = HelpText(line.command, 80);
    for (const ExitStatusText& status : kExitStatuses) {
      EXPECT_THAT(help, HasSubstr(std::string(status.meaning.substr(0, 20)))) << command.name;
    }
    for (const Setting& setting : Settings()) {
      const bool has = (setting.commands & command.bit) != 0;
      const std::string flag = "--" + std::string(setting.flag);
      if (has) {
        EXPECT_THAT(help, HasSubstr(flag)) << command.name;
      }
    }
  }
}

TEST(CommandLineTest, ManualAndCompletionsNameEveryFlag) {
  const std::string manual = ManualPage();
  const std::string completions[] = {BashCompletion(), ZshCompletion()};
  const std::string table = SettingsTable();
  for (const Setting& setting : Settings()) {
    const std::string flag = "--" + std::string(setting.flag);
    std::string roff;
    for (const char c : flag) roff += c == '-' ? "\\-" : std::string(1, c);
    EXPECT_THAT(manual, HasSubstr(".TP\n\\fB" + roff + "\\fR"));
    for (const std::string& completion : completions) EXPECT_THAT(completion, HasSubstr(flag));
    EXPECT_THAT(FishCompletion(), HasSubstr("-l " + std::string(setting.flag)));
    EXPECT_THAT(table, HasSubstr("`" + flag + "`"));
    EXPECT_THAT(table, HasSubstr(std::string(setting.variable)));
  }
  for (const ExitStatusText& status : kExitStatuses) {
    EXPECT_THAT(manual, HasSubstr("\n.B " + std::to_string(static_cast<int>(status.status))));
  }
}

TEST(CommandLineTest, NoSecretIsAFlagOfItsOwn) {
  for (const Setting& setting : Settings()) {
    if (setting.kind != SettingKind::kSecret) continue;
    EXPECT_TRUE(setting.flag.ends_with("-file")) << setting.flag;
  }
}

}  // namespace
}  // namespace oxbackup
