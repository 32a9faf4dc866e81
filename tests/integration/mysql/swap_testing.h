// A site of two versions, a restore between them, and a swap that is broken off at any step.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/run_context_testing.h"
#include "mysql/restore_target.h"
#include "mysql/session.h"
#include "restore_testing.h"
#include "test_servers.h"

namespace oxbackup::mysql {

inline constexpr char kSwapSite[] = "load_swap";

/// Thrown at a step; no Error, so that nothing treats it as a failure and tidies up.
struct Killed {
  std::string step;
};

/// The database kSwapSite: its first version is in `archive_`, its second one is live.
class SwapTest : public testing::TestWithParam<Flavour> {
 protected:
  using Texts = std::map<std::string, std::string>;

  SwapTest();
  ~SwapTest() override;

  /// Puts a version into the place of what is there.
  void Fill(int version);
  /// A target whose steps from `kill_at` on (0 is the first) are not taken; -1: all are.
  std::unique_ptr<RestoreTarget> MakeTarget(int kill_at);
  /// Loads and swaps, killed at a step of Swap. Returns the step; nothing when all were taken.
  std::optional<std::string> SwapKilledAt(int step);
  /// The step that `body` was killed at.
  static std::optional<std::string> Run(const std::function<void()>& body);

  void ExpectState(const Texts& expected, const std::string& when);
  void ExpectNothingLeft(const std::string& when);
  /// Only what says which archive is live.
  void ExpectOnlyTheNoteLeft(const std::string& when);
  /// The run whose data are said to be live; empty when nothing is.
  std::string AppliedRun();
  /// Whatever is said to be live is.
  void ExpectNoteAgrees(const std::string& when);
  /// Undoes a finished swap whose old data were kept.
  void BackToOld();

  TestRun run_;
  ConnectOptions connect_;
  Session session_;
  std::optional<ScratchDatabase> site_;
  Texts new_;
  Texts old_;
  std::string archive_;
  int steps_ = 0;
};

}  // namespace oxbackup::mysql
