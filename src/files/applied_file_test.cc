// What a restore writes down about the trees that it has brought.
#include "files/applied_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "files/tree.h"
#include "files/tree_testing.h"
#include "files/tree_walk.h"

namespace oxbackup::files {
namespace {

namespace fs = std::filesystem;

class AppliedFileTest : public testing::Test {
 protected:
  AppliedFileTest() {
    for (const char* const tree : {"one", "two"}) {
      WriteTestFile(folder_.path() / "archived" / tree / "file", tree);
      WriteTestFile(live_ / tree / "file", "before");
    }
  }

  std::unique_ptr<RestoreTarget> Target(const std::vector<std::string>& names = {"one", "two"}) {
    std::vector<Tree> trees;
    for (const std::string& name : names) trees.push_back({name, live_ / name});
    return MakeTreeTarget("media", "data/media", trees, {}, test_.run);
  }

  // Restores those trees out of an archive that holds no others.
  void Restore(const std::vector<std::string>& held, const std::string& run_id,
               const std::string& applied, bool keep_old = false) {
    std::vector<Member> members;
    for (const std::string& name : held) {
      for (Member& member : MembersOf(folder_.path() / "archived" / name, "data/media/" + name)) {
        members.push_back(std::move(member));
      }
    }
    Restore(*Target(), std::move(members), run_id, applied, keep_old);
  }
  static void Restore(RestoreTarget& target, std::vector<Member> members, const std::string& run_id,
                      const std::string& applied, bool keep_old) {
    MemberListReader reader(std::move(members), nullptr);
    target.Plan(nullptr, RestoreRoom::kBeside);
    target.Load(reader);
    target.Verify(nullptr);
    SwapIntent intent;
    intent.run_id = run_id;
    intent.archive = "backup.tar.xz";
    intent.components = {std::string(target.name())};
    intent.applied = applied;
    intent.keep_old = keep_old;
    target.WriteIntent(intent);
    EXPECT_FALSE(target.Applied()) << "while a swap is open nothing is known";
    target.Swap();
    target.CloseSwap(keep_old);
  }
  std::string AppliedRun(const std::vector<std::string>& names = {"one", "two"}) {
    const std::optional<AppliedArchive> applied = Target(names)->Applied();
    return applied ? applied->run_id : "";
  }

