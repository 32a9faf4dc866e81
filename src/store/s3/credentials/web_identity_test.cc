// Keys from an STS that a test imitates.
#include "store/s3/credentials/web_identity.h"

#include <fmt/format.h>

#include "http/url.h"
#include "store/s3/credentials/credentials_testing.h"

namespace oxbackup::s3 {
namespace {

std::string KeysXml(const std::string& access_key, const std::string& expiration) {
  return fmt::format(
      R"(<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>system:serviceaccount:openedx:backup</SubjectFromWebIdentityToken>
    <Credentials>
      <AccessKeyId>{}</AccessKeyId>
      <SecretAccessKey>HUSH/key+1</SecretAccessKey>
      <SessionToken>HUSH/token==</SessionToken>
      <Expiration>{}</Expiration>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>)",
      access_key, expiration);
}

std::string ErrorXml(const std::string& code, const std::string& message) {
  return fmt::format(R"(<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>
  <RequestId>1</RequestId></ErrorResponse>)",
                     code, message);
}

class WebIdentityTest : public CredentialsTest {
 protected:
  WebIdentityTest() {
    environment_ = {{"AWS_WEB_IDENTITY_TOKEN_FILE", File("token", "HUSH.jwt.1")},
                    {"AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/backup"},
                    {"AWS_REGION", "eu-west-3"}};
    Answer({.body = KeysXml("ASIASTS", "2026-11-26T13:00:00Z")});
  }
  // Name and value of what the server was asked, decoded.
  static std::map<std::string, std::string> Form(const TestHttpRequest& request) {
    std::map<std::string, std::string> form;
    for (size_t at = 0; at < request.body.size();) {
      const std::string pair = request.body.substr(at, request.body.find('&', at) - at);
      const size_t equals = pair.find('=');
      form[DecodeUrlPart(pair.substr(0, equals))] = DecodeUrlPart(pair.substr(equals + 1));
      at += pair.size() + 1;
    }
    return form;
  }
};

TEST_F(WebIdentityTest, ATokenIsExchangedForKeysOfTheRole) {
  const Credentials keys = Get();
  EXPECT_EQ(keys.access_key, "ASIASTS");
  EXPECT_EQ(keys.secret_key, "HUSH/key+1");
  EXPECT_EQ(keys.session_token, "HUSH/token==");
  EXPECT_EQ(keys.expires, ParseRfc3339("2026-11-26T13:00:00Z"));
  EXPECT_EQ(keys.origin,
            "STS at https://sts.eu-west-3.amazonaws.com/ for role "
            "arn:aws:iam::123456789012:role/backup");

  const TestHttpRequest request = server_.Requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/");
  const std::map<std::string, std::string> expected = {
      {"Action", "AssumeRoleWithWebIdentity"},
      {"Version", "2011-06-15"},
      {"RoleArn", "arn:aws:iam::123456789012:role/backup"},
      {"RoleSessionName", "openedx-backup"},
      {"WebIdentityToken", "HUSH.jwt.1"}};
  EXPECT_EQ(Form(request), expected);
}

TEST_F(WebIdentityTest, TheEndpointIsTheRegionsOrTheOneThatIsSet) {
  const auto url = [&](const CredentialSettings& settings) {
    Get(settings);
    return http_.Urls().back();
  };
  EXPECT_EQ(url({.region = "us-gov-west-1"}), "https://sts.us-gov-west-1.amazonaws.com/");
  EXPECT_EQ(url({.region = "cn-north-1"}), "https://sts.cn-north-1.amazonaws.com.cn/");
  environment_.erase("AWS_REGION");
  EXPECT_EQ(url({}), "https://sts.amazonaws.com/");
  environment_["AWS_ENDPOINT_URL_STS"] = "http://minio:9000";
  EXPECT_EQ(url({.region = "us-east-1"}), "http://minio:9000/");
}

TEST_F(WebIdentityTest, ARegionThatIsNoneOfAwsIsRefused) {
  const Error error = Failure({.region = "evil.example.com/"});
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_NE(error.hint().find("AWS_ENDPOINT_URL_STS"), std::string::npos);
}

TEST_F(WebIdentityTest, TheTokenIsReadAnewForEachRenewal) {
  environment_["AWS_ROLE_SESSION_NAME"] = "nightly";
  const auto source = Make();
  source->Get({});
  File("token", "HUSH.jwt.2\n");
  Answer({.body = KeysXml("ASIASTS2", "2026-11-26T14:00:00Z")});
  clock_.Set("2026-11-26T12:56:00Z");
  EXPECT_EQ(source->Get({}).access_key, "ASIASTS2");
  EXPECT_EQ(Form(server_.Requests().at(1)).at("WebIdentityToken"), "HUSH.jwt.2");
  EXPECT_EQ(Form(server_.Requests().at(1)).at("RoleSessionName"), "nightly");
}

