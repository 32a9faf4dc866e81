// Uploads through a proxy that breaks them: they come out right, or leave nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "http/fault_proxy_testing.h"
#include "store/s3/upload.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Where = Fault::Where;

constexpr size_t kMiB = size_t{1} << 20;
const std::string kName = "backup.2026-11-22.tar.xz";

class UploadFaultTest : public testing::TestWithParam<TestPlace> {
 protected:
  UploadFaultTest() : proxy_(SettingsOf(GetParam().server).endpoint) {}

  // Where the test writes: by the proxy, or past it.
  std::unique_ptr<TestBucket> Place(bool by_proxy, const RetryPolicy& policy = {}) const {
    Settings settings = SettingsOf(GetParam().server);
    if (by_proxy) settings.endpoint = proxy_.url();
    return std::make_unique<TestBucket>(settings, GetParam().bucket, folder_, policy);
  }

  // One fault on the way, and the object is there as if there had been none.
  void ExpectRight(const FaultRule& rule, const Fault& fault) {
    proxy_.Heal();
    const int before = proxy_.injected();
    proxy_.Inject(rule, fault);
    const auto place = Place(true);
    const std::unique_ptr<ObjectWriter> writer =
        BeginArchive(**place, {kName}, GetParam().versioning());
    writer->Write(bytes_);
    writer->Finish();
    EXPECT_EQ(proxy_.injected(), before + 1) << "the fault was not met";
    EXPECT_EQ(writer->name(), kName);
    EXPECT_THAT(writer->Proof(), HasSubstr("equals ours"));
    const auto direct = Place(false);
    EXPECT_EQ(direct->Unfinished(kName), 0u);
    EXPECT_TRUE(direct->Get(writer->id()) == bytes_) << "other bytes";
    (*direct)->Remove(writer->id());
  }

  // The upload fails; what it says. Afterwards nothing is there.
  Error ExpectClean(const FaultRule& rule, const Fault& fault, const RetryPolicy& policy = {}) {
    proxy_.Heal();
    proxy_.Inject(rule, fault);
    const auto place = Place(true, policy);
    Error thrown(ErrorKind::kInternal, "nothing was thrown");
    try {
      place->Put({kName}, bytes_, GetParam().versioned());
    } catch (const Error& error) {
      thrown = error;
    }
    const auto direct = Place(false);
    EXPECT_THAT(direct->Names(), IsEmpty());
    EXPECT_EQ(direct->Unfinished(kName), 0u);
    return thrown;
  }

  const std::string folder_ = FreshFolder();
  const std::string bytes_ = Pattern(20 * kMiB);  // two parts of 8 MiB and one of 4
  FaultProxy proxy_;
};

INSTANTIATE_TEST_SUITE_P(Servers, UploadFaultTest, testing::ValuesIn(AllPlaces()), PlaceName);

class VersionedUploadFaultTest : public UploadFaultTest {};

INSTANTIATE_TEST_SUITE_P(Servers, VersionedUploadFaultTest,
                         testing::Values(TestPlace{TestServer::kMinio, "versioned"},
                                         TestPlace{TestServer::kVersityGw, "versioned"}),
                         PlaceName);

// libcurl takes some seconds to notice a stall, and which server is behind it is all one.
class StalledUploadTest : public UploadFaultTest {};

INSTANTIATE_TEST_SUITE_P(Servers, StalledUploadTest,
                         testing::Values(TestPlace{TestServer::kMinio, "plain"}), PlaceName);

FaultRule Part(int number) {
  return {.method = "PUT", .parameter = "partNumber=" + std::to_string(number)};
}
// The POST that has the upload's id completes it.
const FaultRule kBegin{.method = "POST", .parameter = "uploads"};
const FaultRule kComplete{.method = "POST", .parameter = "uploadId"};

TEST_P(UploadFaultTest, PartsSurviveConnectionsThatAreDropped) {
  ExpectRight(Part(1), Fault::Drop(Where::kBefore));
  ExpectRight(Part(2), Fault::Drop(Where::kRequest, 5 * kMiB));
  ExpectRight(Part(3), Fault::Drop(Where::kUnanswered));
  ExpectRight(Part(3), Fault::Drop(Where::kResponse));
}

TEST_P(UploadFaultTest, PartsSurviveResetsInTheMiddleOfPart3) {
  ExpectRight(Part(3), Fault::Reset(Where::kRequest, 2 * kMiB));
  ExpectRight(Part(3), Fault::Reset(Where::kUnanswered));
}

TEST_P(StalledUploadTest, IsRight) {
  ExpectRight(Part(2), Fault::Stall(Where::kRequest, kMiB));
  ExpectRight(Part(3), Fault::Stall(Where::kUnanswered));
  ExpectRight(kComplete, Fault::Stall(Where::kUnanswered));
}

