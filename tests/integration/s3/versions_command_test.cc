// Versions and old archives in real buckets, through the built command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/process_testing.h"
#include "base/temporary_folder_testing.h"
#include "engine/prune.h"
#include "store/s3/s3_store.h"
#include "test_bucket.h"

namespace oxbackup::s3 {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::SizeIs;

class VersionsCommandTest : public testing::TestWithParam<TestPlace> {
 protected:
  VersionsCommandTest() : settings_(SettingsOf(GetParam().server)) { Write("first"); }

  void Write(const std::string& text) const { WriteTestFile(media_ / "file", text); }
  std::string Read() const { return ReadTestFile(media_ / "file"); }
  bool versioned() const { return GetParam().versioned(); }

  ProcessResult Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), OPENEDX_BACKUP_BINARY);
    if (arguments[1] == "backup" || arguments[1] == "restore") {
      arguments.insert(arguments.end(), {"--only", "media", "--media", "media=" + media_.string()});
    }
    return RunProcess(arguments,
                      {.environment = {{"S3_ENDPOINT_URL", settings_.endpoint},
                                       {"S3_ACCESS_KEY", settings_.credentials.access_key},
                                       {"S3_SECRET_ACCESS_KEY", settings_.credentials.secret_key},
                                       {"BACKUP_LOCATION", place_}}});
  }
  json RunJson(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const ProcessResult result = Run(std::move(arguments));
    EXPECT_EQ(result.status, 0) << result.error;
    return json::parse(result.out.substr(0, result.out.find('\n')));
  }
  void Backup(const std::string& content) const {
    Write(content);
    const ProcessResult result = Run({"backup"});
    EXPECT_EQ(result.status, 0) << result.error;
  }
  json Versions() const { return RunJson({"list", "--list-versions"}); }

  const TemporaryFolder work_;
  const std::filesystem::path media_ = work_.path() / "media";
  const std::string folder_ = FreshFolder();
  const std::string place_ = "s3://" + GetParam().bucket + "/" + folder_;
  const Settings settings_;
};

INSTANTIATE_TEST_SUITE_P(Servers, VersionsCommandTest, testing::ValuesIn(AllPlaces()), PlaceName);

TEST_P(VersionsCommandTest, BackupsOfADayAreVersionsOrHaveTheTimeInTheirNames) {
  for (const char* const content : {"first", "second", "third"}) Backup(content);
  const json list = Versions();
  EXPECT_EQ(list["keeps_versions"], versioned());
  EXPECT_EQ(list["total"], 3);
  std::set<std::string> names;
  std::set<std::string> ids;
  int current = 0;
  for (const json& version : list["versions"]) {
    EXPECT_EQ(version["state"], "complete");
    names.insert(version["name"]);
    if (versioned()) ids.insert(version["version"]);
    current += version["current"].get<bool>() ? 1 : 0;
  }
  EXPECT_THAT(names, SizeIs(versioned() ? 1 : 3));
  EXPECT_THAT(ids, SizeIs(versioned() ? 3 : 0));
  EXPECT_EQ(current, versioned() ? 1 : 3);
  EXPECT_THAT(RunJson({"list", "--list-versions=2"})["versions"], SizeIs(2));
}

TEST_P(VersionsCommandTest, AnEmptyPlaceHasNoVersions) {
  const json list = Versions();
  EXPECT_EQ(list["total"], 0);
  EXPECT_THAT(Run({"list", "--list-versions"}).out, HasSubstr("No archives in " + place_));
}

TEST_P(VersionsCommandTest, OneVersionIsRestoredAndNoOther) {
  Backup("first");
  Backup("second");
  Write("changed");
  if (!versioned()) {
    const ProcessResult refused = Run({"restore", "--yes", "--version", "v1"});
    EXPECT_EQ(refused.status, 4);
    EXPECT_THAT(refused.error, HasSubstr("keeps no versions"));
    EXPECT_EQ(Read(), "changed");
    return;
  }
  std::string old;
  const json list = Versions();
  for (const json& version : list["versions"]) {
    if (!version["current"].get<bool>()) old = version["version"];
  }
  const ProcessResult restored = Run({"restore", "--yes", "--version", old});
  EXPECT_EQ(restored.status, 0) << restored.error;
  EXPECT_EQ(Read(), "first");
  EXPECT_EQ(Run({"restore", "--yes"}).status, 0);
  EXPECT_EQ(Read(), "second");
  const ProcessResult verified = Run({"verify", "--version", old});
  EXPECT_EQ(verified.status, 0) << verified.error;
  const ProcessResult other = Run({"verify", "--version", old, "--name", "another"});
  EXPECT_EQ(other.status, 4);
  EXPECT_THAT(other.error, HasSubstr("'another' has no version"));
}

