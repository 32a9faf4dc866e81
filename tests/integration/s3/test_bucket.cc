#include "test_bucket.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/error.h"
#include "store/s3/object_source.h"
#include "store/s3/upload.h"

namespace oxbackup::s3 {

class TestBucket::FixedKeys final : public CredentialSource {
 public:
  explicit FixedKeys(const CredentialSettings& settings) {
    keys_.access_key = settings.access_key;
    keys_.secret_key = settings.secret_key;
  }
  Credentials Get(const std::stop_token& /*stop*/) override { return keys_; }
  bool Renew(const Credentials& /*expired*/) override { return false; }

 private:
  Credentials keys_;
};

class TestBucket::NoWaiting final : public RetryWaiter {
 public:
  void Wait(std::chrono::milliseconds /*time*/, const std::stop_token& /*stop*/) override {}
};

namespace {

HttpOptions ImpatientOptions(const Settings& settings) {
  HttpOptions options;
  options.ca_file = settings.ca_file;
  options.use_proxy = false;
  options.stall_timeout = std::chrono::seconds(1);
  return options;
}

const char* NameOf(TestServer server) {
  return server == TestServer::kMinio ? "Minio" : "VersityGw";
}

}  // namespace

void PrintTo(const TestPlace& place, std::ostream* out) {
  *out << NameOf(place.server) << ' ' << place.bucket;
}

std::vector<TestPlace> AllPlaces() {
  return {{TestServer::kMinio, "plain"},
          {TestServer::kMinio, "versioned"},
          {TestServer::kVersityGw, "plain"},
          {TestServer::kVersityGw, "versioned"}};
}

std::string PlaceName(const testing::TestParamInfo<TestPlace>& info) {
  return std::string(NameOf(info.param.server)) + (info.param.versioned() ? "Versioned" : "Plain");
}

std::string Variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) {
    throw Error(ErrorKind::kUsage, name + " is not set")
        .Hint("put the servers up by testbed/testbed and export what `testbed/testbed env` prints");
  }
  return value;
}

Settings SettingsOf(TestServer server) {
  const std::string prefix =
      server == TestServer::kMinio ? "TESTBED_S3_MINIO_" : "TESTBED_S3_VERSITYGW_";
  Settings settings;
  settings.endpoint = Variable(prefix + "URL");
  settings.credentials.access_key = Variable(prefix + "ACCESS_KEY");
  settings.credentials.secret_key = Variable(prefix + "SECRET_KEY");
  return settings;
}

std::string FreshFolder() {
  static std::atomic<int> count{0};
  return fmt::format("test-{}-{}", std::chrono::system_clock::now().time_since_epoch().count(),
                     ++count);
}

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  uint64_t state = 1;
  for (char& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<char>(state >> 56);
  }
  return bytes;
}

TestBucket::TestBucket(const Settings& settings, const std::string& bucket,
                       const std::string& folder, const RetryPolicy& policy)
    : http_(MakeHttpClient(ImpatientOptions(settings))),
      keys_(std::make_unique<FixedKeys>(settings.credentials)),
      retrier_(policy, std::make_unique<NoWaiting>(), run_.log),
      client_(settings, bucket, "us-east-1", *http_, *keys_, retrier_, run_.run),
      bucket_(client_, folder + "/") {}

ObjectId TestBucket::Put(const std::vector<std::string>& names, std::string_view bytes,
                         bool versions) const {
  const std::unique_ptr<ObjectWriter> writer =
      BeginArchive(bucket_, names, versions ? Versioning::kEnabled : Versioning::kNone);
  writer->Write(bytes);
  writer->Finish();
  return writer->id();
}

std::string TestBucket::Get(const ObjectId& id) const {
  const std::unique_ptr<RangedSource> source = OpenObject(bucket_, id);
  if (source == nullptr) {
    ADD_FAILURE() << "there is no object " << id.name;
    return "";
  }
  constexpr uint64_t kPiece = uint64_t{3} << 20;
  std::string bytes(source->Size(), '\0');
  for (uint64_t offset = 0; offset < bytes.size(); offset += kPiece) {
    source->ReadAt(offset, bytes.data() + offset, std::min(kPiece, bytes.size() - offset));
  }
  return bytes;
}

std::vector<std::string> TestBucket::Names() const {
  std::vector<std::string> names;
  for (const ObjectInfo& object : bucket_.List(false)) names.push_back(object.name);
  return names;
}

size_t TestBucket::Unfinished(const std::string& name) const {
  const auto uploads = bucket_.Uploads(name);
  if (!uploads) throw Error(ErrorKind::kStore, "the server does not list unfinished uploads");
  return uploads->size();
}

}  // namespace oxbackup::s3
