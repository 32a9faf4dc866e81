#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "files/tree.h"
#include "files/tree_testing.h"
#include "files/tree_walk.h"

namespace oxbackup::files {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

// A folder "site/data" with old content, and members of another tree to be restored there.
class TreeTargetTest : public testing::Test {
 protected:
  TreeTargetTest() {
    MakeSampleTree(live_, 1);
    MakeSampleTree(folder_.path() / "source", 2);
    members_ = MembersOf(folder_.path() / "source", "data/caddy");
    manifest_.components.push_back(ManifestOf("caddy", "", folder_.path() / "source", test_.run));
    old_ = Fingerprint(live_);
    new_ = Fingerprint(folder_.path() / "source");
  }

  std::unique_ptr<RestoreTarget> Target(std::function<void(const std::string&)> before_step = {}) {
    return MakeTreeTarget("caddy", "data/caddy", {{"", live_}},
                          {.threads = 2, .before_step = std::move(before_step)}, test_.run);
  }

  // Of a restore into that tree alone.
  Error PlanError(const Tree& tree) {
    try {
      MakeTreeTarget("caddy", "data/caddy", {tree}, {}, test_.run)
          ->Plan(&manifest_, RestoreRoom::kBeside);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "the plan should have failed";
    return Error(ErrorKind::kInternal, "");
  }

  void LoadAndVerify(RestoreTarget& target, bool foreign = false) {
    MemberListReader reader(members_, foreign ? nullptr : &manifest_);
    target.Plan(reader.manifest(), RestoreRoom::kBeside);
    target.Load(reader);
    target.Verify(foreign ? nullptr : &manifest_.components[0]);
  }

  void Restore(RestoreTarget& target, bool keep_old) {
    LoadAndVerify(target);
    target.WriteIntent(Intent(keep_old));
    target.Swap();
    target.CloseSwap(keep_old);
  }

  static SwapIntent Intent(bool keep_old = false) {
    return {"run 1", "backup.tar.xz", "2026-11-22T20:48:20Z", {"caddy"}, keep_old};
  }

  // What lies beside the target.
  std::vector<std::string> Neighbours() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(live_.parent_path())) {
      const std::string name = entry.path().filename();
      if (!name.starts_with(kAppliedFile)) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  TestRun test_;
  TemporaryFolder folder_;
  const fs::path live_ = folder_.path() / "site" / "data";
  std::vector<Member> members_;
  Manifest manifest_;
  std::map<std::string, std::string> old_;
  std::map<std::string, std::string> new_;
};

TEST_F(TreeTargetTest, TheRestoredTreeEqualsTheArchivedOne) {
  const auto target = Target();
  EXPECT_EQ(target->FindOpenSwap(), std::nullopt);
  Restore(*target, false);
  EXPECT_EQ(Fingerprint(live_), new_);
  EXPECT_THAT(Neighbours(), testing::ElementsAre("data"));
  EXPECT_THAT(test_.warnings.All(), IsEmpty());
}

TEST_F(TreeTargetTest, NothingLiveChangesBeforeTheSwap) {
  const auto target = Target();
  LoadAndVerify(*target);
  target->WriteIntent(Intent());
  EXPECT_EQ(Fingerprint(live_), old_);
}

TEST_F(TreeTargetTest, AbandonLeavesNothingBehind) {
  const auto target = Target();
  LoadAndVerify(*target);
  target->Abandon();
  EXPECT_EQ(Fingerprint(live_), old_);
  EXPECT_THAT(Neighbours(), testing::ElementsAre("data"));
}

TEST_F(TreeTargetTest, AbandonAfterTheIntentLeavesNothingBehind) {
  const auto target = Target();
  LoadAndVerify(*target);
  target->WriteIntent(Intent());
  target->Abandon();
  EXPECT_EQ(Target()->FindOpenSwap(), std::nullopt);
  EXPECT_THAT(Neighbours(), testing::ElementsAre("data"));
}

TEST_F(TreeTargetTest, PlanSaysWhatIsReplacedAndChangesNothing) {
  const RestorePlan plan = Target()->Plan(&manifest_, RestoreRoom::kBeside);
  ASSERT_EQ(plan.replaced.size(), 1u);
  EXPECT_EQ(plan.replaced[0].what, live_.string());
  EXPECT_THAT(plan.replaced[0].now, HasSubstr("entries, 300 kB"));
  EXPECT_THAT(plan.replaced[0].after, HasSubstr("entries, 300 kB"));
  EXPECT_GT(plan.bytes_needed, 300'000u);
  EXPECT_TRUE(plan.bytes_free);
  EXPECT_THAT(Neighbours(), testing::ElementsAre("data"));
}

TEST_F(TreeTargetTest, RestoresWhereNothingIsYet) {
  fs::remove_all(live_);
  auto target = Target();
  EXPECT_EQ(target->Plan(&manifest_, RestoreRoom::kBeside).replaced[0].now, "nothing");
  Restore(*target, true);
  target.reset();
  EXPECT_EQ(Fingerprint(live_), new_);
  Target()->UndoSwap("");
  EXPECT_FALSE(fs::exists(live_));
}

// Containers that have the folder mounted keep the one that they have.
TEST_F(TreeTargetTest, AFolderThatExistsStaysAndGetsNewEntries) {
  const FileDescriptor held(::open(live_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Restore(*Target(), true);
  EXPECT_EQ(::faccessat(held.get(), "only in 2", F_OK, 0), 0);
  EXPECT_EQ(Fingerprint(fs::path("/proc/self/fd") / std::to_string(held.get())), new_);
  Target()->UndoSwap("");
  EXPECT_EQ(::faccessat(held.get(), "only in 1", F_OK, 0), 0);
  EXPECT_EQ(Fingerprint(live_), old_);
}

TEST_F(TreeTargetTest, AFolderThatStaysGetsTheAttributesOfTheArchivedOneAndBack) {
  (void)::setxattr(live_.c_str(), "user.old", "o", 1, 0);
  const fs::path source = folder_.path() / "source";
  (void)::setxattr(source.c_str(), "user.new", "n", 1, 0);
  members_ = MembersOf(source, "data/caddy");
  manifest_.components = {ManifestOf("caddy", "", source, test_.run)};
  const auto before = Fingerprint(live_);
  Restore(*Target(), true);
  EXPECT_EQ(Fingerprint(live_), Fingerprint(source));
  Target()->UndoSwap("");
  EXPECT_EQ(Fingerprint(live_), before);
}

TEST_F(TreeTargetTest, WhatIsLoadedInsideIsForNobodyElse) {
  const auto target = Target();
  LoadAndVerify(*target);
  EXPECT_EQ(fs::status(live_ / ".openedx-backup").permissions(), fs::perms(0700));
  EXPECT_EQ(Fingerprint(live_), old_);
  target->Abandon();
}

TEST_F(TreeTargetTest, AFolderThatHadJustBegunToExistIsRestoredInsideTheNextTime) {
  fs::remove_all(live_);
  Restore(*Target(), true);
  EXPECT_THAT(Neighbours(), testing::ElementsAre(".openedx-backup-data", "data"));
  WriteTestFile(live_ / "since", "x");
  const auto between = Fingerprint(live_);
  const FileDescriptor held(::open(live_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Restore(*Target(), true);
  EXPECT_EQ(Fingerprint(live_), new_);
  EXPECT_EQ(::faccessat(held.get(), "only in 2", F_OK, 0), 0);
  EXPECT_THAT(Neighbours(), testing::ElementsAre("data"));
  Target()->UndoSwap("");
  EXPECT_EQ(Fingerprint(live_), between);
}

TEST_F(TreeTargetTest, ARecordBesideAFolderIsFoundAndFinished) {
  struct Killed {};
  fs::remove_all(live_);
  auto target = Target([](const std::string& step) {
    if (step.starts_with("note the state")) throw Killed{};
  });
  LoadAndVerify(*target);
  target->WriteIntent(Intent());
  EXPECT_THROW(target->Swap(), Killed);
  EXPECT_TRUE(fs::exists(live_));
  target.reset();  // and its lock
  const auto next = Target();
  ASSERT_TRUE(next->FindOpenSwap());
  next->CompleteSwap();
  next->CloseSwap(false);
  EXPECT_EQ(Fingerprint(live_), new_);
  EXPECT_THAT(Neighbours(), testing::ElementsAre("data"));
}

TEST_F(TreeTargetTest, AnAbandonedLoadLeavesAnotherRestoreAlone) {
  const auto first = Target();
  LoadAndVerify(*first);
  const auto second = Target();
  MemberListReader reader(members_, &manifest_);
  EXPECT_THROW(second->Load(reader), Error);
  second->Abandon();
  first->WriteIntent(Intent());
  first->Swap();
  first->CloseSwap(false);
  EXPECT_EQ(Fingerprint(live_), new_);
}

TEST_F(TreeTargetTest, AMissingParentIsAUsageError) {
  const Error error = PlanError({"", folder_.path() / "no" / "such"});
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_FALSE(error.hint().empty());
}

TEST_F(TreeTargetTest, ALinkAtTheTargetIsFollowed) {
  fs::create_directory_symlink(live_, folder_.path() / "alias");
  const auto target =
      MakeTreeTarget("caddy", "data/caddy", {{"", folder_.path() / "alias"}}, {}, test_.run);
  Restore(*target, false);
  EXPECT_EQ(Fingerprint(live_), new_);
  EXPECT_TRUE(fs::is_symlink(folder_.path() / "alias"));
}

// What is restored there would fill the disk below the one that is missing.
TEST_F(TreeTargetTest, ALinkToADiskThatIsNotMountedIsAUsageError) {
  fs::create_directory_symlink(folder_.path() / "disk", folder_.path() / "alias");
  const Error error = PlanError({"", folder_.path() / "alias"});
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("is a link to"));
  EXPECT_THAT(error.hint(), HasSubstr("mount the disk"));
  EXPECT_TRUE(fs::is_symlink(folder_.path() / "alias"));
}

TEST_F(TreeTargetTest, KeptOldDataCanBeBroughtBack) {
  Restore(*Target(), true);
  EXPECT_EQ(Fingerprint(live_), new_);
  EXPECT_EQ(Target()->FindOpenSwap(), std::nullopt);
  Target()->UndoSwap("");
  EXPECT_EQ(Fingerprint(live_), old_);
  EXPECT_THAT(Neighbours(), testing::ElementsAre("data"));
}

TEST_F(TreeTargetTest, WithoutKeptDataThereIsNothingToUndo) {
  Restore(*Target(), false);
  try {
    Target()->UndoSwap("");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  }
  EXPECT_EQ(Fingerprint(live_), new_);
}

TEST_F(TreeTargetTest, ALoadThatFailsLeavesKeptOldDataAlone) {
  Restore(*Target(), true);
  const auto target = Target();
  LoadAndVerify(*target);
  target->Abandon();
  Target()->UndoSwap("");
  EXPECT_EQ(Fingerprint(live_), old_);
}

TEST_F(TreeTargetTest, ASecondRestoreReplacesTheKeptData) {
  Restore(*Target(), true);
  Restore(*Target(), true);
  Target()->UndoSwap("");
  EXPECT_EQ(Fingerprint(live_), new_);
}

TEST_F(TreeTargetTest, LeftoversOfABrokenLoadAreRemoved) {
  LoadAndVerify(*Target());
  Restore(*Target(), false);
  EXPECT_EQ(Fingerprint(live_), new_);
  EXPECT_THAT(Neighbours(), testing::ElementsAre("data"));
}

TEST_F(TreeTargetTest, TwoRestoresAtOnceAreRefused) {
  const auto first = Target();
  LoadAndVerify(*first);
  const auto second = Target();
  MemberListReader reader(members_, &manifest_);
  EXPECT_THROW(second->Load(reader), Error);
  first->Abandon();
}

TEST_F(TreeTargetTest, ContentThatDiffersFromTheManifestIsCorrupt) {
  for (Member& member : members_) {
    if (member.info.path == "data/caddy/large") member.content[5] = 'x';
  }
  try {
    LoadAndVerify(*Target());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  }
}

TEST_F(TreeTargetTest, AMissingMemberIsCorrupt) {
  std::erase_if(members_,
                [](const Member& member) { return member.info.path == "data/caddy/empty"; });
  EXPECT_THROW(LoadAndVerify(*Target()), Error);
}

TEST_F(TreeTargetTest, VerifySeesWhatHappenedOnDiskAfterLoad) {
  const auto target = Target();
  MemberListReader reader(members_, &manifest_);
  target->Load(reader);
  WriteTestFile(live_ / ".openedx-backup" / "new" / "large", "gone bad");
  EXPECT_THROW(target->Verify(&manifest_.components[0]), Error);
}

TEST_F(TreeTargetTest, AForeignArchiveRestoresWithoutAManifest) {
  const auto target = Target();
  LoadAndVerify(*target, true);
  target->WriteIntent(Intent());
  target->Swap();
  target->CloseSwap(false);
  EXPECT_EQ(Fingerprint(live_), new_);
}

TEST_F(TreeTargetTest, AForeignArchiveMayLackFoldersAndRepeatFiles) {
  std::erase_if(members_,
                [](const Member& member) { return member.info.type == MemberType::kDirectory; });
  Member again = members_.front();
  again.content = "the later one counts";
  again.info.size = again.content.size();
  const std::string path = again.info.path.substr(std::string("data/caddy/").size());
  members_.push_back(std::move(again));
  const auto target = Target();
  LoadAndVerify(*target, true);
  target->WriteIntent(Intent());
  target->Swap();
  target->CloseSwap(false);
  EXPECT_EQ(ReadTestFile(live_ / path), "the later one counts");
  EXPECT_EQ(ReadTestFile(live_ / "deep" / "third name"), ReadTestFile(live_ / "a.txt"));
}

TEST_F(TreeTargetTest, AnArchiveWithoutTheComponentChangesNothing) {
  MemberListReader reader({}, nullptr);
  const auto target = Target();
  try {
    target->Load(reader);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  }
  target->Abandon();
  EXPECT_EQ(Fingerprint(live_), old_);
}

TEST_F(TreeTargetTest, FoldersThatTheArchiveKnowsByOtherNamesAreToldOf) {
  const Error error = PlanError({"other", live_});
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.hint(), HasSubstr("--caddy "));
  EXPECT_EQ(Fingerprint(live_), old_);
}

TEST_F(TreeTargetTest, ASingleFileIsRestoredLikeATree) {
  const fs::path file = folder_.path() / "config.yml";
  WriteTestFile(file, "old: 1\n");
  WriteTestFile(folder_.path() / "other.yml", "new: 2\n");
  fs::permissions(folder_.path() / "other.yml", fs::perms(0600));
  Manifest manifest;
  manifest.components.push_back(ManifestOf("config", "", folder_.path() / "other.yml", test_.run));
  MemberListReader reader(MembersOf(folder_.path() / "other.yml", "data/tutor/config.yml"),
                          &manifest);
  const auto target =
      MakeTreeTarget("config", "data/tutor/config.yml", {{"", file}}, {}, test_.run);
  target->Plan(&manifest, RestoreRoom::kBeside);
  target->Load(reader);
  target->Verify(&manifest.components[0]);
  target->WriteIntent(Intent());
  target->Swap();
  target->CloseSwap(false);
  EXPECT_EQ(ReadTestFile(file), "new: 2\n");
  EXPECT_EQ(Fingerprint(file), Fingerprint(folder_.path() / "other.yml"));
}

TEST_F(TreeTargetTest, ComparesWithTheLiveTree) {
  const auto comparer = MakeTreeComparer("caddy", {{"", live_}}, test_.run);
  EXPECT_THAT(comparer->Compare(manifest_.components[0]), testing::SizeIs(1));
  Restore(*Target(), false);
  EXPECT_THAT(comparer->Compare(manifest_.components[0]), IsEmpty());
  fs::permissions(live_ / "a.txt", fs::perms(0640));
  EXPECT_THAT(comparer->Compare(manifest_.components[0]),
              testing::ElementsAre(HasSubstr("same contents")));
  WriteTestFile(live_ / "more", "");
  EXPECT_THAT(comparer->Compare(manifest_.components[0]),
              testing::ElementsAre(HasSubstr("entries")));
}

}  // namespace
}  // namespace oxbackup::files