TEST_P(VersionsCommandTest, WhatIsDeletedIsRestoredByItsVersionAlone) {
  Backup("first");
  const json before = Versions()["versions"][0];
  TestBucket(settings_, GetParam().bucket, folder_)->Remove(before["name"].get<std::string>());
  Write("changed");
  EXPECT_EQ(Run({"restore", "--yes"}).status, 4);
  const json list = Versions();
  if (!versioned()) {
    EXPECT_EQ(list["total"], 0);
    return;
  }
  ASSERT_EQ(list["total"], 2);
  EXPECT_EQ(list["versions"][0]["state"], "delete_marker");
  EXPECT_EQ(list["versions"][0]["current"], true);
  EXPECT_EQ(list["versions"][1]["version"], before["version"]);
  EXPECT_EQ(list["versions"][1]["current"], false);
  const json pruned = RunJson({"prune", "--keep-last", "1", "--yes"});
  EXPECT_EQ(pruned["pruned"], false);
  EXPECT_THAT(pruned["kept"], SizeIs(1));
  EXPECT_EQ(Run({"restore", "--yes", "--version", before["version"]}).status, 0);
  EXPECT_EQ(Read(), "first");
}

TEST_P(VersionsCommandTest, PruneRemovesExactlyTheOldest) {
  for (const char* const content : {"first", "second", "third"}) Backup(content);
  const json dry = RunJson({"prune", "--keep-last", "2", "--dry-run"});
  EXPECT_EQ(dry["pruned"], false);
  EXPECT_EQ(Versions()["total"], 3);
  const json done = RunJson({"prune", "--keep-last", "2", "--yes"});
  EXPECT_EQ(done["pruned"], true);
  ASSERT_THAT(done["removed"], SizeIs(1));
  ASSERT_THAT(done["kept"], SizeIs(2));
  EXPECT_LT(done["removed"][0]["made"], done["kept"][1]["made"]);
  EXPECT_EQ(done["removed"], dry["removed"]);
  const json left = Versions();
  EXPECT_EQ(left["total"], 2);
  for (const json& version : left["versions"]) EXPECT_EQ(version["state"], "complete");
  Write("changed");
  EXPECT_EQ(Run({"restore", "--yes"}).status, 0);
  EXPECT_EQ(Read(), "third");
}

TEST_P(VersionsCommandTest, WhatIsPinnedOrReplacedSinceThePlanStays) {
  for (const char* const content : {"first", "second", "third", "fourth"}) Backup(content);
  TestRun test;
  const auto nothing = [](const std::string&) { return std::optional<std::string>(); };
  const auto store = MakeS3Store(settings_, GetParam().bucket, folder_, nothing, test.run);
  PrunePlan plan = PlanPrune(*store, {.rules = {.last = 1}}, test.run);
  ASSERT_EQ(plan.removed(), 3u);
  const TestBucket bucket(settings_, GetParam().bucket, folder_);
  const ObjectId oldest = plan.items[3].entry.object;
  const std::string second = plan.items[2].entry.object.name;
  bucket->Remove(oldest);
  if (!versioned()) bucket.Put({oldest.name}, "other bytes", false);
  bucket.Put({second + ".keep"}, "", versioned());
  // With versions all are of one name, which the pin is for.
  EXPECT_EQ(Prune(*store, plan, test.run), versioned() ? 0u : 1u);
  EXPECT_THAT(test.warnings.All(), SizeIs(2));
  EXPECT_EQ(Versions()["total"], 3);
}

TEST_P(VersionsCommandTest, AListOfAnArchiveThatIsNotThereSaysSo) {
  Backup("first");
  EXPECT_EQ(Run({"list", "--from", place_ + "/backup.2001-01-01.tar.xz"}).status, 4);
  const std::string name = Versions()["versions"][0]["name"];
  EXPECT_EQ(Run({"list", "--from", place_ + "/" + name}).status, 0);
}

}  // namespace
}  // namespace oxbackup::s3
