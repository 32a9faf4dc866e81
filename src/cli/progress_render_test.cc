#include "cli/progress_render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oxbackup {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kMega = 1000 * 1000;

Progress::Snapshot Board() {
  Progress board;
  board.Note("consistency",
             "MySQL: lock held 38 ms, 4 readers at binlog.000014:883120; MongoDB: "
             "replica set, oplog to 7433:2; skew 11 ms");
  board.Begin("mysql", "dump", 1000 * kMega);
  board.Add("mysql", 812 * kMega, 1204311, "openedx.courseware_studentmodule");
  board.Begin("mongodb", "dump", 300 * kMega);
  board.Add("mongodb", 214 * kMega, 41208, "openedx.fs.chunks");
  board.Done("mongodb");
  board.Begin("media", "dump", 0);
  board.Add("media", 118 * kMega, 1, "a.png");
  board.Begin("archive", "write", 0);
  board.Add("archive", 198 * kMega, 0, "");
  return board.Read();
}

ProgressView View() {
  return {.board = Board(),
          .elapsed = milliseconds(22000),
          .bytes_per_second = {{"mysql", 143e6}},
          .left = milliseconds(9000)};
}

TEST(ProgressRenderTest, EightyColumnsOfUnicode) {
  EXPECT_THAT(
      RenderProgress(View(), {.width = 80, .unicode = true, .colour = false}),
      ElementsAre("  consistency  MySQL: lock held 38 ms, 4 readers at binlog.000014:883120;",
                  "               MongoDB: replica set, oplog to 7433:2; skew 11 ms",
                  "  mysql dump   ████████████████▏░░░  812 MB of ~1.0 GB   143 MB/s",
                  "               1,204,311 rows · openedx.courseware_studentmodule",
                  "  mongodb      ████████████████████  done, 214 MB, 41,208 documents",
                  "  media dump   ░░░░░░░░███░░░░░░░░░  118 MB", "               1 entry · a.png",
                  "  archive      198 MB written · 22 s so far · about 9 s left"));
}

TEST(ProgressRenderTest, AWideTerminalHasRoomForTheTableInTheSameLine) {
  EXPECT_THAT(RenderProgress(View(), {.width = 140, .unicode = false, .colour = false}),
              ElementsAre(HasSubstr("consistency"),
                          "  mysql dump   ################----  812 MB of ~1.0 GB   143 MB/s   "
                          "1,204,311 rows, openedx.courseware_studentmodule",
                          HasSubstr("done, 214 MB"), HasSubstr("1 entry, a.png"),
                          "  archive      198 MB written, 22 s so far, about 9 s left"));
}

TEST(ProgressRenderTest, NoLineIsWiderThanTheTerminal) {
  for (const int width : {40, 60, 80, 100, 120}) {
    for (const std::string& line :
         RenderProgress(View(), {.width = width, .unicode = true, .colour = false})) {
      EXPECT_LE(DisplayWidth(line), width) << line;
    }
  }
}

TEST(ProgressRenderTest, AnEstimateThatWasTooSmallDoesNotLookDone) {
  Progress board;
  board.Begin("mysql", "dump", 10);
  board.Add("mysql", 5000, 1, "t");
  ProgressView view{.board = board.Read(), .elapsed = milliseconds(0), .bytes_per_second = {}};
  const TerminalStyle ascii{.width = 80, .unicode = false, .colour = false};
  EXPECT_THAT(RenderProgress(view, ascii).front(),
              HasSubstr("mysql dump  ###-----------------  5.0 kB"));
  view.elapsed = milliseconds(1000);
  EXPECT_THAT(RenderProgress(view, ascii).front(), HasSubstr("mysql dump  -----###------------  "));
}

TEST(ProgressRenderTest, AnEstimateThatHasJustBeenReachedDoesNotLookDone) {
  Progress board;
  board.Begin("mysql", "dump", 5000);
  board.Add("mysql", 5000, 1, "t");
  const ProgressView view{
      .board = board.Read(), .elapsed = milliseconds(1000), .bytes_per_second = {}};
  EXPECT_THAT(RenderProgress(view, {.width = 80, .unicode = false, .colour = false}).front(),
              HasSubstr("###################-  5.0 kB of ~5.0 kB"));
}

TEST(ProgressRenderTest, WhoseTurnHasNotComeWaitsWithoutABar) {
  Progress board;
  board.Begin("mysql", kWaitingPhase, 0);
  board.Begin("archive", "write", 0);
  board.Add("archive", 0, 0, "backup.2026-11-22.tar.xz");
  const ProgressView view{.board = board.Read(), .elapsed = milliseconds(0)};
  EXPECT_THAT(
      RenderProgress(view, {.width = 80, .unicode = false, .colour = false}),
      ElementsAre("  mysql waiting",
                  "  archive        backup.2026-11-22.tar.xz, 0 bytes written, 0 ms so far"));
}

