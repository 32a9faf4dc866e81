// What a bucket's refusals say of one object: not there, or not to be told.
#include <gmock/gmock.h>

#include "store/s3/bucket_testing.h"
#include "store/s3/object_source.h"

namespace oxbackup::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ObjectId VersionOf(const std::string& version) {
  ObjectId id("k");
  id.version = version;
  return id;
}

class AbsenceTest : public ServedBucketTest {
 protected:
  // A real server's: a refusal of a HEAD has no body.
  void Always(const TestHttpResponse& response) {
    Answer([=](const TestHttpRequest& request) {
      TestHttpResponse answer = response;
      if (request.method == "HEAD") answer.body.clear();
      return answer;
    });
  }

  void ExpectAbsent(const ObjectId& id, const TestHttpResponse& response) {
    Always(response);
    EXPECT_EQ(bucket().Head(id), std::nullopt) << response.body;
    EXPECT_EQ(OpenObject(bucket(), id), nullptr) << response.body;
  }

  void ExpectError(const ObjectId& id, const TestHttpResponse& response, const std::string& text) {
    Always(response);
    for (const Error& error :
         {ErrorOf([&] { (void)bucket().Head(id); }), ErrorOf([&] { (void)bucket().Exists(id); }),
          ErrorOf([&] { (void)OpenObject(bucket(), id); })}) {
      EXPECT_EQ(error.kind(), ErrorKind::kStore);
      EXPECT_THAT(error.cause(), HasSubstr(text));
    }
  }
};

const TestHttpResponse kMarker = {.status = 405, .headers = {{"x-amz-delete-marker", "true"}}};

TEST_F(AbsenceTest, WhatIsNotThereIsNotFound) {
  ExpectAbsent("k", {.status = 404});
  ExpectAbsent(VersionOf("7"), Refusal(404, "NoSuchVersion"));
  ExpectAbsent(VersionOf("7"), kMarker);
  EXPECT_TRUE(bucket().Exists(VersionOf("7"))) << "a marker can be removed";
  ExpectAbsent(VersionOf("7"), Refusal(400, "NoSuchVersion"));
  ExpectAbsent(VersionOf("?"),
               Refusal(400, "InvalidArgument", "<Message>Invalid version id specified</Message>"));
  ExpectAbsent(VersionOf("?"),
               Refusal(400, "InvalidArgument", "<ArgumentName>versionId</ArgumentName>"));
}

// Else older archives would be taken for the newest ones.
TEST_F(AbsenceTest, WhatCannotBeReadIsNotTakenForAbsent) {
  for (const ObjectId& id : {VersionOf("7"), ObjectId("k")}) {
    ExpectError(id, Refusal(400, "KMS.DisabledException"), "KMS.DisabledException");
    ExpectError(id, Refusal(400, "ExpiredToken"), "ExpiredToken");
    ExpectError(id, Refusal(400, "InvalidRequest", "<Message>stored using SSE</Message>"), "SSE");
    ExpectError(id, Refusal(400, "InvalidArgument", "<Message>a key's MD5</Message>"), "MD5");
    ExpectError(id, Refusal(403, "AccessDenied"), "AccessDenied");
    ExpectError(id, Refusal(403, "SignatureDoesNotMatch"), "SignatureDoesNotMatch");
    ExpectError(id, {.status = 405}, "405");
  }
}

TEST_F(AbsenceTest, AServerThatRefusesHeadAloneIsAskedByGet) {
  Answer([](const TestHttpRequest& request) {
    if (request.method == "HEAD") return TestHttpResponse{.status = 403};
    return TestHttpResponse{
        .status = 206, .headers = {{"Content-Range", "bytes 0-0/17"}}, .body = "x"};
  });
  const auto head = bucket().Head("k");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->size, 17u);
  EXPECT_EQ(Requests().back().Header("range"), "bytes=0-0");
}

TEST_F(AbsenceTest, ANameOfAnObjectOfAnotherKeyIsTaken) {
  settings_.encryption.customer_key = std::string(32, 'k');
  settings_.endpoint = "https://s3.example.com";
  std::string listed = "f/k";
  Answer([&](const TestHttpRequest& request) {
    if (request.method == "HEAD") return TestHttpResponse{.status = 403};
    if (request.path() != "/backups") return Refusal(403, "AccessDenied");
    return TestHttpResponse{.body = "<ListBucketResult><Contents><Key>" + listed +
                                    "</Key></Contents></ListBucketResult>"};
  });
  EXPECT_TRUE(bucket().IsTaken("k", Versioning::kNone));
  // Then it is no other key that is in the way, but the missing right to look.
  listed = "f/k2";
  EXPECT_THAT(ErrorOf([this] { (void)bucket().IsTaken("k", Versioning::kNone); }).hint(),
              HasSubstr("s3:GetObject"));
}

TEST_F(AbsenceTest, ANameThatMayBeReplacedIsTakenAlsoWhenItIsHidden) {
  Answer([](const TestHttpRequest& request) {
    return request.query() == "versionId=null" ? TestHttpResponse{}
                                               : TestHttpResponse{.status = 404};
  });
  EXPECT_TRUE(bucket().IsTaken("k", Versioning::kSuspended));
  EXPECT_FALSE(bucket().IsTaken("k", Versioning::kNone));
  const size_t before = Requests().size();
  EXPECT_FALSE(bucket().IsTaken("k", Versioning::kEnabled));
  EXPECT_EQ(Requests().size(), before);
}

}  // namespace
}  // namespace oxbackup::s3
