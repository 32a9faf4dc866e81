#include "store/s3/upload.h"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/hash.h"
#include "store/s3/bucket_testing.h"

namespace oxbackup::s3 {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr size_t kMiB = size_t{1} << 20;
const std::string kKey = "/backups/f/site.tar";

class UploadTest : public ServedBucketTest {
 protected:
  UploadTest() {
    Answer([this](const TestHttpRequest& request) {
      const TestHttpResponse answer = AnswerOf(request);
      return change_ ? change_(request, answer) : answer;
    });
  }

  // An honest server of one upload, with versions.
  TestHttpResponse AnswerOf(const TestHttpRequest& request) {
    const std::string query = request.query();
    const std::lock_guard lock(mutex_);
    if (request.method == "POST" && query == "uploads=") {
      return {.body =
                  "<InitiateMultipartUploadResult><UploadId>id</UploadId>"
                  "</InitiateMultipartUploadResult>"};
    }
    if (request.method == "PUT") {
      const std::string number = query.substr(query.find('=') + 1, query.find('&') - 11);
      md5_[std::stoi(number)] = Md5Raw(request.body);
      size_ += request.body.size();
      return {.headers = {{"ETag", '"' + Hex(Md5Raw(request.body)) + '"'}}};
    }
    if (request.method == "POST") {
      there_ = true;
      return {.headers = {{"x-amz-version-id", "v1"}},
              .body = "<CompleteMultipartUploadResult><ETag>\"" + Etag() +
                      "\"</ETag></CompleteMultipartUploadResult>"};
    }
    if (request.method == "HEAD" && there_) {
      return {.headers = {{"ETag", '"' + Etag() + '"'},
                          {"Content-Length", std::to_string(size_)},
                          {"x-amz-version-id", "v1"}}};
    }
    if (request.method == "DELETE") return {.status = 204};
    if (query.find("uploads=") != std::string::npos) {
      return {.body = "<ListMultipartUploadsResult/>"};
    }
    return {.status = 404};
  }

  std::string Etag() const {
    std::string joined;
    for (const auto& [number, md5] : md5_) joined += md5;
    return fmt::format("{}-{}", Hex(Md5Raw(joined)), md5_.size());
  }

  std::unique_ptr<ObjectWriter> Begin() {
    return BeginArchive(bucket(), {"site.tar"}, Versioning::kEnabled);
  }
  Error WriteError(size_t size = 9 * kMiB) {
    return ErrorOf([&] {
      const auto writer = Begin();
      writer->Write(std::string(size, 'x'));
      writer->Finish();
    });
  }

  // "METHOD target" of all requests so far.
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const TestHttpRequest& request : Requests()) {
      lines.push_back(request.method + " " + request.target);
    }
    return lines;
  }
  size_t Count(const std::string& method) const {
    const std::vector<TestHttpRequest> requests = Requests();
    return std::ranges::count(requests, method, &TestHttpRequest::method);
  }

  // What is answered instead.
  std::function<TestHttpResponse(const TestHttpRequest&, TestHttpResponse)> change_;

 private:
  std::mutex mutex_;
  std::map<int, std::string> md5_;  // guarded by mutex_
  uint64_t size_ = 0;               // guarded by mutex_
  bool there_ = false;              // guarded by mutex_
};

TEST_F(UploadTest, BytesAreCutIntoPartsThatTheServerChecks) {
  const auto writer = Begin();
  const std::string bytes(17 * kMiB + 5, 'x');
  // Pieces that end nowhere near a part's end.
  for (size_t at = 0; at < bytes.size(); at += 1'000'000) {
    writer->Write(std::string_view(bytes).substr(at, 1'000'000));
  }
  writer->Finish();
  EXPECT_EQ(writer->id().version, "v1");
  EXPECT_THAT(writer->Proof(), HasSubstr("entity tag"));
  std::map<std::string, size_t> sizes;
  for (const TestHttpRequest& request : Requests()) {
    if (request.method != "PUT") continue;
    EXPECT_EQ(request.Header("content-md5"), Base64(Md5Raw(request.body)));
    sizes[request.query()] = request.body.size();
  }
  EXPECT_EQ(sizes, (std::map<std::string, size_t>{{"partNumber=1&uploadId=id", 8 * kMiB},
                                                  {"partNumber=2&uploadId=id", 8 * kMiB},
                                                  {"partNumber=3&uploadId=id", kMiB + 5}}));
  EXPECT_THAT(Lines(), Not(Contains(HasSubstr("DELETE"))));
}

