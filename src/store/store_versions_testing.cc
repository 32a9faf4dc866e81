// The part of the conformance suite that is about versions. A store without them has one of each
// object.
#include "store/store_conformance_testing.h"

namespace oxbackup {

// Here, so that whoever links the rest of the suite links this part too.
std::vector<std::string> StoreConformance::NamesAndContents() {
  std::vector<std::string> all;
  for (const ObjectInfo& info : store_->ListVersions()) {
    all.push_back(info.name + (info.delete_marker ? " deleted" : " " + Get(info)));
  }
  return all;
}

namespace {

using Strings = std::vector<std::string>;

TEST_P(StoreConformance, TheIdOfAWriterIsTheObjectThatItWrote) {
  const std::unique_ptr<ObjectWriter> writer = store_->Create({"a"});
  writer->Write("first");
  writer->Finish();
  const ObjectId id = writer->id();
  EXPECT_EQ(id.version.empty(), !store_->KeepsVersions());
  if (store_->KeepsVersions()) Put({"a"}, "second");
  EXPECT_EQ(Get(id), "first");
  ASSERT_TRUE(store_->Stat(id));
  EXPECT_EQ(store_->Stat(id)->size, 5u);
}

TEST_P(StoreConformance, AVersionThatIsNotThereIsNotFound) {
  Put({"a"}, "1");
  ObjectId other("a");
  other.version = "none-of-this-id";
  EXPECT_EQ(store_->Open(other), nullptr);
  EXPECT_EQ(store_->Stat(other), std::nullopt);
  EXPECT_FALSE(store_->Remove(other));
  EXPECT_EQ(Get("a"), "1");
}

TEST_P(StoreConformance, ListsVersionsByNameNewestFirst) {
  EXPECT_TRUE(store_->ListVersions().empty());
  Put({"b"}, "1");
  Put({"a"}, "2");
  if (!store_->KeepsVersions()) {
    EXPECT_EQ(store_->ListVersions(), store_->List());
    return;
  }
  Put({"b"}, "3");
  EXPECT_EQ(NamesAndContents(), (Strings{"a 2", "b 3", "b 1"}));
  const std::vector<ObjectInfo> versions = store_->ListVersions();
  ASSERT_EQ(versions.size(), 3u);
  EXPECT_TRUE(versions[1].current);
  EXPECT_FALSE(versions[2].current);
  EXPECT_NE(versions[1].version, versions[2].version);
  EXPECT_GE(versions[1].modified, versions[2].modified);
  EXPECT_EQ(Names(), (Strings{"a", "b"}));
  EXPECT_EQ(Get("b"), "3");
}

TEST_P(StoreConformance, RemovingANameHidesItsVersionsOrRemovesTheObject) {
  Put({"a"}, "1");
  EXPECT_TRUE(store_->Remove("a"));
  EXPECT_EQ(Names(), Strings{});
  const Strings left = store_->KeepsVersions() ? Strings{"a deleted", "a 1"} : Strings{};
  EXPECT_EQ(NamesAndContents(), left);
  EXPECT_FALSE(store_->Remove("a"));
  EXPECT_EQ(NamesAndContents(), left);
  EXPECT_EQ(store_->Stat("a"), std::nullopt);
  for (const ObjectInfo& info : store_->ListVersions()) {
    EXPECT_EQ(info.current, info.delete_marker);
    EXPECT_EQ(store_->Open(info) == nullptr, info.delete_marker);
  }
}

TEST_P(StoreConformance, RemovingAVersionRemovesThatOneForEver) {
  if (!store_->KeepsVersions()) {
    Put({"a"}, "1");
    EXPECT_TRUE(store_->Remove(store_->List().front()));
    EXPECT_EQ(NamesAndContents(), Strings{});
    return;
  }
  for (const char* const content : {"1", "2", "3"}) Put({"a"}, content);
  EXPECT_TRUE(store_->Remove(store_->ListVersions()[1]));
  EXPECT_EQ(NamesAndContents(), (Strings{"a 3", "a 1"}));
  EXPECT_TRUE(store_->Remove(store_->ListVersions()[0]));
  EXPECT_EQ(NamesAndContents(), Strings{"a 1"});
  EXPECT_EQ(Get("a"), "1");
  EXPECT_TRUE(store_->Remove("a"));
  // Without its delete marker an object is there again.
  EXPECT_TRUE(store_->Remove(store_->ListVersions()[0]));
  EXPECT_EQ(Get("a"), "1");
  EXPECT_TRUE(store_->Remove(store_->ListVersions()[0]));
  EXPECT_EQ(NamesAndContents(), Strings{});
}

TEST_P(StoreConformance, NothingIsLockedUnlessSomebodyAskedForIt) {
  Put({"a"}, "1");
  const ObjectLock lock = store_->LockOf(store_->ListVersions().front());
  EXPECT_EQ(lock.until, std::nullopt);
  EXPECT_FALSE(lock.held);
}

}  // namespace
}  // namespace oxbackup
