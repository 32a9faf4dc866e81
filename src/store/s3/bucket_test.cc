#include "store/s3/bucket.h"

#include <gmock/gmock.h>

#include <atomic>

#include "store/s3/bucket_testing.h"
#include "store/s3/object_source.h"

namespace oxbackup::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class BucketTest : public ServedBucketTest {
 protected:
  void Always(const TestHttpResponse& response) {
    Answer([=](const TestHttpRequest&) { return response; });
  }
};

bool Has(const TestHttpRequest& request, const std::string& parameter) {
  return ("&" + request.query() + "&").find("&" + parameter + "&") != std::string::npos;
}

TEST_F(BucketTest, ListsPageAfterPage) {
  Answer([](const TestHttpRequest& request) {
    const bool second = Has(request, "continuation-token=a%20token");
    const std::string more = second ? "<IsTruncated>false</IsTruncated>"
                                    : "<IsTruncated>true</IsTruncated>"
                                      "<NextContinuationToken>a token</NextContinuationToken>";
    return TestHttpResponse{.body = "<ListBucketResult>" + more + "<Contents><Key>f/" +
                                    (second ? "b" : "a") + "</Key></Contents></ListBucketResult>"};
  });
  const std::vector<ObjectInfo> objects = bucket().List(false);
  ASSERT_THAT(objects, SizeIs(2));
  EXPECT_EQ(objects[0].name, "a");
  EXPECT_EQ(objects[1].name, "b");
  EXPECT_TRUE(Has(Requests()[0], "prefix=f%2F"));
  EXPECT_TRUE(Has(Requests()[0], "delimiter=%2F"));
}

TEST_F(BucketTest, ListsVersionsPageAfterPage) {
  Answer([](const TestHttpRequest& request) {
    const bool second = Has(request, "key-marker=f%2Fa") && Has(request, "version-id-marker=7");
    const std::string more =
        second ? ""
               : "<IsTruncated>true</IsTruncated><NextKeyMarker>f/a</NextKeyMarker>"
                 "<NextVersionIdMarker>7</NextVersionIdMarker>";
    return TestHttpResponse{.body = "<ListVersionsResult>" + more +
                                    "<Version><Key>f/a</Key><VersionId>" + (second ? "6" : "7") +
                                    "</VersionId></Version></ListVersionsResult>"};
  });
  const std::vector<ObjectInfo> objects = bucket().List(true);
  ASSERT_THAT(objects, SizeIs(2));
  EXPECT_EQ(objects[1].version, "6");
}

TEST_F(BucketTest, AVersionThatEndsOnePageAndBeginsTheNextIsListedOnce) {
  Answer([](const TestHttpRequest& request) {
    const bool second = Has(request, "version-id-marker=7");
    const std::string version = "<Version><Key>f/a</Key><VersionId>7</VersionId></Version>";
    return TestHttpResponse{
        .body = "<ListVersionsResult>" +
                (second ? version + "<Version><Key>f/a</Key><VersionId>6</VersionId></Version>"
                        : "<IsTruncated>true</IsTruncated><NextKeyMarker>f/a</NextKeyMarker>"
                          "<NextVersionIdMarker>7</NextVersionIdMarker>" +
                              version) +
                "</ListVersionsResult>"};
  });
  EXPECT_THAT(bucket().List(true), SizeIs(2));
}

