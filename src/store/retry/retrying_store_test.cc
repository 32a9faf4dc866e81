#include "store/retry/retrying_store.h"

#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "base/error.h"
#include "store/memory/memory_store.h"
#include "store/store_conformance_testing.h"

namespace oxbackup {
namespace {

using std::chrono::milliseconds;

// Notes the waits and does not wait.
class NotingWaiter final : public RetryWaiter {
 public:
  explicit NotingWaiter(std::vector<milliseconds>& waits, std::stop_source* stop_at_wait = nullptr)
      : waits_(waits), stop_at_wait_(stop_at_wait) {}
  void Wait(milliseconds time, const std::stop_token&) override {
    const std::lock_guard lock(mutex_);
    waits_.push_back(time);
    if (stop_at_wait_ != nullptr) stop_at_wait_->request_stop();
  }

 private:
  std::mutex mutex_;
  std::vector<milliseconds>& waits_;
  std::stop_source* stop_at_wait_;
};

struct RetryFixture {
  explicit RetryFixture(RetryPolicy policy = {}, std::stop_source* stop_at_wait = nullptr) {
    auto owned = std::make_unique<MemoryStore>(clock);
    memory = owned.get();
    store = MakeRetryingStore(
        std::move(owned), policy, std::make_unique<NotingWaiter>(waits, stop_at_wait), log,
        stop_at_wait == nullptr ? std::stop_token() : stop_at_wait->get_token());
  }

  SystemClock clock;
  NullLog log;
  std::vector<milliseconds> waits;
  MemoryStore* memory = nullptr;
  std::unique_ptr<Store> store;
};

std::shared_ptr<Store> Keep(const std::shared_ptr<RetryFixture>& fixture) {
  return {fixture, fixture->store.get()};
}

INSTANTIATE_TEST_SUITE_P(Retrying, StoreConformance, testing::Values(StoreFactory([] {
                           return Keep(std::make_shared<RetryFixture>());
                         })));

// With a fault in the very first calls, everything still has to work.
INSTANTIATE_TEST_SUITE_P(RetryingWithFaults, StoreConformance, testing::Values(StoreFactory([] {
                           const auto fixture = std::make_shared<RetryFixture>();
                           StoreFaults faults{
                               .fail_create = true, .fail_read = true, .fail_list = true};
                           faults.transient = true;
                           faults.times = 3;
                           fixture->memory->SetFaults(faults);
                           return Keep(fixture);
                         })));

TEST(RetryingStore, RidesOutTransientErrorsOfEveryCall) {
  RetryFixture fixture;
  const auto strike = [&](StoreFaults faults) {
    faults.transient = true;
    faults.times = 2;
    fixture.memory->SetFaults(faults);
  };
  strike({.fail_create = true});
  const auto writer = fixture.store->Create({"a"});
  strike({.fail_write_at = 0});
  writer->Write("12345");
  strike({.fail_finish = true});
  writer->Finish();
  EXPECT_EQ(writer->name(), "a");
  strike({.fail_list = true});
  const auto source = fixture.store->Open("a");
  ASSERT_NE(source, nullptr);
  strike({.fail_read = true});
  std::string read(5, '\0');
  source->ReadAt(0, read.data(), 5);
  EXPECT_EQ(read, "12345");
  strike({.fail_list = true});
  EXPECT_EQ(fixture.store->List().size(), 1u);
  strike({.fail_list = true});
  EXPECT_TRUE(fixture.store->Stat("a"));
  strike({.fail_list = true});
  EXPECT_TRUE(fixture.store->Remove("a"));
  EXPECT_EQ(fixture.memory->faults_struck(), 16);
  EXPECT_EQ(fixture.waits.size(), 16u);
}

TEST(RetryingStore, DoesNotRepeatOtherErrors) {
  RetryFixture fixture;
  fixture.memory->SetFaults({.fail_list = true});
  EXPECT_THROW(fixture.store->List(), Error);
  EXPECT_EQ(fixture.memory->faults_struck(), 1);
  EXPECT_TRUE(fixture.waits.empty());
}

TEST(RetryingStore, GivesUpWithTheLastErrorAndSaysWhatWasTried) {
  RetryFixture fixture({.tries = 4});
  fixture.memory->SetFaults({.fail_list = true, .transient = true});
  try {
    fixture.store->List();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kStore);
    EXPECT_EQ(error.tried().substr(0, 7), "4 times");
  }
  EXPECT_EQ(fixture.memory->faults_struck(), 4);
}

TEST(RetryingStore, WaitsLongerEachTimeUpToTheLongest) {
  RetryFixture fixture(
      {.tries = 7, .first_wait = milliseconds(100), .longest_wait = milliseconds(1000)});
  fixture.memory->SetFaults({.fail_list = true, .transient = true});
  EXPECT_THROW(fixture.store->List(), Error);
  const std::vector<int64_t> full = {100, 200, 400, 800, 1000, 1000};
  ASSERT_EQ(fixture.waits.size(), full.size());
  for (size_t i = 0; i < full.size(); ++i) {
    EXPECT_GE(fixture.waits[i].count(), full[i] / 2);
    EXPECT_LE(fixture.waits[i].count(), full[i]);
  }
}

TEST(RetryingStore, AStopEndsTheWaiting) {
  std::stop_source stop;
  RetryFixture fixture({}, &stop);
  fixture.memory->SetFaults({.fail_list = true, .transient = true});
  try {
    fixture.store->List();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  EXPECT_EQ(fixture.memory->faults_struck(), 1);
}

TEST(RetryingStore, TheRealWaiterReturnsAtOnceWhenStopped) {
  std::stop_source stop;
  stop.request_stop();
  // Would hold the test for a day otherwise.
  MakeRetryWaiter()->Wait(std::chrono::hours(24), stop.get_token());
  MakeRetryWaiter()->Wait(milliseconds(1), {});
}

}  // namespace
}  // namespace oxbackup
