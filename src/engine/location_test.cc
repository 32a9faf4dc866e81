// What is in a place of archives, and which of them a command means.
#include "engine/location.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/archive_testing.h"
#include "base/error.h"
#include "base/run_context_testing.h"
#include "store/memory/memory_store.h"

namespace oxbackup {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A store with one object that may not be opened.
class OneLocked final : public Store {
 public:
  OneLocked(Store& store, std::string name) : store_(store), name_(std::move(name)) {}
  std::unique_ptr<ObjectWriter> Create(const std::vector<std::string>& names) override {
    return store_.Create(names);
  }
  std::unique_ptr<RangedSource> Open(const ObjectId& id) override {
    if (id.name == name_) throw Error(ErrorKind::kStore, "cannot open " + id.name);
    return store_.Open(id);
  }
  std::vector<ObjectInfo> List() override { return store_.List(); }
  std::optional<ObjectInfo> Stat(const ObjectId& id) override { return store_.Stat(id); }
  bool Remove(const ObjectId& id) override { return store_.Remove(id); }
  std::string Location() const override { return store_.Location(); }

 private:
  Store& store_;
  const std::string name_;
};

class LocationTest : public ::testing::Test {
 protected:
  // A small archive of ours that was finished so many days after the first of January 2026.
  std::string Archive(int day, const std::vector<std::string>& components = {}) {
    StringSink sink;
    ArchiveWriter writer(sink, {ParseCompression("xz:1"), 1}, test_.run);
    writer.Add(MakeGroup({MakeFile("data/caddy/x", "a key")}));
    Manifest manifest;
    manifest.tool_version = "test";
    for (const std::string& name : components) {
      manifest.components.emplace_back().name = name;
    }
    manifest.finished = *ParseRfc3339("2026-01-01T12:00:00Z") + std::chrono::hours(24 * day);
    writer.Finish(std::move(manifest));
    return sink.bytes();
  }
  static std::string NewerFormat(const std::string& archive) {
    return WithManifest(archive, [](Manifest& m) { m.format_version = kFormatVersion + 1; });
  }
  std::string Chosen(const ArchiveChoice& choice) {
    return ChooseArchive(store_, choice, test_.run).object.name;
  }
  // The error that choosing ends with.
  Error Refused(const ArchiveChoice& choice) {
    try {
      Chosen(choice);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "an archive was chosen";
    return Error(ErrorKind::kInternal, "none");
  }

  TestRun test_;
  MemoryStore store_{test_.clock};
};

TEST_F(LocationTest, ANameWithoutItsSuffixHasToFitOneArchiveAlone) {
  store_.Put("before.tar.xz", Archive(0));
  EXPECT_EQ(Chosen({.name = "before", .date = {}}), "before.tar.xz");
  store_.Put("before.tar.zst", Archive(1));
  const Error error = Refused({.name = "before", .date = {}});
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("before.tar.xz, before.tar.zst"));
  EXPECT_EQ(Chosen({.name = "before.tar.zst", .date = {}}), "before.tar.zst");
  EXPECT_EQ(Refused({.name = "after", .date = {}}).kind(), ErrorKind::kNotFound);
}

TEST_F(LocationTest, OnlyADateInANameIsTakenForItsDate) {
  store_.Put("backup.2026-11-22.tar.xz", Archive(0));
  store_.Put("backup.university.tar.xz", Archive(1));
  EXPECT_EQ(Chosen({.name = {}, .date = "2026-11-22"}), "backup.2026-11-22.tar.xz");
  EXPECT_EQ(Chosen({.name = {}, .date = "2026-01-02"}), "backup.university.tar.xz");
  EXPECT_EQ(Refused({.name = {}, .date = "university"}).kind(), ErrorKind::kNotFound);
}

TEST_F(LocationTest, ADamagedArchiveIsPassedOverWithAWarning) {
  store_.Put("old.tar.xz", Archive(0));
  store_.Put("new.tar.xz", Archive(1).substr(0, 500));
  EXPECT_EQ(Chosen({}), "old.tar.xz");
  EXPECT_THAT(test_.warnings.All(), ElementsAre(HasSubstr("new.tar.xz")));
  EXPECT_EQ(Refused({.name = "new", .date = {}}).kind(), ErrorKind::kCorrupt);
}

TEST_F(LocationTest, AnArchiveOfAPartIsPassedOverForTheNewestWholeOne) {
  store_.Put("oldest.tar.xz", Archive(0, {"caddy", "mysql"}));
  store_.Put("whole.tar.xz", Archive(1, {"caddy", "mysql"}));
  store_.Put("part.tar.xz", Archive(2, {"mysql"}));
  EXPECT_EQ(Chosen({.components = {"mysql", "caddy"}}), "whole.tar.xz");
  const ArchiveEntry whole = ChooseArchive(store_, {.components = {"mysql", "caddy"}}, test_.run);
  EXPECT_EQ(whole.passed_over, "part.tar.xz (without caddy)");
  store_.Put("part2.tar.xz", Archive(3, {"mysql"}));
  EXPECT_EQ(ChooseArchive(store_, {.components = {"mysql", "caddy"}}, test_.run).passed_over,
            "part2.tar.xz (without caddy) and 1 more");
  EXPECT_TRUE(store_.Remove("part2.tar.xz"));
  EXPECT_EQ(Chosen({}), "part.tar.xz");
  EXPECT_EQ(Chosen({.components = {"mysql"}}), "part.tar.xz");
  EXPECT_EQ(Chosen({.name = "part", .components = {"mysql", "caddy"}}), "part.tar.xz");
  EXPECT_EQ(Chosen({.date = "2026-01-03", .components = {"caddy"}}), "part.tar.xz");
  EXPECT_EQ(ChooseArchive(store_, {}, test_.run).passed_over, "");
  EXPECT_THAT(test_.warnings.All(), IsEmpty());
}

TEST_F(LocationTest, WhereNoArchiveHoldsAllTheNewestIsTakenWithoutAWord) {
  store_.Put("damaged.tar.xz", Archive(0, {"mysql"}).substr(0, 500));
  store_.Put("old.tar.xz", Archive(50'000, {"mysql"}));
  store_.Put("new.tar.xz", Archive(50'001, {"mysql"}));
  EXPECT_EQ(Chosen({.components = {"mysql", "config"}}), "new.tar.xz");
  EXPECT_THAT(test_.warnings.All(), IsEmpty());
}

TEST_F(LocationTest, AnArchiveThatCannotBeReadIsNotPassedOverForAnOlderOne) {
  store_.Put("old.tar.xz", Archive(0));
  store_.Put("new.tar.xz", NewerFormat(Archive(1)));
  const Error error = Refused({});
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("the archive has format 2"));
  EXPECT_THAT(error.contexts(), Contains(HasSubstr("choosing new.tar.xz, the newest that fits")));
  EXPECT_EQ(Refused({.name = "new", .date = {}}).kind(), ErrorKind::kUsage);
  EXPECT_EQ(Chosen({.name = "old", .date = {}}), "old.tar.xz");
}

TEST_F(LocationTest, AnArchiveThatCannotBeReadDoesNotMatterBesideANewerOne) {
  store_.Put("backup.2026-01-01.tar.xz", NewerFormat(Archive(0)));
  store_.Put("backup.2099-01-01.tar.xz", Archive(50'000));
  EXPECT_EQ(Chosen({}), "backup.2099-01-01.tar.xz");
}

TEST_F(LocationTest, ListingGoesOnBehindWhatCannotBeRead) {
  store_.Put("a.tar.xz", Archive(0));
  store_.Put("b.tar.xz", Archive(50'000));
  store_.SetFaults({.fail_read = true, .times = 1});
  const std::vector<ArchiveEntry> entries = ListArchives(store_, test_.run);
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].state, ArchiveState::kComplete);
  EXPECT_EQ(entries[1].state, ArchiveState::kUnreadable);
  EXPECT_EQ(entries[1].error->kind(), ErrorKind::kStore);
  EXPECT_EQ(entries[1].problem, "a.tar.xz: memory: cannot read (a fault that the test asked for)");
}

TEST_F(LocationTest, AFolderThatListsAndDoesNotOpenOneOfItsArchivesIsShownWhole) {
  OneLocked store(store_, "b.tar.xz");
  store_.Put("a.tar.xz", Archive(50'000));
  store_.Put("b.tar.xz", Archive(50'001));
  const std::vector<ArchiveEntry> entries = ListArchives(store, test_.run);
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[1].object.name, "b.tar.xz");
  EXPECT_EQ(entries[1].state, ArchiveState::kUnreadable);
}

TEST_F(LocationTest, AListHoldsNoMembers) {
  store_.Put("a.tar.xz", Archive(0));
  const std::vector<ArchiveEntry> entries = ListArchives(store_, test_.run);
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].manifest->tool_version, "test");
  EXPECT_THAT(entries[0].manifest->members, IsEmpty());
  EXPECT_THAT(entries[0].manifest->blocks, IsEmpty());
  EXPECT_EQ(entries[0].manifest->members.capacity(), 0);
  EXPECT_THAT(ReadWholeManifest(store_, entries[0])->members, SizeIs(2));
  store_.Remove("a.tar.xz");
  EXPECT_THROW(ReadWholeManifest(store_, entries[0]), Error);
}

TEST_F(LocationTest, NamesAreRefusedOnlyWhenAllOfThemAreTaken) {
  store_.Put("a.tar.xz", "");
  EXPECT_EQ(FirstFreeName(store_, {"a.tar.xz", "b.tar.xz", "c.tar.xz"}), "b.tar.xz");
  try {
    FirstFreeName(store_, {"a.tar.xz"});
    ADD_FAILURE() << "the name is taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("memory already has a.tar.xz"));
  }
}

}  // namespace
}  // namespace oxbackup