TEST_F(UploadTest, AnEmptyArchiveIsOneEmptyPart) {
  const auto writer = Begin();
  writer->Finish();
  EXPECT_EQ(Count("PUT"), 1u);
}

TEST_F(UploadTest, WhatTheServerHoldsOtherwiseIsRemovedAndSaid) {
  change_ = [](const TestHttpRequest& request, TestHttpResponse answer) {
    if (request.method == "HEAD") answer.headers[1].second = "12345";
    return answer;
  };
  const Error error = WriteError();
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error.what(), HasSubstr("does not hold what was sent"));
  EXPECT_THAT(error.contexts(), Contains(HasSubstr("s3://backups/f/site.tar")));
  EXPECT_THAT(error.outcome(), IsEmpty());
  EXPECT_EQ(Lines().back(), "DELETE " + kKey + "?versionId=v1") << "ours and no other version";
}

TEST_F(UploadTest, AnotherTagThanAwsWouldMakeRemovesNothingAndProvesNothing) {
  change_ = [](const TestHttpRequest& request, TestHttpResponse answer) {
    if (request.method == "HEAD") answer.headers[0].second = "\"0123-2\"";
    return answer;
  };
  const auto writer = Begin();
  writer->Write("archive");
  writer->Finish();
  EXPECT_THAT(writer->Proof(), IsEmpty());
  EXPECT_EQ(writer->id().etag, "0123-2");
  EXPECT_EQ(Count("DELETE"), 0u);
}

TEST_F(UploadTest, WhereNoConditionIsKnownItIsCompletedWithoutOne) {
  change_ = [](const TestHttpRequest& request, TestHttpResponse answer) {
    return request.Header("if-none-match").empty() ? answer : Refusal(501, "NotImplemented");
  };
  const auto writer = BeginArchive(bucket(), {"site.tar"}, Versioning::kNone);
  writer->Write("archive");
  writer->Finish();
  EXPECT_THAT(writer->Proof(), HasSubstr("entity tag"));
  EXPECT_EQ(Count("POST"), 3u);
  EXPECT_THAT(log_.Text(), HasSubstr("If-None-Match"));
}

TEST_F(UploadTest, WhatIsDamagedAndCannotBeRemovedIsSaidToBeThere) {
  change_ = [](const TestHttpRequest& request, TestHttpResponse answer) {
    if (request.method == "HEAD") answer.headers[1].second = "12345";
    if (request.method == "DELETE") return Refusal(403, "AccessDenied");
    return answer;
  };
  const Error error = WriteError();
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error.outcome(), HasSubstr("damaged, and could not be removed"));
}

TEST_F(UploadTest, AnObjectThatVanishesAtOnceIsNoSuccess) {
  change_ = [](const TestHttpRequest& request, TestHttpResponse answer) {
    return request.method == "HEAD" ? TestHttpResponse{.status = 404} : answer;
  };
  EXPECT_THAT(WriteError().what(), HasSubstr("vanished"));
}

