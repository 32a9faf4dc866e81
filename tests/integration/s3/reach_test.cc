// How a bucket is reached: addresses, regions, clocks, signatures; and what is said when it is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "http/fault_proxy_testing.h"
#include "store/s3/s3_store.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kName = "site.tar.xz";

// A run at a time of its own, with the store that the command would make.
class Reached {
 public:
  explicit Reached(const Settings& settings, std::chrono::minutes ahead = {},
                   const std::string& bucket = "plain")
      : clock_(std::chrono::system_clock::now() + ahead),
        run_{services_.stop.get_token(), services_.log,    services_.warnings,
             services_.progress,         services_.budget, clock_},
        store_(MakeS3Store(
            settings, bucket, FreshFolder(), [](const std::string&) { return std::nullopt; },
            run_)) {}

  Store* operator->() { return store_.get(); }
  std::vector<std::string> warnings() const { return services_.warnings.All(); }

  // Writes and reads a whole archive.
  void RoundTrip() {
    const std::string bytes = Pattern(size_t{9} << 20);
    const std::unique_ptr<ObjectWriter> writer = store_->Create({kName});
    writer->Write(bytes);
    writer->Finish();
    EXPECT_THAT(writer->Proof(), HasSubstr("equals ours"));
    const std::unique_ptr<RangedSource> source = store_->Open(kName);
    ASSERT_NE(source, nullptr);
    std::string read(source->Size(), '\0');
    source->ReadAt(0, read.data(), read.size());
    EXPECT_TRUE(read == bytes);
    EXPECT_EQ(store_->List().size(), 1u);
    EXPECT_TRUE(store_->Remove(kName));
    EXPECT_THAT(store_->List(), IsEmpty());
  }

 private:
  TestRun services_;
  FixedClock clock_;
  RunContext run_;
  std::unique_ptr<Store> store_;
};

class ReachTest : public testing::TestWithParam<TestPlace> {
 protected:
  // What each of the first calls of a command says.
  static void ExpectErrors(const Settings& settings, ErrorKind kind, const std::string& cause,
                           const std::string& hint, const std::string& bucket = "plain") {
    Reached place(settings, {}, bucket);
    const std::vector<std::function<void()>> calls = {
        [&] { place->Create({kName}); }, [&] { place->Open(kName); }, [&] { place->List(); },
        [&] { place->KeepsVersions(); }, [&] { place->ListVersions(); }};
    for (size_t i = 0; i < calls.size(); ++i) {
      SCOPED_TRACE(i);
      try {
        calls[i]();
        ADD_FAILURE() << "nothing was thrown";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind);
        EXPECT_FALSE(error.transient());
        EXPECT_THAT(error.tried(), IsEmpty());
        EXPECT_THAT(error.cause(), HasSubstr(cause));
        EXPECT_THAT(error.hint(), HasSubstr(hint));
      }
    }
  }

  const Settings settings_ = SettingsOf(GetParam().server);
};

INSTANTIATE_TEST_SUITE_P(Servers, ReachTest,
                         testing::Values(TestPlace{TestServer::kMinio, "plain"},
                                         TestPlace{TestServer::kVersityGw, "plain"}),
                         PlaceName);

TEST_P(ReachTest, ByVirtualHosts) {
  Settings settings = settings_;
  settings.addressing = Addressing::kVirtual;
  settings.endpoint = "http://" + Variable("TESTBED_S3_DOMAIN") +
                      settings_.endpoint.substr(settings_.endpoint.rfind(':'));
  Reached(settings).RoundTrip();
}

TEST_P(ReachTest, ByAnAddressOfVersion6) {
  const FaultProxy proxy(settings_.endpoint, Loopback::kIpv6);
  Settings settings = settings_;
  settings.endpoint = proxy.url();
  Reached(settings).RoundTrip();
  EXPECT_FALSE(proxy.Requests().empty());
}

TEST_P(ReachTest, WithoutASchemeByTheSettingOfTls) {
  Settings settings = settings_;
  settings.endpoint = settings_.endpoint.substr(std::string("http://").size());
  settings.use_ssl = false;
  Reached(settings).RoundTrip();
  settings.use_ssl = true;
  const TestBucket tls(settings, "plain", FreshFolder(), {.tries = 2});
  try {
    tls->List(false);
    ADD_FAILURE() << "TLS where none is spoken";
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(), HasSubstr("S3_USE_SSL=false"));
  }
}

TEST_P(ReachTest, FromAnotherRegion) {
  Settings settings = settings_;
  settings.credentials.region = "eu-west-3";
  Reached(settings).RoundTrip();
}

TEST_P(ReachTest, FromAMachineWhoseClockIsWrong) {
  for (const std::chrono::minutes ahead : {std::chrono::minutes(-90), std::chrono::minutes(90)}) {
    Reached place(settings_, ahead);
    place.RoundTrip();
    EXPECT_THAT(place.warnings(), ElementsAre(HasSubstr("this machine's clock")));
  }
}

TEST_P(ReachTest, AClockThatIsALittleWrongIsNoMatter) {
  Reached place(settings_, std::chrono::minutes(5));
  place.RoundTrip();
  EXPECT_THAT(place.warnings(), IsEmpty());
}

TEST_P(ReachTest, BySignaturesOfVersion2) {
  if (GetParam().server == TestServer::kVersityGw) {
    Settings settings = settings_;
    settings.signature = SignatureVersion::kV2;
    Reached place(settings);
    EXPECT_THROW(place->List(), Error) << "now it knows them: test it as MinIO";
    return;
  }
  Settings settings = settings_;
  settings.signature = SignatureVersion::kV2;
  Reached(settings).RoundTrip();
  Reached(settings, {}, "versioned")->ListVersions();
  const TestBucket place(settings, "versioned", FreshFolder());
  const ObjectId first = place.Put({kName}, "first", true);
  place.Put({kName}, "second", true);
  EXPECT_EQ(place.Get(first), "first");
  EXPECT_EQ(place->List(true).size(), 2u);
  EXPECT_EQ(place.Unfinished(kName), 0u);
}

TEST_P(ReachTest, AWrongSecretKeyIsToldByEveryCall) {
  Settings settings = settings_;
  settings.credentials.secret_key = "wrong-secret-key";
  ExpectErrors(settings, ErrorKind::kStore, "SignatureDoesNotMatch", "S3_SECRET_ACCESS_KEY");
}

TEST_P(ReachTest, AnUnknownAccessKeyIsToldByEveryCall) {
  Settings settings = settings_;
  settings.credentials.access_key = "nobody";
  const bool minio = GetParam().server == TestServer::kMinio;
  ExpectErrors(settings, ErrorKind::kStore, minio ? "InvalidAccessKeyId" : "XAdminUserNotFound",
               "S3_ACCESS_KEY");
}

TEST_P(ReachTest, AMissingBucketIsToldByEveryCall) {
  ExpectErrors(settings_, ErrorKind::kNotFound, "NoSuchBucket", "S3_BUCKET_NAME",
               "there-is-no-such-bucket");
}

}  // namespace
}  // namespace oxbackup::s3
