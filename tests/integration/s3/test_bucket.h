// Buckets on the testbed's S3 servers, reached without the waiting that real runs do between tries.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/run_context_testing.h"
#include "http/http_client.h"
#include "http/retrier.h"
#include "store/s3/bucket.h"
#include "store/s3/client.h"
#include "store/s3/settings.h"

namespace oxbackup::s3 {

enum class TestServer { kMinio, kVersityGw };

/// Parameter of tests that run on each server, in buckets with and without versions.
struct TestPlace {
  TestServer server = TestServer::kMinio;
  std::string bucket;  ///< "plain" or "versioned"

  bool versioned() const { return bucket == "versioned"; }
  Versioning versioning() const { return versioned() ? Versioning::kEnabled : Versioning::kNone; }
  friend void PrintTo(const TestPlace& place, std::ostream* out);
};
std::vector<TestPlace> AllPlaces();
/// "MinioPlain", as the tests' names end.
std::string PlaceName(const testing::TestParamInfo<TestPlace>& info);

/// A variable of `testbed/testbed env`. Throws, which fails the test, when it is not set.
std::string Variable(const std::string& name);
/// How to reach a server of the testbed as its administrator.
Settings SettingsOf(TestServer server);
/// A folder's name that no other test has had on a server that is kept up.
std::string FreshFolder();
/// Bytes that repeat nowhere, the same for the same size.
std::string Pattern(size_t size);

/// A bucket's folder and all that it needs. Requests that stall for a second are given up, and what
/// is tried again is so at once.
class TestBucket {
 public:
  /// `folder`: without '/' at its end.
  TestBucket(const Settings& settings, const std::string& bucket, const std::string& folder,
             const RetryPolicy& policy = {});

  const Bucket& operator*() const { return bucket_; }
  const Bucket* operator->() const { return &bucket_; }
  const TestRun& run() const { return run_; }

  /// Writes an object under the first free of `names`; its id.
  ObjectId Put(const std::vector<std::string>& names, std::string_view bytes, bool versions) const;
  /// The whole of an object, read in pieces; the test fails when there is none.
  std::string Get(const ObjectId& id) const;
  std::vector<std::string> Names() const;
  /// How many uploads of `name` are not complete.
  size_t Unfinished(const std::string& name) const;

 private:
  class FixedKeys;
  class NoWaiting;

  TestRun run_;
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<CredentialSource> keys_;
  Retrier retrier_;
  Client client_;
  Bucket bucket_;
};

}  // namespace oxbackup::s3
