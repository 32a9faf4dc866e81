#include "store/s3/leftover_uploads.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "http/url.h"
#include "store/s3/bucket_testing.h"

namespace oxbackup::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Unfinished {
  std::string name;
  std::string id;
  std::string begun;
  std::string initiator = "arn:aws:iam::1:user/backup";
};

// Ours, which has just been begun.
const Unfinished kOurs{"site.tar.xz", "ours", "2026-11-26T12:00:00Z"};

class LeftoverUploadsTest : public ServedBucketTest {
 protected:
  static std::string Listed(const std::vector<Unfinished>& uploads,
                            const TestHttpRequest& request) {
    std::string xml;
    for (const Unfinished& upload : uploads) {
      const std::string key = "f/" + upload.name;
      if (request.query().find("prefix=" + EncodeUrlPart(key)) == std::string::npos &&
          !request.query().ends_with("prefix=f%2F&uploads=")) {
        continue;
      }
      xml += "<Upload><Key>" + key + "</Key><UploadId>" + upload.id + "</UploadId><Initiator><ID>" +
             upload.initiator + "</ID></Initiator><Initiated>" + upload.begun +
             "</Initiated></Upload>";
    }
    return "<ListMultipartUploadsResult>" + xml + "</ListMultipartUploadsResult>";
  }

  // The server has these uploads, and gives up any that is asked for, or says why not.
  void HasOnly(const std::vector<Unfinished>& uploads,
               const TestHttpResponse& giving_up = {.status = 204}) {
    Answer([=](const TestHttpRequest& request) {
      if (request.method == "DELETE") return giving_up;
      return TestHttpResponse{.body = Listed(uploads, request)};
    });
  }
  // Besides ours, at the first look, the second and so on; the last one stays.
  void HasAtEachLook(const std::vector<std::vector<Unfinished>>& others) {
    const auto looks = std::make_shared<std::atomic<std::size_t>>(0);
    Answer([others, looks](const TestHttpRequest& request) {
      std::vector<Unfinished> uploads = others[std::min(looks->fetch_add(1), others.size() - 1)];
      uploads.push_back(kOurs);
      return TestHttpResponse{.body = Listed(uploads, request)};
    });
  }
  void Has(std::vector<Unfinished> uploads) {
    uploads.push_back(kOurs);
    HasOnly(uploads);
  }

  // What RemoveLeftovers gives up.
  std::vector<std::string> Removed() {
    RemoveLeftovers(bucket(), kOurs.name, kOurs.id);
    std::vector<std::string> removed;
    for (const TestHttpRequest& request : Requests()) {
      if (request.method == "DELETE") removed.push_back(request.target);
    }
    return removed;
  }
};

TEST_F(LeftoverUploadsTest, OldOnesOfTheSameAccountAreGivenUp) {
  Has({{"site.2026-11-24.tar.xz", "old", "2026-11-24T03:00:00Z"},
       {"b.tar.zst", "zst", "2026-11-25T11:59:59Z"},
       {"c.tar", "tar", "2026-11-01T00:00:00Z"}});
  EXPECT_THAT(Removed(),
              ElementsAre("/backups/f/site.2026-11-24.tar.xz?uploadId=old",
                          "/backups/f/b.tar.zst?uploadId=zst", "/backups/f/c.tar?uploadId=tar"));
  EXPECT_THAT(log_.Text(), HasSubstr("removed an upload of c.tar that was never finished"));
}

TEST_F(LeftoverUploadsTest, WhatIsYoungerThanADayMayBeGoingOn) {
  Has({{"a.tar", "young", "2026-11-25T12:00:01Z"}, {"b.tar", "later", "2026-11-26T13:00:00Z"}});
  EXPECT_THAT(Removed(), IsEmpty());
}

TEST_F(LeftoverUploadsTest, OthersAreLeftAlone) {
  const std::string old = "2026-11-01T00:00:00Z";
  Has({{"a.tar", "other account", old, "arn:aws:iam::1:user/other"},
       {"video.mp4", "no archive", old},
       {"deeper/a.tar", "in a folder", old},
       {"a.tar", "unknown", old, ""}});
  EXPECT_THAT(Removed(), IsEmpty());
}

