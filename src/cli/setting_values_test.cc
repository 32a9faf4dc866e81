#include "cli/setting_values.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace oxbackup {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SettingValuesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = (std::filesystem::temp_directory_path() / "settings.XXXXXX").string();
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string WriteFile(const std::string& name, const std::string& content) {
    const std::string path = folder_ / name;
    std::ofstream(path) << content;
    chmod(path.c_str(), 0600);
    return path;
  }
  SettingValues Values(CommandBit command = kBackup) const {
    return {command, flags_,
            [this](const std::string& name) -> std::optional<std::string> {
              const auto found = environment_.find(name);
              if (found == environment_.end()) return std::nullopt;
              return found->second;
            },
            file_};
  }
  void UseFile(const std::string& toml) { file_ = ReadConfigFile(WriteFile("s.toml", toml)); }
  static std::string Message(const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return std::string(error.what()) + " | " + error.hint();
    }
    return "no error";
  }

  std::filesystem::path folder_;
  SettingValues::Flags flags_;
  std::map<std::string, std::string> environment_;
  std::optional<ConfigFile> file_;
};

TEST_F(SettingValuesTest, FlagsWinOverVariablesOverFileOverDefault) {
  EXPECT_EQ(Values().Text("mysql-port"), "3306");
  UseFile("[mysql]\nport = 3307\n");
  EXPECT_EQ(Values().Text("mysql-port"), "3307");
  environment_["MYSQL_PORT"] = "3308";
  EXPECT_EQ(Values().Text("mysql-port"), "3308");
  flags_["mysql-port"] = {"3309"};
  EXPECT_EQ(Values().Count("mysql-port"), 3309);
}

TEST_F(SettingValuesTest, AnEmptyVariableCountsAsNotSet) {
  environment_["MYSQL_HOST"] = "";
  environment_["MYSQL_ROOT_PASSWORD"] = "";
  EXPECT_EQ(Values().Text("mysql-host"), std::nullopt);
  EXPECT_EQ(Values().Secret("mysql-password"), "");
}

TEST_F(SettingValuesTest, BooleansAreReadAsTutorWritesThem) {
  for (const char* yes : {"True", "true", "1", "yes"}) {
    environment_["MYSQL_FLUSH_LOGS"] = yes;
    EXPECT_TRUE(Values().Bool("mysql-flush-logs")) << yes;
  }
  environment_["MYSQL_FLUSH_LOGS"] = "False";
  EXPECT_FALSE(Values().Bool("mysql-flush-logs"));
}

TEST_F(SettingValuesTest, ABadValueIsNamedWithItsOrigin) {
  environment_["MYSQL_FLUSH_LOGS"] = "maybe";
  EXPECT_THAT(Message([&] { Values().Bool("mysql-flush-logs"); }),
              HasSubstr("MYSQL_FLUSH_LOGS has to be true or false, not 'maybe'"));
  environment_["MYSQL_PORT"] = "33o6";
  EXPECT_THAT(Message([&] { (void)Values().Count("mysql-port"); }),
              HasSubstr("MYSQL_PORT has to be a whole number from 1 on, not '33o6' | for example "
                        "MYSQL_PORT=3306"));
  flags_["memory"] = {"much"};
  EXPECT_THAT(Message([&] { (void)Values().Size("memory"); }),
              HasSubstr("--memory has to be a size, not 'much' | for example --memory 256MiB"));
  flags_["log-format"] = {"xml"};
  EXPECT_THAT(Message([&] { (void)Values().Text("log-format"); }), HasSubstr("text, json"));
}

TEST_F(SettingValuesTest, ListsComeAsThePredecessorAndPeopleWriteThem) {
  environment_["MYSQL_DATABASES"] = "- openedx\n- notes\n";
  EXPECT_THAT(Values().List("mysql-databases"), ElementsAre("openedx", "notes"));
  environment_["MYSQL_DATABASES"] = "[openedx";
  EXPECT_THAT(Message([&] { Values().List("mysql-databases"); }),
              HasSubstr("MYSQL_DATABASES holds a list that does not end"));
  environment_["MYSQL_DATABASES"] = "[]";
  EXPECT_THAT(Values().List("mysql-databases"), IsEmpty());
  UseFile("mysql-databases = [\"a\", \"b\"]\n");
  environment_.clear();
  EXPECT_THAT(Values().List("mysql-databases"), ElementsAre("a", "b"));
}

