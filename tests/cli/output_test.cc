// What programs and log collectors get.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "command_testing.h"

namespace oxbackup {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

std::vector<nlohmann::json> Objects(const std::string& text) {
  std::vector<nlohmann::json> objects;
  for (const std::string& line : SplitNonEmpty(text, "\n")) {
    objects.push_back(nlohmann::json::parse(line, nullptr, false));
    EXPECT_TRUE(objects.back().is_object()) << line;
  }
  return objects;
}

// A socket in the folder cannot be part of an archive.
void AddSocket(const std::string& folder) {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder + "/s";
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(descriptor);
}

TEST(OutputTest, TheLineToRestoreWithCanBeTypedIntoAShell) {
  const CommandSite site;
  const std::string place = site.path() / "it's my place";
  std::filesystem::create_directory(place);
  const ProcessResult backup =
      site.Run({"backup", "--to", place, "--caddy", site.caddy(), "--name", "a b;c"});
  ASSERT_EQ(backup.status, 0) << backup.error;
  constexpr std::string_view kCommand = "openedx-backup restore";
  const size_t at = backup.out.find(kCommand);
  ASSERT_NE(at, std::string::npos) << backup.out;
  const std::string line = backup.out.substr(at + kCommand.size());
  const ProcessResult words =
      RunProcess({"sh", "-c", "printf '<%s>' " + line.substr(0, line.find('\n'))});
  EXPECT_EQ(words.out, "<--from><" + place + "><--name><a b;c.tar.xz>");
}

TEST(OutputTest, WarningsAreAStatusOfTheirOwnAndListed) {
  const CommandSite site;
  AddSocket(site.caddy());
  const nlohmann::json result =
      site.RunJson({"backup", "--to", site.archives(), "--caddy", site.caddy()});
  EXPECT_EQ(result["exit_status"], 3);
  EXPECT_EQ(result["status"], "warnings");
  ASSERT_THAT(result["warnings"], SizeIs(1));
  EXPECT_THAT(result["warnings"][0].get<std::string>(), HasSubstr("/s"));
  EXPECT_EQ(result["manifest"]["warnings"], result["warnings"]);
}

TEST(OutputTest, ABackupTellsTheSameOfItsManifestAsInspect) {
  const CommandSite site;
  const nlohmann::json backup =
      site.RunJson({"backup", "--to", site.archives(), "--caddy", site.caddy()});
  const nlohmann::json inspect = site.RunJson({"inspect", "--from", site.archives()});
  for (const char* key : {"members", "blocks", "raw_bytes"}) {
    EXPECT_GT(backup["manifest"][key], 0) << key;
    EXPECT_EQ(backup["manifest"][key], inspect["manifest"][key]) << key;
  }
  EXPECT_GT(inspect["manifest"]["components"][0]["stored_bytes"], 0);
}

TEST(OutputTest, WhatIsLeftOutIsListedWhyeverItIs) {
  const CommandSite site;
  const std::string media = site.path() / "media";
  WriteTestFile(media + "/a.png", "a picture");
  const std::vector<std::string> backup = {"backup",  "--to",       site.archives(),
                                           "--caddy", site.caddy(), "--media",
                                           media,     "--exclude",  "media"};
  EXPECT_THAT(site.RunJson(backup)["left_out"], ElementsAre("mysql", "mongodb", "media", "config"));
  EXPECT_THAT(site.Run(backup).out,
              HasSubstr("config (--tutor-config is not set), media (not selected)."));
}

class JsonLogTest : public ::testing::Test {
 protected:
  // Runs with LOG_FORMAT=json, without --json, and parses both outputs.
  void Run(const std::vector<std::string>& arguments) {
    const ProcessResult result = site_.Run(arguments, {{"LOG_FORMAT", "json"}});
    status_ = result.status;
    out_ = Objects(result.out);
    log_ = Objects(result.error);
  }

  const CommandSite site_;
  int status_ = 0;
  std::vector<nlohmann::json> out_;
  std::vector<nlohmann::json> log_;
};

TEST_F(JsonLogTest, SummariesAndPlansAreObjectsToo) {
  Run({"backup", "--to", site_.archives(), "--caddy", site_.caddy()});
  EXPECT_EQ(status_, 0);
  ASSERT_THAT(out_, SizeIs(1));
  EXPECT_EQ(out_[0]["command"], "backup");
  ASSERT_FALSE(log_.empty());
  EXPECT_THAT(log_[0]["message"].get<std::string>(),
              HasSubstr("backing up to " + site_.archives() + "/backup."));

  Run({"restore", "--from", site_.archives(), "--caddy", site_.caddy(), "--yes"});
  EXPECT_EQ(status_, 0);
  ASSERT_THAT(out_, SizeIs(1));
  EXPECT_EQ(out_[0]["restored"][0]["items"], 5);
  EXPECT_EQ(out_[0]["restored"][0]["name"], "caddy");
  const auto plan =
      std::ranges::find_if(log_, [](const nlohmann::json& line) { return line.contains("plans"); });
  ASSERT_NE(plan, log_.end());
  EXPECT_EQ((*plan)["level"], "info");
  EXPECT_EQ((*plan)["plans"][0]["component"], "caddy");
}

TEST_F(JsonLogTest, ErrorsAreObjectsToo) {
  Run({"backup", "--to", site_.archives(), "--mysql-host", "127.0.0.1", "--mysql-port", "1"});
  EXPECT_EQ(status_, 1);
  EXPECT_EQ(log_.back()["level"], "error");
  EXPECT_EQ(log_.back()["error"]["kind"], "source");
  EXPECT_EQ(log_.back()["aftermath"], "Nothing was written.");
  EXPECT_EQ(log_.back()["exit_status"], 1);

  Run({"restore", "--from", site_.archives(), "--caddy", site_.caddy()});
  EXPECT_EQ(status_, 4);
  EXPECT_EQ(log_.back()["error"]["kind"], "not_found");

  Run({"bakcup"});
  EXPECT_EQ(status_, 2);
  EXPECT_EQ(log_.back()["error"]["kind"], "usage");
}

TEST_F(JsonLogTest, ARestoreThatCannotAskLogsItsPlanAsAnObject) {
  site_.Backup();
  Run({"restore", "--from", site_.archives(), "--caddy", site_.caddy()});
  EXPECT_EQ(status_, 2);
  EXPECT_THAT(log_, Contains(::testing::Truly(
                        [](const nlohmann::json& line) { return line.contains("plans"); })));
}

TEST(OutputTest, ALogInJsonLeavesTablesForPeople) {
  const CommandSite site;
  site.Backup();
  const ProcessResult list =
      site.Run({"list", "--from", site.archives()}, {{"LOG_FORMAT", "json"}});
  EXPECT_THAT(list.out, AllOf(HasSubstr("complete"), Not(HasSubstr("{"))));
}

}  // namespace
}  // namespace oxbackup