TEST(ProgressRenderTest, ATablesNameCannotSteerTheTerminal) {
  Progress board;
  board.Begin("mysql", "dump", 0);
  board.Add("mysql", 1, 1, "evil\x1b[2Jname");
  const ProgressView view{
      .board = board.Read(), .elapsed = milliseconds(0), .bytes_per_second = {}};
  for (const std::string& line : RenderProgress(view, {.width = 80})) {
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
}

TEST(ProgressRenderTest, APhaseThatCountsNoBytesDoesNotClaimZero) {
  Progress board;
  board.Begin("mysql", "swap", 0);
  board.Begin("caddy", "swap", 0);
  board.Done("caddy");
  const ProgressView view{
      .board = board.Read(), .elapsed = milliseconds(0), .bytes_per_second = {}};
  EXPECT_THAT(
      RenderProgress(view, {.width = 80, .unicode = false, .colour = false}),
      ElementsAre("  mysql swap  ###-----------------",
                  "  caddy       ####################  swapped", "              0 ms so far"));
  EXPECT_EQ(RenderProgressLine(view), "mysql swap; caddy: swapped; 0 ms so far");
}

TEST(ProgressRenderTest, ReadingBackHasAnEnd) {
  RateMeter meter;
  ProgressView view;
  for (uint64_t second = 0; second <= 5; ++second) {
    Progress board;
    board.Begin("archive", "read back", 200 * kMega);
    board.Add("archive", second * 20 * kMega, 0, "");
    view = meter.Measure(board.Read(), milliseconds(second * 1000));
  }
  EXPECT_THAT(RenderProgress(view, {.width = 80, .unicode = false, .colour = false}),
              ElementsAre("  archive  100 MB of 200 MB read back, 5 s so far, about 5 s left"));
}

TEST(ProgressRenderTest, OnePlainLineForLogs) {
  EXPECT_EQ(
      RenderProgressLine(View()),
      "mysql dump: 812 MB of ~1.0 GB, 1,204,311 rows, 143 MB/s, "
      "openedx.courseware_studentmodule; mongodb: done, 214 MB, 41,208 documents; media dump: "
      "118 MB, 1 entry, a.png; 198 MB written, 22 s so far, about 9 s left");
}

Progress::Snapshot Dumped(uint64_t bytes) {
  Progress board;
  board.Begin("mysql", "dump", 1000 * kMega);
  board.Add("mysql", bytes, 0, "");
  return board.Read();
}

TEST(RateMeterTest, TellsRateAndTimeLeftOnceItHasSeenEnough) {
  RateMeter meter;
  EXPECT_FALSE(meter.Measure(Dumped(0), milliseconds(0)).left);
  ProgressView view;
  for (uint64_t second = 1; second <= 5; ++second) {
    view = meter.Measure(Dumped(second * 100 * kMega), milliseconds(second * 1000));
  }
  EXPECT_NEAR(view.bytes_per_second.at("mysql"), 100e6, 1e6);
  ASSERT_TRUE(view.left);
  EXPECT_NEAR(static_cast<double>(view.left->count()), 5000, 1001);
}

// A dump of one component at 100 MB/s, five seconds in, beside whatever else is on the board.
ProgressView AfterFiveSeconds(Progress& board) {
  RateMeter meter;
  ProgressView view;
  for (uint64_t second = 0; second <= 5; ++second) {
    view = meter.Measure(board.Read(), milliseconds(second * 1000));
    board.Add("mysql", 100 * kMega, 0, "");
  }
  return view;
}

TEST(RateMeterTest, NothingIsLeftToTellWhereAnEstimateWasTooSmallOrUsedUp) {
  for (const uint64_t expected : {100 * kMega, 300 * kMega, 500 * kMega}) {
    Progress board;
    board.Begin("mysql", "dump", expected);
    EXPECT_FALSE(AfterFiveSeconds(board).left) << expected;
  }
}

TEST(RateMeterTest, NothingIsToldWhileAnotherComponentWaits) {
  Progress board;
  board.Begin("mysql", "dump", 1000 * kMega);
  board.Begin("media", kWaitingPhase, 0);
  EXPECT_FALSE(AfterFiveSeconds(board).left);
}

TEST(RateMeterTest, TheEndOfAPhaseIsNotTakenForTheEndOfTheRestore) {
  Progress board;
  board.Begin("mysql", "load", 1000 * kMega);
  const ProgressView view = AfterFiveSeconds(board);
  ASSERT_TRUE(view.left);
  EXPECT_THAT(RenderProgressLine(view), HasSubstr("about 5 s left in this phase"));
}

TEST(RateMeterTest, AShortPauseDoesNotMakeTheRateZero) {
  RateMeter meter;
  for (uint64_t second = 0; second <= 20; ++second) {
    meter.Measure(Dumped(second * 10 * kMega), milliseconds(second * 1000));
  }
  const ProgressView view = meter.Measure(Dumped(200 * kMega), milliseconds(21000));
  EXPECT_GT(view.bytes_per_second.at("mysql"), 8e6);
  EXPECT_LT(view.bytes_per_second.at("mysql"), 10e6);
}

TEST(RateMeterTest, ANewPhaseStartsAnew) {
  RateMeter meter;
  meter.Measure(Dumped(0), milliseconds(0));
  meter.Measure(Dumped(900 * kMega), milliseconds(1000));
  Progress board;
  board.Begin("mysql", "verify", 10);
  const ProgressView view = meter.Measure(board.Read(), milliseconds(2000));
  EXPECT_FALSE(view.bytes_per_second.contains("mysql"));
}

}  // namespace
}  // namespace oxbackup