TEST_F(SettingValuesTest, APathInAFlagMayHoldSpacesAndCommas) {
  flags_["media"] = {"a=/media/one, two"};
  EXPECT_THAT(Values().List("media"), ElementsAre("a=/media/one, two"));
}

TEST_F(SettingValuesTest, ASecretComesFromAFileWithoutItsLineEnd) {
  environment_["MYSQL_ROOT_PASSWORD_FILE"] = WriteFile("password", " p#ss \"word\n");
  EXPECT_EQ(Values().Secret("mysql-password"), " p#ss \"word");
}

TEST_F(SettingValuesTest, ASecretGivenTwiceInOneLayerIsRefused) {
  environment_["MYSQL_ROOT_PASSWORD"] = "a";
  environment_["MYSQL_ROOT_PASSWORD_FILE"] = WriteFile("password", "b");
  EXPECT_THAT(Message([&] { Values().Secret("mysql-password"); }),
              HasSubstr("MYSQL_ROOT_PASSWORD and MYSQL_ROOT_PASSWORD_FILE are both set"));
}

TEST_F(SettingValuesTest, AMissingSecretFileIsNamed) {
  environment_["MONGODB_PASSWORD_FILE"] = "/nowhere/password";
  EXPECT_THAT(Message([&] { Values().Secret("mongodb-password"); }),
              HasSubstr("MONGODB_PASSWORD_FILE names, /nowhere/password, cannot be read"));
}

TEST_F(SettingValuesTest, TheSettingsFileKeepsEveryCharacterOfAPassword) {
  UseFile("[mysql]\npassword = \"a#b,c d\\\"e\"\n");
  EXPECT_EQ(Values().Secret("mysql-password"), "a#b,c d\"e");
}

TEST_F(SettingValuesTest, AFileThatOthersCanReadAndHoldsAPasswordIsRemarkedOn) {
  UseFile("mysql_password = \"a\"\n");
  EXPECT_THAT(Values().Remarks(), IsEmpty());
  chmod(file_->path.c_str(), 0644);
  file_ = ReadConfigFile(file_->path);
  EXPECT_THAT(Values().Remarks(), ElementsAre(HasSubstr("chmod 600")));
}

TEST_F(SettingValuesTest, AListInTheFileMayHaveItsFlagsName) {
  for (const char* const key : {"tag", "tags"}) {
    UseFile(fmt::format("[s3]\n{} = [\"a=b\", \"c=d\"]\n", key));
    EXPECT_THAT(Values().List("s3-tags"), ElementsAre("a=b", "c=d")) << key;
  }
}

TEST_F(SettingValuesTest, AnUnknownKeyOfTheFileIsRefused) {
  UseFile("[mysql]\nhots = \"db\"\n");
  EXPECT_THAT(Message([&] { Values(); }), HasSubstr("there is no setting 'mysql-hots'"));
  UseFile("yes = true\n");
  EXPECT_THAT(Message([&] { Values(); }), HasSubstr("there is no setting 'yes'"));
}

TEST_F(SettingValuesTest, ABrokenFileIsRefusedWithItsLine) {
  EXPECT_THAT(Message([&] { UseFile("a = 1\nhost = db\n"); }), HasSubstr("s.toml:2: "));
  EXPECT_THAT(Message([&] { ReadConfigFile("/nowhere.toml"); }), HasSubstr("cannot be read"));
}

TEST_F(SettingValuesTest, TheFileMayServeCommandsThatLackSomeOfItsSettings) {
  UseFile("[mysql]\nhost = \"db\"\nflush-logs = false\n");
  EXPECT_EQ(Values(kVerify).Text("mysql-host"), "db");
}

}  // namespace
}  // namespace oxbackup