TEST_F(BucketTest, AServerThatForgetsWhereItWasIsNotAskedForEver) {
  Always({.body = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"});
  EXPECT_THAT(ErrorOf([this] { bucket().List(false); }).cause(), HasSubstr("more"));
  EXPECT_THAT(Requests(), SizeIs(2));
  Always({.body = "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>"
                  "<NextKeyMarker>k</NextKeyMarker></ListMultipartUploadsResult>"});
  EXPECT_THROW((void)bucket().Uploads(""), Error);
}

TEST_F(BucketTest, SaysWhoAnsweredInsteadOfS3) {
  Always({.body = "<html>Please log in</html>"});
  EXPECT_THAT(ErrorOf([this] { bucket().List(false); }).hint(), HasSubstr("no proxy"));
}

TEST_F(BucketTest, AServerThatDoesNotKnowVersioningHasNone) {
  for (const auto& [status, code] : std::vector<std::pair<int, std::string>>{
           {405, "MethodNotAllowed"}, {501, "NotImplemented"}, {400, "NotImplemented"}}) {
    Always(Refusal(status, code));
    EXPECT_EQ(bucket().LookAtVersioning(), Versioning::kNone) << code;
  }
}

TEST_F(BucketTest, WhereVersioningMayNotBeAskedTheVersionsThatAreThereTell) {
  const auto versioning = [this](const TestHttpResponse& list) {
    Answer([=](const TestHttpRequest& request) {
      return Has(request, "versioning=") ? Refusal(403, "AccessDenied") : list;
    });
    return bucket().LookAtVersioning();
  };
  const auto list = [](const std::string& inside) {
    return TestHttpResponse{.body = "<ListVersionsResult>" + inside + "</ListVersionsResult>"};
  };
  const std::string old = "<Version><Key>f/a</Key><VersionId>null</VersionId></Version>";
  EXPECT_EQ(versioning(list(old)), Versioning::kNone);
  EXPECT_EQ(versioning(list(old + "<Version><Key>f/a</Key><VersionId>7</VersionId></Version>")),
            Versioning::kSuspended);
  EXPECT_EQ(versioning(list("<DeleteMarker><Key>f/a</Key></DeleteMarker>")),
            Versioning::kSuspended);
  EXPECT_THAT(log_.Text(), Not(HasSubstr("not known")));
  EXPECT_EQ(versioning(Refusal(403, "AccessDenied")), Versioning::kNone);
  EXPECT_THAT(log_.Text(), HasSubstr("whether it keeps versions is not known"));
}

// A backup asks this first: what is wrong with the keys has to be told then, and told rightly.
TEST_F(BucketTest, VersioningOfABucketThatCannotBeReachedIsAnError) {
  for (const auto& [status, code] :
       std::vector<std::pair<int, std::string>>{{403, "SignatureDoesNotMatch"},
                                                {403, "InvalidAccessKeyId"},
                                                {403, "AccountProblem"},
                                                {400, "ExpiredToken"},
                                                {404, "NoSuchBucket"},
                                                {400, "InvalidRequest"}}) {
    Always(Refusal(status, code));
    EXPECT_THAT(ErrorOf([this] { (void)bucket().LookAtVersioning(); }).cause(), HasSubstr(code));
  }
}

TEST_F(BucketTest, AnObjectOfABucketThatIsNotThereIsAnError) {
  Always(Refusal(404, "NoSuchBucket"));
  EXPECT_EQ(ErrorOf([this] { OpenObject(bucket(), "k"); }).kind(), ErrorKind::kNotFound);
  Always(Refusal(404, "NoSuchKey"));
  EXPECT_EQ(OpenObject(bucket(), "k"), nullptr);
}

TEST_F(BucketTest, ReadsByRangesOfOneVersionAndTag) {
  const std::string content(200'000, 'x');
  Answer([&](const TestHttpRequest& request) {
    const std::string range = request.Header("range");
    const bool tail = range.starts_with("bytes=-");
    const size_t size = tail ? 65536 : 10;
    return TestHttpResponse{.status = 206,
                            .headers = {{"ETag", "\"tag-1\""},
                                        {"x-amz-version-id", "v/1"},
                                        {"Content-Range", "bytes 0-9/200000"}},
                            .body = content.substr(0, std::min(size, content.size()))};
  });
  std::string tail;
  const auto head = bucket().ReadTail("k", 65536, tail);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->size, 200'000u);
  std::string buffer(10, '\0');
  bucket().ReadRange(*head, 5, buffer);
  const TestHttpRequest last = Requests().back();
  EXPECT_EQ(last.Header("range"), "bytes=5-14");
  EXPECT_EQ(last.Header("if-match"), "\"tag-1\"");
  EXPECT_TRUE(Has(last, "versionId=v%2F1"));
}

TEST_F(BucketTest, AServerThatDoesNotKeepToRangesIsRefused) {
  std::string buffer(10, '\0');
  ObjectHead head;
  head.id = ObjectId("k");
  head.id.etag = "tag";
  Always({.status = 200, .body = std::string(10, 'x')});
  EXPECT_THAT(ErrorOf([&] { bucket().ReadRange(head, 5, buffer); }).hint(), HasSubstr("ranges"));
  Always({.status = 206, .body = std::string(9, 'x')});
  EXPECT_THAT(ErrorOf([&] { bucket().ReadRange(head, 5, buffer); }).cause(), HasSubstr("9 came"));
  Always({.status = 206, .body = std::string(11, 'x')});
  EXPECT_THAT(ErrorOf([&] { bucket().ReadRange(head, 5, buffer); }).what(), HasSubstr("longer"));
  EXPECT_THAT(Requests(), SizeIs(3)) << "asking again cannot help";
}

TEST_F(BucketTest, UnfinishedUploadsAreUnknownWhereTheyMayNotBeListed) {
  Always(Refusal(403, "AccessDenied"));
  EXPECT_EQ(bucket().Uploads(""), std::nullopt);
}

TEST_F(BucketTest, GivingUpWorksAfterTheRunWasStopped) {
  stop_.request_stop();
  Always({.status = 204});
  EXPECT_EQ(bucket().AbortUpload("k", "id"), std::nullopt);
  ASSERT_THAT(Requests(), SizeIs(1));
  EXPECT_EQ(Requests()[0].method, "DELETE");
  EXPECT_EQ(http_.LastTimeout(), std::chrono::seconds(10));
}

TEST_F(BucketTest, GivingUpIsTriedAgainUntilTheRunIsStoppedAndThenOnce) {
  Always(Refusal(503, "SlowDown"));
  EXPECT_TRUE(bucket().AbortUpload("k", "id"));
  EXPECT_THAT(Requests(), SizeIs(policy_.tries));
  Answer([this](const TestHttpRequest&) {
    stop_.request_stop();
    return Refusal(503, "SlowDown");
  });
  EXPECT_TRUE(bucket().AbortUpload("k", "id"));
  EXPECT_THAT(Requests(), SizeIs(policy_.tries + 2)) << "the one that was stopped, and the last";
}

TEST_F(BucketTest, NamesOfOtherFoldersAreNotItsOwn) {
  EXPECT_EQ(bucket().NameOfKey("f/site.tar"), "site.tar");
  EXPECT_EQ(bucket().NameOfKey("f/g/site.tar"), "");
  EXPECT_EQ(bucket().NameOfKey("site.tar"), "");
  EXPECT_EQ(bucket().Location(), "s3://backups/f");
}

}  // namespace
}  // namespace oxbackup::s3