// The last part of the id is the session's, another one in every pod.
TEST_F(LeftoverUploadsTest, SessionsOfOneRoleAreOneAccount) {
  const std::string role = "arn:aws:sts::1:assumed-role/";
  HasOnly({{kOurs.name, kOurs.id, kOurs.begun, role + "backup/pod-2"},
           {"a.tar", "mine", "2026-11-20T12:00:00Z", role + "backup/pod-1"},
           {"a.tar", "theirs", "2026-11-20T12:00:00Z", role + "backup-2/pod-1"}});
  EXPECT_THAT(Removed(), ElementsAre("/backups/f/a.tar?uploadId=mine"));
}

// As MinIO and versitygw do for their administrators.
TEST_F(LeftoverUploadsTest, WhereNoAccountsAreToldTheNameDecides) {
  HasOnly({{kOurs.name, kOurs.id, kOurs.begun, ""},
           {"a.tar", "old", "2026-11-01T00:00:00Z", ""},
           {"video.mp4", "no archive", "2026-11-01T00:00:00Z", ""}});
  EXPECT_THAT(Removed(), ElementsAre("/backups/f/a.tar?uploadId=old"));
}

TEST_F(LeftoverUploadsTest, WhatMayNotBeListedIsLeftAlone) {
  Answer([](const TestHttpRequest&) { return Refusal(403, "AccessDenied"); });
  EXPECT_THAT(Removed(), IsEmpty());
  EXPECT_THAT(log_.Text(), HasSubstr("cannot be listed"));
  EXPECT_TRUE(IsFirst(bucket(), kOurs.name, kOurs.id));
}

TEST_F(LeftoverUploadsTest, WhatCannotBeGivenUpIsNoFailure) {
  HasOnly({kOurs, {"a.tar", "old", "2026-11-01T00:00:00Z"}}, Refusal(403, "AccessDenied"));
  EXPECT_THAT(Removed(), ElementsAre("/backups/f/a.tar?uploadId=old"));
  EXPECT_THAT(log_.Text(), HasSubstr("a.tar could not be removed"));
}

TEST_F(LeftoverUploadsTest, FirstIsWhoBeganFirst) {
  Has({{"site.tar.xz", "before", "2026-11-26T11:59:00Z"}});
  EXPECT_FALSE(IsFirst(bucket(), kOurs.name, kOurs.id));
  HasAtEachLook({{{"site.tar.xz", "after", "2026-11-26T12:00:01Z"}}, {}});
  EXPECT_TRUE(IsFirst(bucket(), kOurs.name, kOurs.id));
}

// It looked before we began. On versitygw an upload is as old as its last part.
TEST_F(LeftoverUploadsTest, OneThatStaysThoughItSeemsLaterHasTheName) {
  Has({{"site.tar.xz", "after", "2026-11-26T12:01:00Z"}});
  EXPECT_FALSE(IsFirst(bucket(), kOurs.name, kOurs.id));
}

// It waits for us, as we wait for z: who yields to it would leave the name to nobody.
TEST_F(LeftoverUploadsTest, OneThatComesWhileWeWaitDoesNotCount) {
  const Unfinished z{"site.tar.xz", "z", kOurs.begun};
  const Unfinished a{"site.tar.xz", "a smaller id", kOurs.begun};
  HasAtEachLook({{z}, {z, a}, {a}});
  EXPECT_TRUE(IsFirst(bucket(), kOurs.name, kOurs.id));
}

TEST_F(LeftoverUploadsTest, OfTwoInOneSecondTheOneWithTheGreaterIdYieldsAtOnce) {
  Has({{"site.tar.xz", "a smaller id", kOurs.begun}});
  EXPECT_FALSE(IsFirst(bucket(), kOurs.name, kOurs.id));
  EXPECT_THAT(Requests(), testing::SizeIs(1));
}

TEST_F(LeftoverUploadsTest, WaitingForTheOtherToYieldEndsWithTheRun) {
  stop_.request_stop();
  EXPECT_EQ(ErrorOf([this] {
              Has({{"site.tar.xz", "z", kOurs.begun}});
              IsFirst(bucket(), kOurs.name, kOurs.id);
            }).kind(),
            ErrorKind::kCancelled);
}

TEST_F(LeftoverUploadsTest, TheDeadAndOtherNamesAreNotBeforeUs) {
  Has({{"site.tar.xz", "dead", "2026-11-25T11:59:00Z"},
       {"site.tar.xz.old", "longer", "2026-11-26T11:59:00Z"}});
  EXPECT_TRUE(IsFirst(bucket(), kOurs.name, kOurs.id));
}

}  // namespace
}  // namespace oxbackup::s3
