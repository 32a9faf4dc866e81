// The policy of docs/s3-policy.json: enough for all that the tool does, and no action too many.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/process_testing.h"
#include "base/temporary_folder_testing.h"
#include "http/fault_proxy_testing.h"
#include "store/s3/upload.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

using nlohmann::json;
using testing::ContainsRegex;

// The testbed's bucket with object lock, which has versions too.
const std::string kBucket = "locked";

using Actions = std::set<std::string>;

std::string Document(const std::string& name) {
  return ReadTestFile(OPENEDX_BACKUP_FIXTURES "/../../docs/" + name);
}

json Policy() { return json::parse(Document("s3-policy.json")); }

Actions ActionsOf(const json& policy) {
  Actions actions;
  for (const json& statement : policy["Statement"]) {
    for (const json& action : statement["Action"]) actions.insert(action.get<std::string>());
  }
  return actions;
}

// The policy for the test's bucket, without some actions.
std::string PolicyWithout(const Actions& actions) {
  json policy = Policy();
  json kept = json::array();
  for (json& statement : policy["Statement"]) {
    std::string resource = statement["Resource"];
    const std::string name = "backups";
    resource.replace(resource.find(name), name.size(), kBucket);
    statement["Resource"] = resource;
    auto& listed = statement["Action"].get_ref<json::array_t&>();
    std::erase_if(listed, [&](const json& action) { return actions.contains(action); });
    if (!listed.empty()) kept.push_back(statement);
  }
  policy["Statement"] = kept;
  return policy.dump();
}

class PolicyTest : public testing::Test {
 protected:
  PolicyTest() : administrator_(SettingsOf(TestServer::kMinio), kBucket, folder_) {
    hidden_ = administrator_.Put({"hidden"}, "hidden", true);
    kept_ = administrator_.Put({"kept"}, "kept", true);
  }

  // The place as a user sees it who may do all of the policy but `actions`.
  TestBucket UserWithout(const Actions& actions) {
    std::string& user = users_[actions];
    Settings settings = SettingsOf(TestServer::kMinio);
    if (user.empty()) {
      user = FreshFolder();
      MakeUser(settings, user, PolicyWithout(actions));
    }
    settings.credentials.access_key = user;
    settings.lock_mode = lock_mode_;
    settings.lock_days = 1;
    settings.tags = tags_;
    return {settings, kBucket, folder_};
  }

  // `use` works with the whole policy; without the action it is refused, and that action named.
  // `implied_by`: what MinIO takes for the action too, unlike AWS.
  void ExpectNeeded(const std::string& action, const std::function<void(const TestBucket&)>& use,
                    const Actions& implied_by = {}) {
    SCOPED_TRACE(action);
    EXPECT_NO_THROW(use(UserWithout({})));
    Actions missing = implied_by;
    missing.insert(action);
    try {
      use(UserWithout(missing));
      ADD_FAILURE() << "works without it";
    } catch (const Error& error) {
      EXPECT_THAT(error.cause(), ContainsRegex("Access ?Denied"));
      EXPECT_THAT(error.hint(), ContainsRegex("allow .*" + action + " on "));
    }
  }

  // `see` is true with the whole policy and false without the action.
  void ExpectSeen(const std::string& action, const std::function<bool(const TestBucket&)>& see) {
    SCOPED_TRACE(action);
    EXPECT_TRUE(see(UserWithout({})));
    EXPECT_FALSE(see(UserWithout({action})));
  }

  // Holds an object, as an operator would.
  void Hold(const ObjectId& id) {
    const std::string body = "<LegalHold><Status>ON</Status></LegalHold>";
    administrator_->client().Call({.method = "PUT",
                                   .key = folder_ + "/" + id.name,
                                   .parameters = {{"legal-hold", ""}, {"versionId", id.version}},
                                   .headers = {{"Content-MD5", Base64(Md5Raw(body))}},
                                   .body = body},
                                  {});
  }

