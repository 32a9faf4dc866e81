#include "files/swap_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/run_context_testing.h"
#include "base/temporary_folder_testing.h"
#include "files/tree.h"
#include "files/tree_testing.h"

namespace oxbackup::files {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

SwapRecord RecordWith(const std::string& entry) {
  SwapRecord record;
  record.intent = {"run", "archive", "2026-11-22T20:48:20Z", {"media"}, false};
  record.trees = {{"name", "/path"}};
  record.entries[entry] = 7;
  return record;
}

TEST(SwapRecord, ComesBackFromItsText) {
  const SwapRecord record = RecordWith("not utf-8 \xff");
  const SwapRecord parsed = ParseRecord(SerializeRecord(record));
  EXPECT_EQ(parsed.intent, record.intent);
  EXPECT_EQ(parsed.entries, record.entries);
}

TEST(SwapRecord, EntriesThatLeadElsewhereAreRefused) {
  for (const std::string& name : {std::string(), std::string("."), std::string(".."),
                                  std::string("d/x"), std::string("/x"), std::string("a\0b", 3)}) {
    EXPECT_THROW(ParseRecord(SerializeRecord(RecordWith(name))), Error) << name;
  }
}

// A tree in which somebody who may write there has planted a record.
class PlantedRecordTest : public testing::Test {
 protected:
  PlantedRecordTest() {
    WriteTestFile(tree_ / "file", "live");
    WriteTestFile(folder_.path() / "elsewhere" / "record.json",
                  SerializeRecord(RecordWith("file")));
    WriteTestFile(folder_.path() / "elsewhere" / "new" / "file", "planted");
  }

  std::unique_ptr<RestoreTarget> Target() {
    return MakeTreeTarget("media", "data/media", {{"", tree_}}, {}, test_.run);
  }

  void ExpectRefused(const std::function<void(RestoreTarget& target)>& call) {
    try {
      call(*Target());
      ADD_FAILURE() << "the planted folder should have been refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kSource);
      EXPECT_THAT(error.what(), HasSubstr(work_.string()));
      EXPECT_THAT(error.hint(), HasSubstr("remove"));
    }
    EXPECT_EQ(ReadTestFile(tree_ / "file"), "live");
  }

  void Load(RestoreTarget& target) {
    MemberListReader reader(MembersOf(folder_.path() / "elsewhere", "data/media"), nullptr);
    target.Load(reader);
  }

  TestRun test_;
  TemporaryFolder folder_;
  const fs::path tree_ = folder_.path() / "tree";
  const fs::path work_ = tree_ / ".openedx-backup";
};

TEST_F(PlantedRecordTest, AFolderThatOthersMayWriteIsRefused) {
  fs::rename(folder_.path() / "elsewhere", work_);
  fs::permissions(work_, fs::perms(0777));
  ExpectRefused([](RestoreTarget& target) { target.FindOpenSwap(); });
  ExpectRefused([](RestoreTarget& target) { target.UndoSwap(""); });
}

TEST_F(PlantedRecordTest, ARecordThatOthersMayWriteIsRefused) {
  fs::rename(folder_.path() / "elsewhere", work_);
  fs::permissions(work_, fs::perms(0700));
  fs::permissions(work_ / "record.json", fs::perms(0666));
  ExpectRefused([](RestoreTarget& target) { target.FindOpenSwap(); });
}

TEST_F(PlantedRecordTest, AFolderOfAnotherUserIsRefused) {
  if (::geteuid() != 0) return;  // nobody else can give files away
  fs::rename(folder_.path() / "elsewhere", work_);
  fs::permissions(work_, fs::perms(0700));
  ASSERT_EQ(::chown(work_.c_str(), 1234, 1234), 0);
  ExpectRefused([](RestoreTarget& target) { target.FindOpenSwap(); });
  fs::remove(work_ / "record.json");
  EXPECT_EQ(Target()->FindOpenSwap(), std::nullopt) << "without a record it is nobody's business";
}

TEST_F(PlantedRecordTest, ALinkIsNotFollowed) {
  fs::create_directory_symlink(folder_.path() / "elsewhere", work_);
  EXPECT_EQ(Target()->FindOpenSwap(), std::nullopt);
  ExpectRefused([&](RestoreTarget& target) { Load(target); });
  EXPECT_TRUE(fs::exists(folder_.path() / "elsewhere" / "new" / "file"));
}

}  // namespace
}  // namespace oxbackup::files
