#include "store/store_conformance_testing.h"

#include <atomic>
#include <barrier>
#include <thread>
#include <utility>

#include "base/error.h"

namespace oxbackup {

StoreFactory::StoreFactory(std::function<std::shared_ptr<Store>()> make) : make_(std::move(make)) {}

std::string StoreConformance::Put(const std::vector<std::string>& names, std::string_view bytes) {
  const std::unique_ptr<ObjectWriter> writer = store_->Create(names);
  writer->Write(bytes);
  writer->Finish();
  return writer->name();
}

std::string StoreConformance::Get(const ObjectId& id) {
  const std::unique_ptr<RangedSource> source = store_->Open(id);
  if (source == nullptr) {
    ADD_FAILURE() << "there is no object " << id.name << " " << id.version;
    return "";
  }
  std::string bytes(source->Size(), '\0');
  source->ReadAt(0, bytes.data(), bytes.size());
  return bytes;
}

std::vector<std::string> StoreConformance::Names() {
  std::vector<std::string> names;
  for (const ObjectInfo& info : store_->List()) names.push_back(info.name);
  return names;
}

namespace {

using Strings = std::vector<std::string>;

// Bytes that differ from place to place, so that a read from a wrong place is seen.
std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  uint64_t state = 1;
  for (char& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<char>(state >> 56);
  }
  return bytes;
}

TEST_P(StoreConformance, IsEmptyAtFirst) {
  EXPECT_EQ(Names(), Strings{});
  EXPECT_EQ(store_->Open("a"), nullptr);
  EXPECT_EQ(store_->Stat("a"), std::nullopt);
  EXPECT_FALSE(store_->Remove("a"));
  EXPECT_FALSE(store_->Location().empty());
}

TEST_P(StoreConformance, ShowsAnObjectOnlyAfterFinish) {
  const std::unique_ptr<ObjectWriter> writer = store_->Create({"a.tar"});
  EXPECT_EQ(Names(), Strings{});
  writer->Write("hello ");
  writer->Write("");
  writer->Write("world");
  EXPECT_EQ(Names(), Strings{});
  EXPECT_EQ(store_->Open("a.tar"), nullptr);
  EXPECT_EQ(store_->Stat("a.tar"), std::nullopt);
  writer->Finish();
  EXPECT_EQ(writer->name(), "a.tar");
  EXPECT_EQ(Names(), Strings{"a.tar"});
  EXPECT_EQ(Get("a.tar"), "hello world");
}

TEST_P(StoreConformance, AnUnfinishedWriterLeavesNothing) {
  {
    const std::unique_ptr<ObjectWriter> writer = store_->Create({"a"});
    writer->Write(Pattern(100'000));
  }
  EXPECT_EQ(Names(), Strings{});
  EXPECT_EQ(store_->Open("a"), nullptr);
  EXPECT_EQ(Put({"a"}, "later"), "a");
}

TEST_P(StoreConformance, KeepsAnEmptyObject) {
  const std::unique_ptr<ObjectWriter> writer = store_->Create({"empty"});
  writer->Finish();
  EXPECT_EQ(Get("empty"), "");
  ASSERT_TRUE(store_->Stat("empty"));
  EXPECT_EQ(store_->Stat("empty")->size, 0u);
}

TEST_P(StoreConformance, KeepsABigObject) {
  const std::string block = Pattern(size_t{3} << 20);
  const std::unique_ptr<ObjectWriter> writer = store_->Create({"big"});
  constexpr int kBlocks = 7;
  for (int i = 0; i < kBlocks; ++i) writer->Write(block);
  writer->Finish();
  const std::unique_ptr<RangedSource> source = store_->Open("big");
  ASSERT_NE(source, nullptr);
  ASSERT_EQ(source->Size(), kBlocks * block.size());
  std::string read(block.size(), '\0');
  for (size_t i = 0; i < kBlocks; ++i) {
    source->ReadAt(i * block.size(), read.data(), read.size());
    EXPECT_TRUE(read == block) << "block " << i;
  }
}

TEST_P(StoreConformance, TakesTheFirstFreeName) {
  const bool versions = store_->KeepsVersions();
  EXPECT_EQ(Put({"a", "b", "c"}, "1"), "a");
  EXPECT_EQ(Put({"a", "b", "c"}, "2"), versions ? "a" : "b");
  EXPECT_EQ(Put({"a", "b", "c"}, "3"), versions ? "a" : "c");
  const Strings kept = versions ? Strings{"a 3", "a 2", "a 1"} : Strings{"a 1", "b 2", "c 3"};
  EXPECT_EQ(NamesAndContents(), kept);
}

TEST_P(StoreConformance, NeverReplacesAnObject) {
  Put({"a"}, "first");
  const std::unique_ptr<ObjectWriter> writer = store_->Create({"a"});
  writer->Write("second");
  if (store_->KeepsVersions()) {
    writer->Finish();
    EXPECT_EQ(NamesAndContents(), (Strings{"a second", "a first"}));
    return;
  }
  try {
    writer->Finish();
    FAIL() << "an object was replaced";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kStore);
    EXPECT_FALSE(error.hint().empty());
  }
  EXPECT_EQ(Get("a"), "first");
  EXPECT_EQ(Names(), Strings{"a"});
}

TEST_P(StoreConformance, ANameTakenWhileWritingIsNotReplaced) {
  const std::unique_ptr<ObjectWriter> slow = store_->Create({"a", "a2"});
  slow->Write("slow");
  const std::string quick = Put({"a", "a2"}, "quick");
  slow->Finish();
  if (store_->KeepsVersions()) {
    EXPECT_EQ(NamesAndContents(), (Strings{"a slow", "a quick"}));
    return;
  }
  // In a bucket the one that began first has the name already.
  EXPECT_EQ(slow->name(), quick == "a" ? "a2" : "a");
  EXPECT_EQ(Get(quick), "quick");
  EXPECT_EQ(Get(slow->name()), "slow");
  EXPECT_EQ(Names(), (Strings{"a", "a2"}));
}

TEST_P(StoreConformance, WritersThatFinishAtOnceGetDifferentNamesOrVersions) {
  constexpr int kWriters = 4;
  // More than writers: a bucket may pass over a name of which two were in doubt.
  Strings names;
  for (int i = 0; i < 2 * kWriters; ++i) names.push_back("n" + std::to_string(i));
  std::vector<ObjectId> got(kWriters);
  std::barrier together(kWriters);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < kWriters; ++i) {
      threads.emplace_back([&, i] {
        const std::unique_ptr<ObjectWriter> writer = store_->Create(names);
        writer->Write("writer " + std::to_string(i));
        together.arrive_and_wait();
        writer->Finish();
        got[i] = writer->id();
      });
    }
  }
  for (size_t i = 0; i < kWriters; ++i) EXPECT_EQ(Get(got[i]), "writer " + std::to_string(i));
  EXPECT_EQ(Names().size(), store_->KeepsVersions() ? 1 : size_t{kWriters});
  EXPECT_EQ(store_->ListVersions().size(), size_t{kWriters});
}