  void MakeUser(const Settings& settings, const std::string& user, const std::string& policy) {
    const std::string file = (work_.path() / "policy.json").string();
    WriteTestFile(file, policy);
    const ProcessResult result =
        RunProcess({Variable("TESTBED_BIN") + "/s3-command", settings.endpoint, "user", user, file},
                   {.environment = {{"AWS_ACCESS_KEY_ID", settings.credentials.access_key},
                                    {"AWS_SECRET_ACCESS_KEY", settings.credentials.secret_key},
                                    {"S3_USER_SECRET_KEY", settings.credentials.secret_key}}});
    ASSERT_EQ(result.status, 0) << result.error;
  }

  const std::string folder_ = FreshFolder();
  const TemporaryFolder work_;
  const TestBucket administrator_;
  std::map<Actions, std::string> users_;  // by what they may not do
  ObjectId hidden_;                       // which users may hide or remove
  ObjectId kept_;
  std::string lock_mode_;
  std::string tags_;
};

void PutNew(const TestBucket& place) { place.Put({"new"}, "bytes", true); }

TEST_F(PolicyTest, ListsNeedTheirActions) {
  const auto versions = [](const TestBucket& place) { place->List(true); };
  ExpectNeeded("s3:ListBucket", [](const TestBucket& place) { place->List(false); });
  ExpectNeeded("s3:ListBucketVersions", versions, {"s3:ListBucket"});
  ExpectSeen("s3:GetBucketVersioning", [](const TestBucket& place) {
    return place->LookAtVersioning() == Versioning::kEnabled;
  });
  ExpectSeen("s3:ListBucketMultipartUploads",
             [](const TestBucket& place) { return place->Uploads("").has_value(); });
}

TEST_F(PolicyTest, ReadingNeedsItsActions) {
  const auto read = [](const TestBucket& place) { place.Get("kept"); };
  ExpectNeeded("s3:GetObject", read, {"s3:GetObjectVersion"});
}

TEST_F(PolicyTest, WritingNeedsItsActions) {
  ExpectNeeded("s3:PutObject", PutNew);
  ExpectSeen("s3:AbortMultipartUpload", [](const TestBucket& place) {
    BeginArchive(*place, {"given up"}, Versioning::kEnabled).reset();
    return place.run().warnings.All().empty();
  });
  lock_mode_ = "GOVERNANCE";
  ExpectNeeded("s3:PutObjectRetention", PutNew);
}

TEST_F(PolicyTest, PruningNeedsItsActions) {
  ExpectNeeded("s3:DeleteObject", [](const TestBucket& place) { place->Remove("hidden"); });
  const auto remove = [&](const TestBucket& place) { place->Remove(hidden_); };
  EXPECT_NO_THROW(remove(UserWithout({})));
  EXPECT_THROW(remove(UserWithout({"s3:DeleteObject", "s3:DeleteObjectVersion"})), Error);
}

TEST_F(PolicyTest, PruningSeesLocksByItsActions) {
  Hold(kept_);
  ExpectSeen("s3:GetObjectLegalHold",
             [&](const TestBucket& place) { return place->Head(kept_).value().lock.held; });
  lock_mode_ = "GOVERNANCE";
  const ObjectId locked = UserWithout({}).Put({"locked"}, "bytes", true);
  ExpectSeen("s3:GetObjectRetention", [&](const TestBucket& place) {
    return place->Head(locked).value().lock.until.has_value();
  });
}

TEST_F(PolicyTest, AllowsNothingInOtherBuckets) {
  const TestBucket other(UserWithout({})->client().settings(), "versioned", folder_);
  EXPECT_THROW(other->List(false), Error);
  EXPECT_THROW(PutNew(other), Error);
}

