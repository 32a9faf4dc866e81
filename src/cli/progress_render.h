// Progress as lines of text: pure functions from what the board says to what a screen shows.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "cli/terminal.h"

namespace oxbackup {

/// A snapshot of the board with what only time can tell.
struct ProgressView {
  Progress::Snapshot board;
  std::chrono::milliseconds elapsed{};
  std::map<std::string, double> bytes_per_second = {};  ///< by component; absent while unknown
  std::optional<std::chrono::milliseconds> left = {};   ///< nothing while it cannot be guessed
  bool left_in_phase = false;                           ///< `left` is of a phase that others follow
};

/// Whether the end of its phase is known. An estimate that has been passed is none.
bool HasEnd(const ComponentProgress& component);

/// Smooths rates over about ten seconds, so that neither a pause for one big table nor a burst
/// makes the numbers jump. One thread at a time.
class RateMeter {
 public:
  /// `elapsed`: since the run started; does not go back.
  ProgressView Measure(Progress::Snapshot board, std::chrono::milliseconds elapsed);

 private:
  struct Track {
    std::string phase;
    uint64_t bytes = 0;
    std::chrono::milliseconds started{};  ///< when the phase was first seen
    std::chrono::milliseconds seen{};
    double rate = 0;
  };
  void Follow(const ComponentProgress& component, std::chrono::milliseconds elapsed);

  std::map<std::string, Track> tracks_;
};

/// The display's lines, each at most style.width columns wide (escape sequences not counted).
std::vector<std::string> RenderProgress(const ProgressView& view, const TerminalStyle& style);

/// The same in one line of plain text, for logs.
std::string RenderProgressLine(const ProgressView& view);

/// What the display shows once the run has been asked to stop.
std::string RenderStopping(const TerminalStyle& style);

/// "rows", "documents" or "files", or the singular for one: "1,204,311 rows".
std::string FormatItems(const std::string& component, uint64_t items);

/// The component under whose name the archive writer reports what it has stored.
inline constexpr char kArchiveComponent[] = "archive";

}  // namespace oxbackup
