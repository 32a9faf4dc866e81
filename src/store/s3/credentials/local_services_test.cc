// Keys from services of containers (ECS, EKS Pod Identity) and of machines (EC2), which a test
// imitates.
#include <chrono>

#include "store/s3/credentials/credentials_testing.h"

namespace oxbackup::s3 {
namespace {

class ContainerTest : public CredentialsTest {
 protected:
  ContainerTest() { Answer({.body = KeysJson("ASIABOX", "2026-11-26T18:00:00Z")}); }
  void FullUri(const std::string& uri) { environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = uri; }
};

TEST_F(ContainerTest, EcsIsAskedAtItsAddress) {
  environment_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/1-2-3";
  FullUri("http://elsewhere.example.com/");
  const Credentials keys = Get();
  EXPECT_EQ(keys.access_key, "ASIABOX");
  EXPECT_EQ(keys.secret_key, "HUSH of ASIABOX");
  EXPECT_EQ(keys.session_token, "HUSH token");
  EXPECT_EQ(keys.expires, ParseRfc3339("2026-11-26T18:00:00Z"));
  EXPECT_EQ(keys.origin, "the container's credential service at http://169.254.170.2");
  EXPECT_EQ(local_http_.Urls(),
            std::vector<std::string>{"http://169.254.170.2/v2/credentials/1-2-3"});
  EXPECT_EQ(server_.Requests().at(0).Header("authorization"), "");
}

TEST_F(ContainerTest, APathThatIsNoneIsRefused) {
  environment_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "@evil.example.com/";
  EXPECT_EQ(Failure().kind(), ErrorKind::kUsage);
  EXPECT_TRUE(local_http_.Urls().empty());
}

TEST_F(ContainerTest, PodIdentitysTokenIsReadAnewForEachRenewal) {
  FullUri("http://169.254.170.23/v1/credentials");
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "HUSH old";
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = File("token", "HUSH1\n");
  const auto source = Make();
  source->Get({});
  File("token", "HUSH2");
  clock_.Set("2026-11-26T17:58:00Z");
  source->Get({});
  EXPECT_EQ(local_http_.Urls().at(0), "http://169.254.170.23/v1/credentials");
  EXPECT_EQ(server_.Requests().at(0).Header("authorization"), "HUSH1");
  EXPECT_EQ(server_.Requests().at(1).Header("authorization"), "HUSH2");
}

TEST_F(ContainerTest, ATokenInAVariableIsSentAsItIs) {
  FullUri("http://localhost:8080/keys");
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Basic HUSH";
  EXPECT_EQ(Get().access_key, "ASIABOX");
  EXPECT_EQ(server_.Requests().at(0).Header("authorization"), "Basic HUSH");
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "HUSH\r\nX: 1";
  EXPECT_EQ(Failure().kind(), ErrorKind::kUsage);
}

TEST_F(ContainerTest, KeysAreAskedForInPlainTextOnlyAtHome) {
  for (const char* allowed :
       {"http://127.0.0.1/k", "http://127.9.9.9:80/k", "http://[::1]:1234/k", "http://localhost/k",
        "http://169.254.170.2/k", "http://[fd00:ec2::23]/k", "https://keys.example.com/k"}) {
    FullUri(allowed);
    EXPECT_EQ(Get().access_key, "ASIABOX") << allowed;
  }
  const size_t calls = local_http_.Urls().size();
  for (const char* refused :
       {"http://keys.example.com/k", "http://169.254.169.254/k", "http://128.0.0.1/k",
        "http://127.0.0.1.example.com/k", "http://localhost.example.com/k", "http://10.0.0.1/k"}) {
    FullUri(refused);
    const Error error = Failure();
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << refused;
    EXPECT_NE(std::string(error.what()).find("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
              std::string::npos);
  }
  EXPECT_EQ(local_http_.Urls().size(), calls);
}

TEST_F(ContainerTest, RefusalsSayWhy) {
  environment_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/keys";
  Answer({.status = 403, .body = R"({"code": "AccessDenied", "message": "no association"})"});
  const Error denied = Failure();
  EXPECT_EQ(denied.cause(), "AccessDenied: no association (HTTP 403)");
  EXPECT_EQ(denied.kind(), ErrorKind::kStore);
  EXPECT_FALSE(denied.transient());
  Answer({.status = 429, .body = "HUSH slow down"});
  EXPECT_TRUE(Failure().transient());
}

TEST_F(ContainerTest, AnAnswerWithoutKeysIsAnErrorThatDoesNotShowIt) {
  environment_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/keys";
  for (const char* body :
       {"HUSH", "[\"HUSH\"]", "{\"AccessKeyId\": \"HUSH\"}", "",
        "{\"AccessKeyId\": \"HUSH\\n\", \"SecretAccessKey\": \"HUSH\"}",
        "{\"AccessKeyId\": 7, \"SecretAccessKey\": \"HUSH\"}",
        "{\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"HUSH\", \"Expiration\": \"soon\"}"}) {
    Answer({.body = body});
    EXPECT_EQ(Failure().kind(), ErrorKind::kStore) << body;
  }
}

TEST_F(ContainerTest, AServiceThatHangsIsGivenUpSoon) {
  environment_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/keys";
  Answer({.fault = TestHttpFault::kHold});
  EXPECT_TRUE(Failure().transient());
  EXPECT_EQ(local_http_.LastTimeout(), std::chrono::seconds(2));
}

class InstanceTest : public CredentialsTest {
 protected:
  InstanceTest() {
    Answer([](const TestHttpRequest& request) { return Metadata(request); });
  }
  // As a machine with the role "backup-role" has it.
  static TestHttpResponse Metadata(const TestHttpRequest& request) {
    const std::string roles = "/latest/meta-data/iam/security-credentials/";
    if (request.method == "PUT" && request.path() == "/latest/api/token") {
      if (request.Header("x-aws-ec2-metadata-token-ttl-seconds").empty()) return {.status = 400};
      return {.body = "HUSHsession=="};
    }
    if (request.Header("x-aws-ec2-metadata-token") != "HUSHsession==") return {.status = 401};
    if (request.path() == roles) return {.body = "backup-role\nanother\n"};
    if (request.path() == roles + "backup-role") {
      return {.body = KeysJson("ASIAEC2", "2026-11-26T18:00:00Z")};
    }
    return {.status = 404};
  }
  // The same, but for one path.
  void AnswerAt(const std::string& end_of_path, const TestHttpResponse& response) {
    Answer([=](const TestHttpRequest& request) {
      return request.path().ends_with(end_of_path) ? response : Metadata(request);
    });
  }
};

TEST_F(InstanceTest, TheKeysOfTheMachinesRoleAreUsed) {
  const Credentials keys = Get();
  EXPECT_EQ(keys.access_key, "ASIAEC2");
  EXPECT_EQ(keys.session_token, "HUSH token");
  EXPECT_EQ(keys.expires, ParseRfc3339("2026-11-26T18:00:00Z"));
  EXPECT_EQ(keys.origin,
            "the machine's metadata service at http://169.254.169.254, role backup-role");
  EXPECT_EQ(local_http_.Urls().at(0), "http://169.254.169.254/latest/api/token");
  EXPECT_TRUE(http_.Urls().empty());
}

TEST_F(InstanceTest, TheAddressMayBeChosen) {
  environment_["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = "IPv6";
  Get();
  EXPECT_EQ(local_http_.Urls().back(),
            "http://[fd00:ec2::254]/latest/meta-data/iam/security-credentials/backup-role");
  environment_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://10.1.2.3:1338/";
  Get();
  EXPECT_EQ(local_http_.Urls().back(),
            "http://10.1.2.3:1338/latest/meta-data/iam/security-credentials/backup-role");
}

TEST_F(InstanceTest, ItIsNotAskedWhenItIsDisabled) {
  environment_["AWS_EC2_METADATA_DISABLED"] = "True";
  EXPECT_NE(Failure().cause().find("AWS_EC2_METADATA_DISABLED"), std::string::npos);
  EXPECT_TRUE(local_http_.Urls().empty());
}

TEST_F(InstanceTest, AMachineThatIsNoneOfEc2HasNoKeysSoon) {
  AnswerAt("/token", {.fault = TestHttpFault::kHold});
  const Error error = Failure();
  EXPECT_EQ(local_http_.LastTimeout(), std::chrono::seconds(1));
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_NE(error.cause().find("does not answer"), std::string::npos) << error.cause();
}

TEST_F(InstanceTest, AServiceOfAnotherCloudHasNoKeys) {
  for (const TestHttpResponse& other :
       {TestHttpResponse{.status = 404}, TestHttpResponse{.status = 403}, TestHttpResponse{},
        TestHttpResponse{.body = "<html>\nHUSH\n</html>"}}) {
    AnswerAt("/token", other);
    EXPECT_EQ(Failure().kind(), ErrorKind::kUsage);
  }
}

TEST_F(InstanceTest, AMachineWithoutARoleHasNoKeys) {
  for (const TestHttpResponse& none : {TestHttpResponse{.status = 404}, TestHttpResponse{}}) {
    AnswerAt("/security-credentials/", none);
    const Error error = Failure();
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(error.cause().find("the machine has no role"), std::string::npos) << error.cause();
  }
}

TEST_F(InstanceTest, WhatTheServiceRefusesIsAnError) {
  AnswerAt("/backup-role",
           {.body = R"({"Code": "AssumeRoleUnauthorizedAccess", "Message": "not allowed"})"});
  const Error error = Failure();
  EXPECT_EQ(error.kind(), ErrorKind::kStore);
  EXPECT_EQ(error.cause(), "AssumeRoleUnauthorizedAccess: not allowed (HTTP 200)");
  AnswerAt("/token", {.status = 503});
  EXPECT_TRUE(Failure().transient());
  AnswerAt("/security-credentials/", {.status = 500});
  EXPECT_TRUE(Failure().transient());
  AnswerAt("/backup-role",
           {.body = KeysJson("ASIAEC2", "2026-11-26T18:00:00Z"), .fault = TestHttpFault::kReset});
  EXPECT_TRUE(Failure().transient());
}

TEST_F(InstanceTest, ARoleThatIsTakenAwayDuringARunIsNoMissingSetting) {
  const auto source = Make();
  source->Get({});
  AnswerAt("/security-credentials/", {.status = 404});
  clock_.Set("2026-11-26T18:00:00Z");
  const Error error = FailureOf(*source);
  EXPECT_EQ(error.kind(), ErrorKind::kStore);
  EXPECT_TRUE(error.transient());
  EXPECT_NE(error.cause().find("the machine has no role"), std::string::npos) << error.cause();
}

}  // namespace
}  // namespace oxbackup::s3