TEST_F(UploadTest, ARefusedPartEndsTheUploadWithItsReason) {
  change_ = [](const TestHttpRequest& request, TestHttpResponse answer) {
    return request.query().starts_with("partNumber=2&") ? Refusal(403, "AccessDenied") : answer;
  };
  // Much more than is ever ahead: whoever writes waits, and has to hear of it.
  const Error error = WriteError(200 * kMiB);
  EXPECT_THAT(error.what(), HasSubstr("part 2 of s3://backups/f/site.tar"));
  EXPECT_THAT(error.hint(), HasSubstr("s3:PutObject"));
  // Parts whose sending was stopped may come after it.
  EXPECT_THAT(Lines(), Contains("DELETE " + kKey + "?uploadId=id"));
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(UploadTest, PartsOnTheirWayAreBounded) {
  change_ = [](const TestHttpRequest& request, TestHttpResponse answer) {
    if (request.method == "PUT") answer.fault = TestHttpFault::kHold;
    return answer;
  };
  const auto writer = Begin();
  std::atomic<size_t> written = 0;
  std::thread writing([&] {
    for (int i = 0; i < 200; ++i) {
      writer->Write(std::string(kMiB, 'x'));
      written += kMiB;
    }
    writer->Finish();
  });
  // A quarter of the run's 256 MiB is the window: eight parts of 8 MiB.
  while (Count("PUT") < 8) std::this_thread::yield();
  EXPECT_LE(written, 64 * kMiB);
  EXPECT_EQ(budget_.used(), 64 * kMiB);
  server_.Release();
  writing.join();
  EXPECT_EQ(Count("PUT"), 25u);
  EXPECT_EQ(budget_.peak(), 64 * kMiB);
}

TEST_F(UploadTest, AStopEndsItAndGivesItUp) {
  change_ = [](const TestHttpRequest& request, TestHttpResponse answer) {
    if (request.method == "PUT") answer.fault = TestHttpFault::kHold;
    return answer;
  };
  client();
  std::thread stopper([this] {
    server_.WaitUntilHeld();
    stop_.request_stop();
  });
  EXPECT_EQ(WriteError(200 * kMiB).kind(), ErrorKind::kCancelled);
  stopper.join();
  EXPECT_THAT(Lines(), Contains("DELETE " + kKey + "?uploadId=id"));
  EXPECT_THAT(warnings_.All(), IsEmpty());
  server_.Release();
}

TEST_F(UploadTest, WhatTheOperatorSetIsAskedForAtTheBeginning) {
  settings_.encryption.sse_s3 = true;
  settings_.storage_class = "STANDARD_IA";
  settings_.tags = "a=b";
  settings_.lock_mode = "GOVERNANCE";
  settings_.lock_days = 1;
  settings_.checksums = Checksums::kWhenSupported;
  change_ = [](const TestHttpRequest&, TestHttpResponse answer) {
    answer.headers.emplace_back("x-amz-server-side-encryption", "AES256");
    return answer;
  };
  Begin()->Finish();
  const TestHttpRequest begin = Requests().front();
  EXPECT_EQ(begin.query(), "uploads=");
  EXPECT_EQ(begin.Header("x-amz-server-side-encryption"), "AES256");
  EXPECT_EQ(begin.Header("x-amz-storage-class"), "STANDARD_IA");
  EXPECT_EQ(begin.Header("x-amz-tagging"), "a=b");
  EXPECT_EQ(begin.Header("x-amz-object-lock-mode"), "GOVERNANCE");
  EXPECT_EQ(begin.Header("x-amz-object-lock-retain-until-date"), "2026-11-27T12:00:00.000Z");
  EXPECT_EQ(begin.Header("x-amz-checksum-algorithm"), "SHA256");
  for (const TestHttpRequest& request : Requests()) {
    EXPECT_EQ(request.Header("x-amz-checksum-sha256").empty(), request.method != "PUT");
  }
}

TEST_F(UploadTest, AServiceThatIgnoresEncryptionGetsNoArchive) {
  settings_.encryption.sse_s3 = true;
  const Error error = WriteError();
  EXPECT_THAT(error.cause(), HasSubstr("does not say that it encrypts"));
  EXPECT_THAT(error.hint(), HasSubstr("S3_SSE"));
  EXPECT_THAT(Lines(), Contains(HasSubstr("DELETE")));
  EXPECT_THAT(Lines(), Not(Contains(testing::ContainsRegex("POST .*uploadId"))));
}

TEST_F(UploadTest, ARefusalOfTheBeginningNamesEveryRightThatItNeeds) {
  settings_.tags = "a=b";
  settings_.lock_mode = "GOVERNANCE";
  Answer([](const TestHttpRequest&) { return Refusal(403, "AccessDenied"); });
  const Error error = ErrorOf([this] { Begin(); });
  for (const char* const right :
       {"s3:PutObject ", "s3:PutObjectRetention", "s3:PutObjectTagging"}) {
    EXPECT_THAT(error.hint(), HasSubstr(right));
  }
}

}  // namespace
}  // namespace oxbackup::s3
