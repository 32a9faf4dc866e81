#include "http/retrier.h"

#include <gtest/gtest.h>

#include <vector>

namespace oxbackup {
namespace {

using std::chrono::milliseconds;

// Notes the waits and does not wait.
class NotingWaiter final : public RetryWaiter {
 public:
  explicit NotingWaiter(std::vector<milliseconds>& waits, std::stop_source* stop_at_wait = nullptr)
      : waits_(waits), stop_at_wait_(stop_at_wait) {}
  void Wait(milliseconds time, const std::stop_token&) override {
    waits_.push_back(time);
    if (stop_at_wait_ != nullptr) stop_at_wait_->request_stop();
  }
  // A minute goes by between two looks.
  std::chrono::steady_clock::time_point Now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::minutes(looks_++));
  }

 private:
  std::vector<milliseconds>& waits_;
  std::stop_source* stop_at_wait_;
  mutable int looks_ = 0;
};

class RetrierTest : public testing::Test {
 protected:
  // A call that fails so many times, then returns 7.
  int Call(Retrier& retrier, int failures, bool transient = true) {
    return retrier.Run("calling", stop_.get_token(), [&] {
      ++calls_;
      if (failures-- > 0) {
        Error error(ErrorKind::kStore, "no answer");
        if (transient) error.Transient();
        throw error;
      }
      return 7;
    });
  }
  std::unique_ptr<Retrier> Make(const RetryPolicy& policy = {}, bool stop_at_wait = false) {
    return std::make_unique<Retrier>(
        policy, std::make_unique<NotingWaiter>(waits_, stop_at_wait ? &stop_ : nullptr), log_);
  }

  NullLog log_;
  std::stop_source stop_;
  std::vector<milliseconds> waits_;
  int calls_ = 0;
};

TEST_F(RetrierTest, RidesOutTransientErrors) {
  EXPECT_EQ(Call(*Make(), 2), 7);
  EXPECT_EQ(calls_, 3);
  EXPECT_EQ(waits_.size(), 2u);
}

TEST_F(RetrierTest, DoesNotRepeatOtherErrors) {
  EXPECT_THROW(Call(*Make(), 1, false), Error);
  EXPECT_EQ(calls_, 1);
  EXPECT_TRUE(waits_.empty());
}

TEST_F(RetrierTest, GivesUpWithTheLastErrorAndSaysWhatWasTried) {
  try {
    Call(*Make({.tries = 4}), 100);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kStore);
    EXPECT_EQ(error.tried(), "4 times in 1 min 0 s");
  }
  EXPECT_EQ(calls_, 4);
}

TEST_F(RetrierTest, WaitsLongerEachTimeUpToTheLongest) {
  const auto retrier =
      Make({.tries = 7, .first_wait = milliseconds(100), .longest_wait = milliseconds(1000)});
  EXPECT_THROW(Call(*retrier, 100), Error);
  const std::vector<int64_t> full = {100, 200, 400, 800, 1000, 1000};
  ASSERT_EQ(waits_.size(), full.size());
  for (size_t i = 0; i < full.size(); ++i) {
    EXPECT_GE(waits_[i].count(), full[i] / 2);
    EXPECT_LE(waits_[i].count(), full[i]);
  }
}

TEST_F(RetrierTest, AServerThatFailsMostCallsIsGivenUp) {
  const auto retrier = Make({.tries = 8, .budget = 5});
  EXPECT_EQ(Call(*retrier, 4), 7);
  calls_ = 0;
  try {
    Call(*retrier, 100);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.tried().find("too many calls"), std::string::npos) << error.tried();
  }
  EXPECT_EQ(calls_, 2);
}

TEST_F(RetrierTest, CallsThatSucceedEarnTheirRepetitionsBack) {
  const auto retrier = Make({.tries = 8, .budget = 2});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Call(*retrier, 1), 7);
    EXPECT_EQ(Call(*retrier, 0), 7);
  }
}

TEST_F(RetrierTest, AStopEndsTheWaiting) {
  try {
    Call(*Make({}, true), 100);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  EXPECT_EQ(calls_, 1);
}

TEST_F(RetrierTest, TheRealWaiterReturnsAtOnceWhenStopped) {
  stop_.request_stop();
  // Would hold the test for a day otherwise.
  MakeRetryWaiter()->Wait(std::chrono::hours(24), stop_.get_token());
}

}  // namespace
}  // namespace oxbackup