TEST_F(WebIdentityTest, ARefusalSaysWhyAndIsFinal) {
  Answer({.status = 400, .body = ErrorXml("ExpiredTokenException", "Token expired: 2026-11-25")});
  const Error expired = Failure();
  EXPECT_EQ(expired.kind(), ErrorKind::kStore);
  EXPECT_FALSE(expired.transient());
  EXPECT_EQ(expired.cause(), "ExpiredTokenException: Token expired: 2026-11-25 (HTTP 400)");
  EXPECT_NE(expired.hint().find(environment_["AWS_WEB_IDENTITY_TOKEN_FILE"]), std::string::npos);

  Answer({.status = 403, .body = ErrorXml("AccessDenied", "Not authorized")});
  const Error denied = Failure();
  EXPECT_FALSE(denied.transient());
  EXPECT_NE(denied.hint().find("trust policy"), std::string::npos) << denied.hint();
}

TEST_F(WebIdentityTest, WhatMayWorkLaterIsTransient) {
  Answer({.status = 503, .body = "<html>HUSH</html>"});
  EXPECT_TRUE(Failure().transient());
  Answer({.status = 400, .body = ErrorXml("Throttling", "Rate exceeded")});
  EXPECT_TRUE(Failure().transient());
  Answer({.status = 400, .body = ErrorXml("IDPCommunicationError", "cannot reach the provider")});
  EXPECT_TRUE(Failure().transient());
  Answer({.body = KeysXml("ASIASTS", "2026-11-26T13:00:00Z"), .fault = TestHttpFault::kCutBody});
  EXPECT_TRUE(Failure().transient());
}

TEST_F(WebIdentityTest, AnAnswerWithoutKeysIsAnErrorThatDoesNotShowIt) {
  for (const std::string& body :
       {std::string("HUSH, but no XML"), std::string("<a>HUSH</a>"), std::string(),
        KeysXml("", "2026-11-26T13:00:00Z"), KeysXml("ASIA&#10;STS", "2026-11-26T13:00:00Z"),
        KeysXml("ASIASTS", "tomorrow")}) {
    Answer({.body = body});
    const Error error = Failure();
    EXPECT_EQ(error.kind(), ErrorKind::kStore);
    EXPECT_NE(std::string(error.what()).find("gave no keys"), std::string::npos) << error.what();
  }
}

TEST_F(WebIdentityTest, ATokenFileThatCannotBeUsedIsAnErrorThatNamesIt) {
  File("token", " \n");
  EXPECT_EQ(Failure().kind(), ErrorKind::kUsage);
  environment_["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/nowhere/token";
  const Error error = Failure();
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_NE(WholeText(error).find("/nowhere/token"), std::string::npos) << WholeText(error);
  EXPECT_EQ(error.cause(), "No such file or directory");
}

TEST_F(WebIdentityTest, ATokenFileWithoutARoleIsAnErrorThatNamesBoth) {
  environment_["AWS_ROLE_ARN"] = "";
  const Error error = Failure();
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_NE(WholeText(error).find("AWS_WEB_IDENTITY_TOKEN_FILE"), std::string::npos);
  EXPECT_NE(WholeText(error).find("AWS_ROLE_ARN"), std::string::npos);
}

TEST_F(WebIdentityTest, AStopEndsASlowAnswer) {
  Answer({.fault = TestHttpFault::kHold});
  std::stop_source stop;
  const auto source = Make();
  std::jthread caller([&] {
    try {
      source->Get(stop.get_token());
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
    }
  });
  server_.WaitUntilHeld();
  stop.request_stop();
}

TEST_F(WebIdentityTest, AProfileMayHaveOneToo) {
  environment_ = {
      {"AWS_PROFILE", "cluster"},
      {"AWS_CONFIG_FILE",
       File("config", fmt::format("[profile cluster]\nrole_arn = arn:aws:iam::1:role/p\n"
                                  "web_identity_token_file = {}\nrole_session_name = mine\n"
                                  "region = sa-east-1\n",
                                  (folder_.path() / "token").string()))}};
  const Credentials keys = Get();
  EXPECT_EQ(keys.access_key, "ASIASTS");
  EXPECT_TRUE(keys.origin.ends_with("of profile 'cluster'")) << keys.origin;
  EXPECT_EQ(http_.Urls().back(), "https://sts.sa-east-1.amazonaws.com/");
  EXPECT_EQ(Form(server_.Requests().at(0)).at("RoleSessionName"), "mine");
}

}  // namespace
}  // namespace oxbackup::s3
