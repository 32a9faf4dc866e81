#include "store/memory/memory_store.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "store/store_conformance_testing.h"

namespace oxbackup {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, testing::Values(StoreFactory([] {
                           static const SystemClock clock;
                           return std::make_shared<MemoryStore>(clock);
                         })));
INSTANTIATE_TEST_SUITE_P(MemoryWithVersions, StoreConformance, testing::Values(StoreFactory([] {
                           static const SystemClock clock;
                           return std::make_shared<MemoryStore>(clock, MemoryVersions::kKept);
                         })));

TEST(MemoryStore, FailsWhereItIsTold) {
  const SystemClock clock;
  MemoryStore store(clock);
  StoreFaults faults;
  faults.fail_write_at = 10;
  store.SetFaults(faults);
  const auto writer = store.Create({"a"});
  writer->Write("0123456789");
  EXPECT_THROW(writer->Write("x"), Error);
  store.SetFaults(StoreFaults{.fail_finish = true});
  EXPECT_THROW(writer->Finish(), Error);
  EXPECT_TRUE(store.List().empty());
}

TEST(MemoryStore, RecoversAfterTheGivenNumberOfFaults) {
  const SystemClock clock;
  MemoryStore store(clock);
  store.SetFaults(StoreFaults{.fail_list = true, .times = 1});
  EXPECT_THROW(store.List(), Error);
  EXPECT_TRUE(store.List().empty());
  EXPECT_EQ(store.faults_struck(), 1);
}

TEST(MemoryStore, GivesObjectsTheClocksTime) {
  const FixedClock clock(*ParseRfc3339("2026-11-22T20:48:20Z"));
  MemoryStore store(clock);
  store.Put("a", "damaged");
  ASSERT_TRUE(store.Stat("a"));
  EXPECT_EQ(store.Stat("a")->modified, clock.Now());
}

}  // namespace
}  // namespace oxbackup