TEST_F(PolicyTest, OfAFolderAllowsAllInItAndNothingBesideIt) {
  Settings settings = SettingsOf(TestServer::kMinio);
  const std::string user = FreshFolder();
  std::string policy = Document("s3-policy-folder.json");
  EXPECT_EQ(ActionsOf(json::parse(policy)), ActionsOf(Policy()));
  policy = std::regex_replace(policy, std::regex("backups"), kBucket);
  policy = std::regex_replace(policy, std::regex("campus"), folder_);
  MakeUser(settings, user, policy);
  settings.credentials.access_key = user;

  const TestBucket place(settings, kBucket, folder_);
  EXPECT_EQ(place->LookAtVersioning(), Versioning::kEnabled);
  PutNew(place);
  EXPECT_EQ(place.Get(kept_), "kept");
  EXPECT_EQ(place->List(false).size(), 3u);
  EXPECT_EQ(place->List(true).size(), 3u);
  EXPECT_TRUE(place->Uploads("").has_value());
  place->Remove(hidden_);

  const std::string another = FreshFolder();
  const TestBucket site(SettingsOf(TestServer::kMinio), kBucket, another);
  const ObjectId theirs = site.Put({"theirs"}, "bytes", true);
  const TestBucket beside(settings, kBucket, another);
  EXPECT_THROW(beside->List(false), Error);
  EXPECT_THROW(beside->List(true), Error);
  EXPECT_THROW(beside.Get(theirs), Error);
  EXPECT_THROW(beside->Remove(theirs), Error);
  EXPECT_THROW(PutNew(beside), Error);
}

// What AWS asks of a request; MinIO asks less of some. Source: "Actions, resources, and condition
// keys for Amazon S3" of the Service Authorization Reference.
Actions ObjectActions(const ProxiedRequest& request) {
  const bool version = request.Has("versionId");
  if (request.method == "GET" || request.method == "HEAD") {
    return {version ? "s3:GetObjectVersion" : "s3:GetObject"};
  }
  if (request.method == "DELETE") {
    if (request.Has("uploadId")) return {"s3:AbortMultipartUpload"};
    return {version ? "s3:DeleteObjectVersion" : "s3:DeleteObject"};
  }
  Actions actions = {"s3:PutObject"};
  if (HeaderOf(request.head, "x-amz-tagging")) actions.insert("s3:PutObjectTagging");
  if (HeaderOf(request.head, "x-amz-object-lock-mode")) actions.insert("s3:PutObjectRetention");
  return actions;
}

Actions BucketActions(const ProxiedRequest& request) {
  if (request.Has("list-type")) return {"s3:ListBucket"};
  if (request.Has("versions")) return {"s3:ListBucketVersions"};
  if (request.Has("versioning")) return {"s3:GetBucketVersioning"};
  if (request.Has("uploads")) return {"s3:ListBucketMultipartUploads"};
  return {"none that is known: " + request.target};
}

TEST_F(PolicyTest, HoldsWhatAwsAsksOfEveryCallAndNoMore) {
  FaultProxy proxy(SettingsOf(TestServer::kMinio).endpoint);
  tags_ = "a=b";
  lock_mode_ = "GOVERNANCE";
  Settings settings = UserWithout({})->client().settings();
  settings.endpoint = proxy.url();
  const TestBucket place(settings, kBucket, folder_);
  EXPECT_EQ(place->LookAtVersioning(), Versioning::kEnabled);
  PutNew(place);
  BeginArchive(*place, {"given up"}, Versioning::kEnabled).reset();
  EXPECT_EQ(place.Get("kept"), "kept");
  EXPECT_EQ(place.Get(kept_), "kept");
  EXPECT_EQ(place->List(false).size(), 3u);
  EXPECT_EQ(place->List(true).size(), 3u);
  place->Remove(hidden_);
  place->Remove("kept");

  // Answers have these without a call of their own, for whom they are allowed to.
  Actions asked = {"s3:GetObjectRetention", "s3:GetObjectLegalHold"};
  for (const ProxiedRequest& request : proxy.Requests()) {
    const std::string path = request.target.substr(0, request.target.find('?'));
    const bool of_bucket = path == "/" + kBucket || path == "/" + kBucket + "/";
    asked.merge(of_bucket ? BucketActions(request) : ObjectActions(request));
  }
  EXPECT_EQ(asked, ActionsOf(Policy()));
}

}  // namespace
}  // namespace oxbackup::s3