TEST_P(StoreConformance, ReadsRanges) {
  const std::string bytes = Pattern(100'000);
  Put({"a"}, bytes);
  const std::unique_ptr<RangedSource> source = store_->Open("a");
  ASSERT_NE(source, nullptr);
  EXPECT_NE(source->Name().find("a"), std::string::npos);
  for (const auto& [offset, size] : std::vector<std::pair<size_t, size_t>>{
           {0, 1}, {0, 100'000}, {99'999, 1}, {50'000, 4097}, {100'000, 0}, {0, 0}}) {
    std::string read(size, '\0');
    source->ReadAt(offset, read.data(), size);
    EXPECT_TRUE(read == bytes.substr(offset, size)) << offset << "+" << size;
  }
}

TEST_P(StoreConformance, RefusesToReadPastTheEnd) {
  Put({"a"}, "12345");
  const std::unique_ptr<RangedSource> source = store_->Open("a");
  ASSERT_NE(source, nullptr);
  char buffer[8];
  for (const auto& [offset, size] :
       std::vector<std::pair<uint64_t, size_t>>{{0, 6}, {5, 1}, {6, 1}, {uint64_t{1} << 40, 8}}) {
    try {
      source->ReadAt(offset, buffer, size);
      FAIL() << "read " << size << " bytes at " << offset;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    }
  }
}

TEST_P(StoreConformance, ReadsOnManyThreads) {
  const std::string bytes = Pattern(size_t{1} << 20);
  Put({"a"}, bytes);
  const std::unique_ptr<RangedSource> source = store_->Open("a");
  ASSERT_NE(source, nullptr);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (size_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        constexpr size_t kStep = 4099;
        std::string read(kStep, '\0');
        for (size_t at = thread; at + kStep <= bytes.size(); at += 4 * kStep) {
          source->ReadAt(at, read.data(), kStep);
          if (bytes.compare(at, kStep, read) != 0) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST_P(StoreConformance, AnOpenSourceSurvivesRemoval) {
  const std::string bytes = Pattern(300'000);
  Put({"a"}, bytes);
  const std::unique_ptr<RangedSource> source = store_->Open("a");
  ASSERT_NE(source, nullptr);
  EXPECT_TRUE(store_->Remove("a"));
  Put({"a"}, std::string(300'000, 'x'));
  std::string read(bytes.size(), '\0');
  source->ReadAt(0, read.data(), read.size());
  EXPECT_TRUE(read == bytes);
}

TEST_P(StoreConformance, RemovesObjects) {
  Put({"a"}, "1");
  Put({"b"}, "2");
  EXPECT_TRUE(store_->Remove("a"));
  EXPECT_FALSE(store_->Remove("a"));
  EXPECT_EQ(store_->Open("a"), nullptr);
  EXPECT_EQ(Names(), Strings{"b"});
  EXPECT_EQ(Put({"a"}, "3"), "a");
}

TEST_P(StoreConformance, ListsByName) {
  for (const char* const name : {"b", "a-2", "a.1", "B", "a"}) Put({name}, name);
  EXPECT_EQ(Names(), (Strings{"B", "a", "a-2", "a.1", "b"}));
}

TEST_P(StoreConformance, TellsSizesAndTimes) {
  Put({"a"}, "12345");
  const std::optional<ObjectInfo> info = store_->Stat("a");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->name, "a");
  EXPECT_EQ(info->size, 5u);
  EXPECT_GT(info->modified.time_since_epoch().count(), 0);
  const std::vector<ObjectInfo> list = store_->List();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].size, 5u);
  // A bucket's list has more digits than a look at one object.
  const auto seconds = [](TimePoint time) {
    return std::chrono::floor<std::chrono::seconds>(time);
  };
  EXPECT_EQ(seconds(list[0].modified), seconds(info->modified));
}

TEST_P(StoreConformance, RefusesNamesThatAreNotPlain) {
  for (const std::string name : {"", ".", "..", ".hidden", "a/b", "/a", "../a"}) {
    try {
      (void)store_->Create({"fine", name});
      FAIL() << "took the name '" << name << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    }
    EXPECT_EQ(store_->Open(name), nullptr) << name;
    EXPECT_EQ(store_->Stat(name), std::nullopt) << name;
    EXPECT_FALSE(store_->Remove(name)) << name;
  }
  EXPECT_EQ(Names(), Strings{});
}

TEST_P(StoreConformance, KeepsAwkwardNames) {
  const Strings names = {"a\nb", "a b", "b'\"$(x)%41", "r\xC3\xA9sum\xC3\xA9.tar.xz"};
  for (const std::string& name : names) EXPECT_EQ(Put({name}, name), name);
  EXPECT_EQ(Names(), names);
  for (const std::string& name : names) EXPECT_EQ(Get(name), name);
}

}  // namespace
}  // namespace oxbackup
