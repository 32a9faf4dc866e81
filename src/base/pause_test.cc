#include "base/pause.h"

#include <gtest/gtest.h>

#include <thread>

namespace oxbackup {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(PauseTest, LastsAsLongAsItWasTold) {
  const auto start = steady_clock::now();
  Pause(std::stop_token(), milliseconds(20));
  EXPECT_GE(steady_clock::now() - start, milliseconds(20));
}

TEST(PauseTest, IsEndedByAStop) {
  std::stop_source stop;
  std::jthread other([&] { stop.request_stop(); });
  Pause(stop.get_token(), hours(1));
  Pause(stop.get_token(), hours(1));
}

}  // namespace
}  // namespace oxbackup