  TestRun test_;
  TemporaryFolder folder_;
  const fs::path live_ = folder_.path() / "live";
};

TEST_F(AppliedFileTest, TellsOfTheTreesItLiesIn) {
  EXPECT_EQ(AppliedRun(), "");
  Restore({"one", "two"}, "first", "2026-11-26T01:00:00Z");
  EXPECT_EQ(AppliedRun(), "first");
  struct stat status {};
  ASSERT_EQ(::stat((live_ / "one" / kAppliedFile).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode, S_IFREG | 0600u);
}

TEST_F(AppliedFileTest, IsNoPartOfATree) {
  Restore({"one", "two"}, "first", "2026-11-26T01:00:00Z");
  EXPECT_FALSE(Fingerprint(live_ / "one").contains(kAppliedFile));
  EXPECT_TRUE(fs::exists(live_ / "one" / kAppliedFile));
}

TEST_F(AppliedFileTest, AFolderThatIsMadeByTheRestoreHasItToo) {
  fs::remove_all(live_ / "one");
  Restore({"one", "two"}, "first", "2026-11-26T01:00:00Z", /*keep_old=*/true);
  EXPECT_EQ(AppliedRun(), "first");
  EXPECT_EQ(Fingerprint(live_ / "one"), Fingerprint(folder_.path() / "archived" / "one"))
      << "its time is that of the archive";
  Target()->UndoSwap("");
  EXPECT_EQ(AppliedRun(), "");
  EXPECT_FALSE(fs::exists(live_ / "one"));
}

TEST_F(AppliedFileTest, OfAFileLiesBesideIt) {
  const fs::path config = live_ / "config.yml";
  WriteTestFile(config, "before");
  const auto target = [&] {
    return MakeTreeTarget("config", "data/tutor", {{"", config}}, {}, test_.run);
  };
  WriteTestFile(folder_.path() / "archived" / "config.yml", "archived");
  const auto restore = [&](const std::string& run_id, bool keep_old) {
    Restore(*target(), MembersOf(folder_.path() / "archived" / "config.yml", "data/tutor"), run_id,
            "2026-11-26T01:00:00Z", keep_old);
  };
  restore("first", false);
  ASSERT_TRUE(target()->Applied());
  EXPECT_TRUE(fs::exists(live_ / ".openedx-backup-applied-config.yml"));
  restore("second", true);
  EXPECT_EQ(target()->Applied()->run_id, "second");
  target()->UndoSwap("");
  EXPECT_EQ(target()->Applied()->run_id, "first");
  fs::remove(config);
  EXPECT_FALSE(target()->Applied());
}

TEST_F(AppliedFileTest, ATreeThatTheLastArchiveLackedDoesNotCount) {
  Restore({"one", "two"}, "first", "2026-11-26T01:00:00Z");
  Restore({"one"}, "second", "2026-11-26T02:00:00Z", /*keep_old=*/true);
  EXPECT_EQ(AppliedRun(), "second");
  Target()->UndoSwap("");
  EXPECT_EQ(AppliedRun(), "first");
}

TEST_F(AppliedFileTest, OtherTreesThanThoseOfTheRestoreAreNotKnown) {
  WriteTestFile(live_ / "three" / "file", "before");
  Restore({"one", "two"}, "first", "2026-11-26T01:00:00Z");
  EXPECT_EQ(AppliedRun({"one", "two", "three"}), "");
  EXPECT_EQ(AppliedRun({"one"}), "");
  EXPECT_EQ(AppliedRun({"one", "three"}), "");
}

TEST_F(AppliedFileTest, WhatWasRemovedByHandIsNotSaidToBeThere) {
  Restore({"one", "two"}, "first", "2026-11-26T01:00:00Z");
  fs::remove(live_ / "one" / "file");
  EXPECT_EQ(AppliedRun(), "");
}

// The site may write into the tree; what it writes under our name is not believed.
TEST_F(AppliedFileTest, OneThatOthersMayWriteIsNotBelieved) {
  Restore({"one", "two"}, "first", "2026-11-26T01:00:00Z");
  fs::permissions(live_ / "two" / kAppliedFile, fs::perms(0666));
  EXPECT_EQ(AppliedRun(), "");
  fs::permissions(live_ / "two" / kAppliedFile, fs::perms(0600));
  EXPECT_EQ(AppliedRun(), "first");
  WriteTestFile(live_ / "two" / kAppliedFile, "no record");
  EXPECT_EQ(AppliedRun(), "");
  fs::remove(live_ / "two" / kAppliedFile);
  fs::create_symlink(live_ / "one" / kAppliedFile, live_ / "two" / kAppliedFile);
  EXPECT_EQ(AppliedRun(), "");
}

// As any tool that knows nothing of it copies the whole folder.
TEST_F(AppliedFileTest, ThatOfAnotherSiteDoesNotComeInWithAForeignArchive) {
  Restore({"one", "two"}, "elsewhere", "2026-11-26T01:00:00Z");
  std::vector<Member> members = MembersOf(folder_.path() / "archived" / "one", "data/media/one");
  Member record = members.back();
  ASSERT_EQ(record.info.path, "data/media/one/file");
  record.info.path = std::string("data/media/one/") + kAppliedFile;
  members.push_back(std::move(record));
  Restore(*Target(), std::move(members), "here", "2026-11-26T02:00:00Z", false);
  EXPECT_EQ(AppliedRun(), "here");
  EXPECT_THAT(test_.warnings.All(), testing::SizeIs(1)) << "of the tree that the archive lacks";
}

TEST_F(AppliedFileTest, TheLastRestoreCountsWhereNoOtherHasATreeOfIts) {
  const auto tree = [](const std::string& name, const std::string& run, const std::string& applied,
                       std::vector<std::string> restored) {
    AppliedTree tree;
    tree.name = name;
    tree.archive.run_id = run;
    tree.archive.applied = applied;
    tree.restored = std::move(restored);
    tree.configured = {"a", "b"};
    return NamedAppliedTree{name, tree};
  };
  EXPECT_EQ(AppliedByAll({tree("a", "1", "T1", {"a", "b"}), tree("b", "2", "T2", {"b"})})->run_id,
            "2");
  EXPECT_FALSE(AppliedByAll({tree("a", "1", "T3", {"a", "b"}), tree("b", "2", "T2", {"b"})}))
      << "a clock went back";
  EXPECT_FALSE(AppliedByAll({tree("a", "1", "T1", {"a", "b"}), {"b", std::nullopt}}));
  EXPECT_FALSE(AppliedByAll({{"a", std::nullopt}, {"b", std::nullopt}}));
  NamedAppliedTree first = tree("a", "1", "T1", {"a", "b"});
  NamedAppliedTree second = tree("b", "1", "T1", {"a", "b"});
  EXPECT_TRUE(AppliedByAll({first, second}));
  std::swap(first.applied, second.applied);
  EXPECT_FALSE(AppliedByAll({first, second})) << "the folders have changed places";
}

}  // namespace
}  // namespace oxbackup::files
