#include "store/s3/s3_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oxbackup::s3 {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const Request kRequest{.what = "cannot write part 3 of s3://b/site.tar",
                       .action = "s3:PutObject",
                       .resource = "s3://b/site.tar"};

HttpResponse Answer(int status, std::string body, HttpHeaders headers = {}) {
  HttpResponse response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return response;
}

std::string Body(const std::string& code, const std::string& message = "") {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code + "</Code><Message>" +
         message + "</Message></Error>";
}

Error ErrorFor(int status, const std::string& body) {
  return MakeError(kRequest, status, ReadServerError(Answer(status, body)));
}

TEST(S3ErrorTest, OverloadFaultsAndDamagedBodiesMayPass) {
  for (const char* const code :
       {"InternalError", "ServiceUnavailable", "SlowDown", "SlowDownWrite", "SlowDownRead",
        "RequestTimeout", "Throttling", "ThrottlingException", "RequestLimitExceeded",
        "TooManyRequests", "OperationAborted", "ConditionalRequestConflict", "BadDigest",
        "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "XMinioServerNotInitialized"}) {
    // AWS's RequestTimeout and BadDigest have the status 400.
    EXPECT_TRUE(ErrorFor(400, Body(code)).transient()) << code;
  }
  for (const int status : {408, 425, 429, 500, 502, 503, 504, 520, 524}) {
    EXPECT_TRUE(ErrorFor(status, "").transient()) << status;
    EXPECT_TRUE(ErrorFor(status, "<html>a proxy's</html>").transient()) << status;
    EXPECT_THAT(ErrorFor(status, "").hint(), HasSubstr("run the command again"));
  }
}

TEST(S3ErrorTest, WhatIsNotEncryptedByTheCustomersKeySaysSo) {
  const auto is_not_for_keys = [](int status, const std::string& message) {
    return IsNotForKeys(Answer(status, Body("InvalidRequest", message)));
  };
  EXPECT_TRUE(is_not_for_keys(400, "The encryption parameters are not applicable to this object."));
  EXPECT_FALSE(
      is_not_for_keys(400, "The object was stored using a form of Server Side Encryption."));
  EXPECT_FALSE(is_not_for_keys(400, ""));
  EXPECT_FALSE(is_not_for_keys(200, "The encryption parameters are not applicable"));
}

TEST(S3ErrorTest, AnErrorBehindA200IsReadByItsCode) {
  EXPECT_TRUE(ErrorFor(200, Body("InternalError")).transient());
  EXPECT_FALSE(ErrorFor(200, Body("InvalidPart")).transient());
}

TEST(S3ErrorTest, WhatWillNotPassIsFinal) {
  for (const int status : {400, 403, 501, 505, 507}) {
    EXPECT_FALSE(ErrorFor(status, "").transient()) << status;
  }
}

TEST(S3ErrorTest, ABucketAtAnotherAddressIsNamed) {
  const std::string body =
      "<Error><Code>PermanentRedirect</Code><Endpoint>s3.us-central-1.wasabisys.com</Endpoint>"
      "<Region>us-central-1</Region></Error>";
  EXPECT_THAT(ErrorFor(301, body).hint(),
              HasSubstr("S3_ENDPOINT_URL to https://s3.us-central-1.wasabisys.com"));
}

TEST(S3ErrorTest, AllOthersAreFinalAndSayWhatToChange) {
  const std::vector<std::pair<std::string, std::string>> hints = {
      {"InvalidAccessKeyId", "S3_ACCESS_KEY"},
      {"XAdminUserNotFound", "S3_ACCESS_KEY"},
      {"SignatureDoesNotMatch", "S3_SECRET_ACCESS_KEY"},
      {"RequestTimeTooSkewed", "clock"},
      {"ExpiredToken", "expired"},
      {"InvalidToken", "S3_SESSION_TOKEN"},
      {"InvalidTokenId", "S3_SESSION_TOKEN"},
      {"NoSuchBucket", "S3_BUCKET_NAME"},
      {"PermanentRedirect", "S3_REGION_NAME"},
      {"AuthorizationHeaderMalformed", "S3_REGION_NAME"},
      {"IllegalLocationConstraintException", "S3_REGION_NAME"},
      {"InvalidBucketName", "S3_ADDRESSING_STYLE"},
      {"EntityTooLarge", "size"},
      {"QuotaExceeded", "prune"},
      {"InsufficientStorage", "prune"},
      {"XMinioStorageFull", "prune"},
      {"InvalidStorageClass", "S3_STORAGE_CLASS"},
      {"KMS.NotFoundException", "S3_SSE_KMS_KEY_ID"},
      {"kms:KeyNotFound", "S3_SSE_KMS_KEY_ID"},
      {"KMS.DisabledException", "S3_SSE_KMS_KEY_ID"},
      {"InvalidObjectState", "Glacier"},
      {"XMinioInvalidObjectName", "--name"},
      {"NotImplemented", "S3_SSE"},
      {"NoSuchKey", "S3_ENDPOINT_URL"},
      {"AccessDenied", "allow s3:PutObject on s3://b/site.tar"},
      {"AllAccessDisabled", "allow s3:PutObject on s3://b/site.tar"},
  };
  for (const auto& [code, hint] : hints) {
    const Error error = ErrorFor(400, Body(code, "in the server's words"));
    EXPECT_FALSE(error.transient()) << code;
    EXPECT_EQ(error.kind(), code == "NoSuchBucket" ? ErrorKind::kNotFound : ErrorKind::kStore);
    EXPECT_EQ(error.what(), kRequest.what);
    EXPECT_EQ(error.cause(), code + ": in the server's words");
    EXPECT_THAT(error.hint(), HasSubstr(hint)) << code;
  }
  EXPECT_FALSE(ErrorFor(400, Body("InvalidRequest")).transient());
}

TEST(S3ErrorTest, ARightThatTheKeyOfKmsWantsIsNamed) {
  const std::string refused =
      "User: arn:aws:sts::1:assumed-role/backup/x is not authorized to perform: "
      "kms:GenerateDataKey on resource: arn:aws:kms:eu-1:1:key/k because no identity-based policy "
      "allows the kms:GenerateDataKey action";
  const std::string hint = ErrorFor(403, Body("AccessDenied", refused)).hint();
  EXPECT_THAT(hint, HasSubstr("allow kms:GenerateDataKey on the key"));
  EXPECT_THAT(hint, Not(HasSubstr("s3:PutObject")));
}

TEST(S3ErrorTest, AMissingOrWrongKeyOfTheCustomerIsExplained) {
  const std::string message = "The object was stored using a form of Server Side Encryption.";
  EXPECT_THAT(ErrorFor(400, Body("InvalidRequest", message)).hint(),
              HasSubstr("S3_SSE_CUSTOMER_KEY"));
  Request request = kRequest;
  request.or_else = "set S3_SSE_CUSTOMER_KEY";
  EXPECT_THAT(MakeError(request, 403, ReadServerError(Answer(403, ""))).hint(),
              HasSubstr("s3:PutObject on s3://b/site.tar to the account of these keys, or set "
                        "S3_SSE_CUSTOMER_KEY"));
}

// Answers to HEAD have no body.
TEST(S3ErrorTest, WithoutABodyTheStatusTells) {
  EXPECT_THAT(ErrorFor(403, "").hint(), HasSubstr("allow s3:PutObject on s3://b/site.tar"));
  EXPECT_THAT(ErrorFor(403, "").cause(), HasSubstr("AccessDenied"));
  EXPECT_THAT(ErrorFor(507, "").hint(), HasSubstr("prune"));
  EXPECT_THAT(ErrorFor(400, "").hint(), HasSubstr("https://"));
  EXPECT_THAT(ErrorFor(418, "").cause(), HasSubstr("418"));
  EXPECT_FALSE(ErrorFor(418, "").transient());
  EXPECT_EQ(ReadServerError(Answer(404, "")).code, "NotFound");
  EXPECT_EQ(ReadServerError(Answer(412, "")).code, "PreconditionFailed");
}

TEST(S3ErrorTest, TellsWhereTheBucketLies) {
  EXPECT_EQ(ReadServerError(Answer(301, "", {{"x-amz-bucket-region", "eu-west-1"}})).region,
            "eu-west-1");
  const ServerError body = ReadServerError(Answer(
      400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>"));
  EXPECT_EQ(body.region, "eu-west-3");
  const ServerError redirect = ReadServerError(Answer(
      301, "<Error><Code>PermanentRedirect</Code><Endpoint>b.s3.amazonaws.com</Endpoint></Error>",
      {{"x-amz-bucket-region", "us-west-2"}}));
  EXPECT_EQ(redirect.endpoint, "b.s3.amazonaws.com");
  EXPECT_THAT(MakeError(kRequest, 301, redirect).hint(), HasSubstr("lies in us-west-2"));
}

TEST(S3ErrorTest, OnlyAnErrorIsAnError) {
  EXPECT_TRUE(HoldsError(Answer(200, "  " + Body("InternalError"))));
  EXPECT_FALSE(HoldsError(Answer(200, "<CompleteMultipartUploadResult/>")));
  EXPECT_FALSE(HoldsError(Answer(200, "")));
}

TEST(S3ErrorTest, TellsRefusalsOfAllFromRefusalsOfOne) {
  for (const char* const code : {"InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket",
                                 "RequestTimeTooSkewed", "ExpiredToken"}) {
    EXPECT_TRUE(
        IsAboutAccess({.code = code, .message = {}, .argument = {}, .region = {}, .endpoint = {}}))
        << code;
  }
  for (const char* const code : {"AccessDenied", "NoSuchKey", "NoSuchUpload", "NotImplemented"}) {
    EXPECT_FALSE(
        IsAboutAccess({.code = code, .message = {}, .argument = {}, .region = {}, .endpoint = {}}))
        << code;
  }
}

TEST(S3ErrorTest, DoesNotRepeatWhatABodyOfNoServerSays) {
  const Error error = ErrorFor(403, "<html>session=secret</html>");
  EXPECT_THAT(error.what() + error.cause() + error.hint(), Not(HasSubstr("secret")));
  EXPECT_THAT(ErrorFor(400, Body("Unheard")).hint(), IsEmpty());
}

TEST(S3ErrorTest, NamesTheSettingThatTheServerRefuses) {
  EXPECT_THAT(ErrorFor(404, "<html>no such page</html>").hint(), HasSubstr("S3_ENDPOINT_URL"));
  EXPECT_THAT(ErrorFor(404, Body("NoSuchUpload")).hint(), HasSubstr("removed meanwhile"));
  EXPECT_THAT(ErrorFor(400, Body("InvalidTag")).hint(), HasSubstr("S3_TAGS"));
  for (const char* const message : {"Bucket is missing ObjectLockConfiguration",
                                    "Bucket is missing Object Lock Configuration"}) {
    EXPECT_THAT(ErrorFor(400, "<Error><Code>InvalidRequest</Code><Message>" + std::string(message) +
                                  "</Message></Error>")
                    .hint(),
                HasSubstr("S3_OBJECT_LOCK_MODE"));
  }
}

}  // namespace
}  // namespace oxbackup::s3