TEST_P(UploadFaultTest, PartsSurviveDelays) {
  ExpectRight(Part(1), Fault::Delay(std::chrono::milliseconds(500)));
}

TEST_P(UploadFaultTest, PartsSurviveOverloadAndInternalErrors) {
  ExpectRight(Part(1), Fault::Answer(Where::kBefore, 503, S3ErrorBody("SlowDown")));
  ExpectRight(Part(2), Fault::Answer(Where::kBefore, 500, S3ErrorBody("InternalError")));
  ExpectRight(Part(3), Fault::Answer(Where::kUnanswered, 500, S3ErrorBody("InternalError")));
  ExpectRight(Part(3), Fault::Answer(Where::kBefore, 502, "<html>a proxy's own page</html>"));
}

TEST_P(UploadFaultTest, TheServerRefusesPartsThatWereDamagedOnTheWay) {
  ExpectRight(Part(1), Fault::Flip(Where::kRequest, 0));
  ExpectRight(Part(2), Fault::Flip(Where::kRequest, 7 * kMiB));
  ExpectRight(Part(3), Fault::Flip(Where::kRequest, 4 * kMiB - 1));
}

TEST_P(UploadFaultTest, TheEndSurvivesWhateverHappensToIt) {
  for (const Where where : {Where::kBefore, Where::kRequest, Where::kUnanswered}) {
    ExpectRight(kComplete, Fault::Drop(where));
    ExpectRight(kComplete, Fault::Reset(where));
  }
  ExpectRight(kComplete, Fault::Drop(Where::kResponse, 20));
  ExpectRight(kComplete, Fault::Answer(Where::kBefore, 503, S3ErrorBody("SlowDown")));
  ExpectRight(kComplete, Fault::Answer(Where::kUnanswered, 500, S3ErrorBody("InternalError")));
}

TEST_P(UploadFaultTest, AnErrorBehindA200IsNoSuccess) {
  ExpectRight(kComplete, Fault::Answer(Where::kBefore, 200, S3ErrorBody("InternalError")));
  ExpectRight(kComplete, Fault::Answer(Where::kUnanswered, 200, S3ErrorBody("InternalError")));
}

TEST_P(UploadFaultTest, AnAnswerToTheEndThatCannotBeReadIsNoFailure) {
  ExpectRight(kComplete, Fault::Shorten(60));
  ExpectRight(kComplete, Fault::Shorten(0));
  ExpectRight(kComplete, Fault::Answer(Where::kUnanswered, 200, "<html>a proxy's own page</html>"));
}

TEST_P(UploadFaultTest, LooksAtObjectsSurviveFaults) {
  ExpectRight({.method = "HEAD"}, Fault::Drop(Where::kUnanswered));
  ExpectRight({.method = "HEAD"}, Fault::Answer(Where::kBefore, 503, ""));
}

TEST_P(UploadFaultTest, BeginningSurvivesFaultsBeforeTheServer) {
  ExpectRight(kBegin, Fault::Drop(Where::kBefore));
  ExpectRight(kBegin, Fault::Answer(Where::kBefore, 500, S3ErrorBody("InternalError")));
}

// Nobody knows the id of an upload whose beginning was not answered: it stays until the next day's
// run removes it, and the archive is right.
TEST_P(UploadFaultTest, AnUnansweredBeginningLeavesNoMoreThanAnEmptyUpload) {
  proxy_.Inject(kBegin, Fault::Drop(Where::kUnanswered));
  const ObjectId id = Place(true)->Put({kName}, bytes_, GetParam().versioned());
  const auto direct = Place(false);
  EXPECT_TRUE(direct->Get(id) == bytes_);
  EXPECT_THAT(direct->Names(), ElementsAre(kName));
  EXPECT_EQ(direct->Unfinished(kName), 1u);
}

TEST_P(UploadFaultTest, WhatNeverWorksIsGivenUpAndLeavesNothing) {
  FaultRule rule = Part(2);
  rule.times = 0;
  const Error error =
      ExpectClean(rule, Fault::Answer(Where::kBefore, 503, S3ErrorBody("SlowDown")), {.tries = 4});
  EXPECT_EQ(error.kind(), ErrorKind::kStore);
  EXPECT_THAT(error.what(), HasSubstr("part 2 of s3://"));
  EXPECT_THAT(error.cause(), HasSubstr("SlowDown"));
  EXPECT_THAT(error.tried(), HasSubstr("4 times"));
  EXPECT_EQ(proxy_.injected(), 4);
}

TEST_P(UploadFaultTest, RefusalsAreFinalAndLeaveNothing) {
  FaultRule rule = Part(1);
  rule.times = 0;
  const Error error =
      ExpectClean(rule, Fault::Answer(Where::kBefore, 403, S3ErrorBody("AccessDenied")));
  EXPECT_THAT(error.hint(), HasSubstr("s3:PutObject"));
  EXPECT_EQ(proxy_.injected(), 1) << "tried again in vain";
}

