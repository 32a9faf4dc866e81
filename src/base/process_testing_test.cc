#include "base/process_testing.h"

#include <gtest/gtest.h>

#include <csignal>

namespace oxbackup {
namespace {

TEST(RunProcess, PassesInputAndEnvironmentAndReturnsEverything) {
  const ProcessResult result = RunProcess(
      {"sh", "-c", "cat; echo \"$WORD\" >&2; exit 3"},
      {.environment = {{"WORD", "it's"}}, .input = "hello", .input_file = {}, .output_file = {}});
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.out, "hello");
  EXPECT_EQ(result.error, "it's\n");
}

TEST(Process, TellsTheSignalThatEndedIt) {
  Process process({"sleep", "60"}, {});
  EXPECT_TRUE(process.Runs());
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait().status, 128 + SIGTERM);
  EXPECT_FALSE(process.Runs());
}

// Its end is noticed before somebody waits for it, and the wait still tells how it ended.
TEST(Process, TellsWhetherItRuns) {
  Process process({"sh", "-c", "exit 7"}, {});
  while (process.Runs()) {
  }
  EXPECT_EQ(process.Wait().status, 7);
}

}  // namespace
}  // namespace oxbackup
