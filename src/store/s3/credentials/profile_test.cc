#include "store/s3/credentials/profile.h"

#include "store/s3/credentials/credentials_testing.h"

namespace oxbackup::s3 {
namespace {

TEST(ParseProfilesTest, ReadsWhatTheAwsCommandWrites) {
  const auto sections = ParseProfiles(
      "# a comment\r\n"
      "ignored = outside\n"
      "[default]\r\n"
      "AWS_Access_Key_Id = AKID1\r\n"
      "aws_secret_access_key=abc/+#;=def  # said behind it\n"
      "; another\n"
      "s3 =\n"
      "  max_concurrent_requests = 20\n"
      "region = eu-central-1 ; said too\n"
      "[ profile   two words ]\n"
      "  region = us-east-1\n"
      "  output = json\n"
      "[profile \"quoted\"]\n"
      "region=ap-south-1\n"
      "no value here\n");
  const std::map<std::string, std::map<std::string, std::string>> expected = {
      {"default",
       {{"aws_access_key_id", "AKID1"},
        {"aws_secret_access_key", "abc/+#;=def"},
        {"s3", ""},
        {"region", "eu-central-1"}}},
      {"profile two words", {{"region", "us-east-1"}, {"output", "json"}}},
      {"profile quoted", {{"region", "ap-south-1"}}}};
  EXPECT_EQ(sections, expected);
}

class ProfileTest : public CredentialsTest {
 protected:
  void Config(const std::string& text) { environment_["AWS_CONFIG_FILE"] = File("config", text); }
  void CredentialsFile(const std::string& text) {
    environment_["AWS_SHARED_CREDENTIALS_FILE"] = File("credentials", text);
  }
  std::string Region(const CredentialSettings& settings = {}) {
    return FindRegion(settings, [this](const std::string& name) -> std::optional<std::string> {
      const auto at = environment_.find(name);
      return at == environment_.end() ? std::nullopt : std::optional(at->second);
    });
  }
};

TEST_F(ProfileTest, KeysComeFromTheFilesInHome) {
  environment_["HOME"] = folder_.path();
  File(".aws/config",
       "[default]\nregion = eu-north-1\naws_access_key_id = AKIDOLD\n"
       "aws_secret_access_key = HUSH1\n");
  EXPECT_EQ(Get().access_key, "AKIDOLD");
  File(".aws/credentials",
       "[default]\naws_access_key_id = AKIDNEW\n"
       "aws_secret_access_key = HUSH2\naws_session_token = HUSH3\n");
  const Credentials keys = Get();
  EXPECT_EQ(keys.access_key, "AKIDNEW");
  EXPECT_EQ(keys.secret_key, "HUSH2");
  EXPECT_EQ(keys.session_token, "HUSH3");
  EXPECT_EQ(keys.origin, "aws_access_key_id of profile 'default'");
  EXPECT_EQ(Region(), "eu-north-1");
}

TEST_F(ProfileTest, TheProfileIsTheSettingsOrTheEnvironmentsOrDefault) {
  CredentialsFile(
      "[default]\naws_access_key_id=AKID0\naws_secret_access_key=HUSH\n"
      "[one]\naws_access_key_id=AKID1\naws_secret_access_key=HUSH\n"
      "[two]\naws_access_key_id=AKID2\naws_secret_access_key=HUSH\n");
  EXPECT_EQ(Get().access_key, "AKID0");
  environment_["AWS_PROFILE"] = "one";
  EXPECT_EQ(Get().access_key, "AKID1");
  EXPECT_EQ(Get({.profile = "two"}).access_key, "AKID2");
}

TEST_F(ProfileTest, AProfileThatWasAskedForHasToBeThere) {
  Config("[profile other]\nregion = x\n[asked]\nregion = y\n");
  const Error error = Failure({.profile = "asked"});
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_STREQ(error.what(), "there is no profile 'asked'");
  EXPECT_NE(error.cause().find(environment_["AWS_CONFIG_FILE"]), std::string::npos);
  environment_["AWS_PROFILE"] = "asked";
  EXPECT_STREQ(Failure().what(), "there is no profile 'asked'");
}

TEST_F(ProfileTest, HalfAPairIsAnErrorThatNamesBothAndTheProfile) {
  CredentialsFile("[default]\naws_access_key_id=AKID0\n");
  EXPECT_STREQ(Failure().what(),
               "aws_access_key_id is set in profile 'default', and aws_secret_access_key is not");
}

TEST_F(ProfileTest, WhatNeedsTheAwsCommandIsRefusedWithTheWayOut) {
  for (const char* setting :
       {"role_arn = arn:aws:iam::1:role/r\nsource_profile = default",
        "role_arn = arn:aws:iam::1:role/r\ncredential_source = Ec2InstanceMetadata",
        "credential_process = /bin/keys", "sso_session = work", "sso_start_url = https://x"}) {
    Config(std::string("[profile work]\n") + setting + "\n");
    const Error error = Failure({.profile = "work"});
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << setting;
    EXPECT_NE(std::string(error.what()).find("profile 'work' has "), std::string::npos)
        << error.what();
    EXPECT_NE(error.hint().find("export-credentials --profile work"), std::string::npos);
  }
  // A role is another identity than the keys beside it; those that an SSO tool wrote are the same.
  const std::string keys = "aws_access_key_id=AKID1\naws_secret_access_key=HUSH\n";
  CredentialsFile("[work]\n" + keys);
  EXPECT_EQ(Get({.profile = "work"}).access_key, "AKID1");
  Config("[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = work\n");
  EXPECT_EQ(Failure({.profile = "work"}).kind(), ErrorKind::kUsage);
}

TEST_F(ProfileTest, AProfileWithoutKeysLeavesTheSearchToTheOthers) {
  Config("[default]\nregion = eu-north-1\n");
  const Error error = Failure();
  EXPECT_STREQ(error.what(), "there are no keys for the bucket");
  EXPECT_NE(error.cause().find("profile 'default' in"), std::string::npos) << error.cause();
}

TEST_F(ProfileTest, ANamedFileThatCannotBeReadIsAnError) {
  environment_["AWS_CONFIG_FILE"] = folder_.path();
  const Error error = Failure();
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_EQ(error.cause(), "Is a directory");
  EXPECT_THROW(Region(), Error);
}

TEST_F(ProfileTest, TheRegionIsTheEnvironmentsOrTheProfiles) {
  EXPECT_EQ(Region(), "");
  Config("[default]\nregion = r0\n[profile one]\nregion = r1\n");
  EXPECT_EQ(Region(), "r0");
  EXPECT_EQ(Region({.profile = "one"}), "r1");
  EXPECT_EQ(Region({.profile = "absent"}), "");
  environment_["AWS_DEFAULT_REGION"] = "r2";
  EXPECT_EQ(Region(), "r2");
  environment_["AWS_REGION"] = "r3";
  EXPECT_EQ(Region(), "r3");
  environment_["AWS_REGION"] = "";
  EXPECT_EQ(Region(), "r2");
}

}  // namespace
}  // namespace oxbackup::s3