TEST_P(UploadFaultTest, AnEndThatNeverSucceedsLeavesNothing) {
  FaultRule rule = kComplete;
  rule.times = 0;
  const Error error = ExpectClean(
      rule, Fault::Answer(Where::kBefore, 200, S3ErrorBody("InternalError")), {.tries = 3});
  EXPECT_THAT(error.cause(), HasSubstr("InternalError"));
}

TEST_P(UploadFaultTest, AnUploadThatSomebodyGaveUpIsNotCalledComplete) {
  FaultRule rule = kComplete;
  const auto direct = Place(false);
  rule.when = [&](const ProxiedRequest&) {
    const auto uploads = (*direct)->Uploads(kName);
    EXPECT_FALSE((*direct)->AbortUpload(kName, uploads.value().at(0).id));
    return false;
  };
  const Error error = ExpectClean(rule, Fault::Drop(Where::kBefore));
  EXPECT_THAT(error.what(), HasSubstr("was not completed"));
}

TEST_P(UploadFaultTest, PartsThatAreAlwaysDamagedLeaveNothing) {
  FaultRule rule = Part(3);
  rule.times = 0;
  const Error error = ExpectClean(rule, Fault::Flip(Where::kRequest, kMiB), {.tries = 3});
  EXPECT_EQ(error.kind(), ErrorKind::kStore);
  EXPECT_EQ(proxy_.injected(), 3);
}

TEST_P(UploadFaultTest, AnEndThatIsNeverAnsweredIsNotSaidToHaveFailed) {
  FaultRule rule = kComplete;
  rule.times = 0;
  proxy_.Inject(rule, Fault::Drop(Where::kUnanswered));
  try {
    Place(true, {.tries = 1})->Put({kName}, bytes_, GetParam().versioned());
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.outcome(), HasSubstr("is not known"));
  }
  EXPECT_THAT(Place(false)->Names(), ElementsAre(kName));
}

// The server is gone from the middle on: even giving up fails, and that is said.
TEST_P(UploadFaultTest, NothingIsVisibleWhenTheServerGoesAway) {
  const auto place = Place(true, {.tries = 2});
  {
    const std::unique_ptr<ObjectWriter> writer =
        BeginArchive(**place, {kName}, GetParam().versioning());
    writer->Write(bytes_);
    proxy_.Inject({.times = 0}, Fault::Reset(Where::kBefore));
    EXPECT_THROW(writer->Finish(), Error);
  }
  EXPECT_THAT(place->run().warnings.All(), ElementsAre(HasSubstr("could not be given up")));
  const auto direct = Place(false);
  EXPECT_THAT(direct->Names(), IsEmpty());
  EXPECT_EQ(direct->Unfinished(kName), 1u);
}

TEST_P(UploadFaultTest, AnObjectThatAppearsMeanwhileIsNeverReplacedNorRemoved) {
  const auto place = Place(true);
  const std::unique_ptr<ObjectWriter> writer =
      BeginArchive(**place, {kName}, GetParam().versioning());
  writer->Write(bytes_);
  // Another one, whole, between the last look and the end.
  const auto direct = Place(false);
  ObjectId other;
  proxy_.Inject({.method = "POST",
                 .parameter = "uploadId",
                 .when =
                     [&](const ProxiedRequest&) {
                       other = direct->Put({kName}, "the other", GetParam().versioned());
                       return false;
                     }},
                Fault::Drop(Where::kBefore));
  if (GetParam().versioned()) {
    writer->Finish();
    EXPECT_TRUE(direct->Get(writer->id()) == bytes_);
    EXPECT_THAT((*direct)->List(true), SizeIs(2));
  } else {
    EXPECT_THROW(writer->Finish(), Error);
  }
  EXPECT_EQ(direct->Get(other), "the other");
}

// Between our end and our look at it another backup of the day ends.
TEST_P(VersionedUploadFaultTest, AVersionThatFollowsAtOnceIsNotTakenForOurs) {
  const auto place = Place(true);
  const std::unique_ptr<ObjectWriter> writer = BeginArchive(**place, {kName}, Versioning::kEnabled);
  writer->Write(bytes_);
  const auto direct = Place(false);
  ObjectId other;
  proxy_.Inject({.method = "HEAD",
                 .when =
                     [&](const ProxiedRequest&) {
                       if (other.name.empty()) other = direct->Put({kName}, "the other", true);
                       return false;
                     }},
                Fault::Drop(Where::kBefore));
  writer->Finish();
  EXPECT_NE(writer->id().version, other.version);
  EXPECT_TRUE(direct->Get(writer->id()) == bytes_);
  EXPECT_EQ(direct->Get(other), "the other");
}

}  // namespace
}  // namespace oxbackup::s3
