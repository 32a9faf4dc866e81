#include "cli/progress_display.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

namespace oxbackup {
namespace {

constexpr std::chrono::milliseconds kRedraw{200};
constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kShowCursor = "\x1b[?25h";
// A line that is longer than the terminal became narrower meanwhile is cut and not wrapped, or
// moving up by the number of lines would miss.
constexpr std::string_view kNoWrap = "\x1b[?7l";
constexpr std::string_view kWrap = "\x1b[?7h";
constexpr std::string_view kEraseBelow = "\x1b[J";
constexpr std::string_view kEraseLine = "\x1b[2K";

/// The display is a courtesy: a terminal that went away must not end the run.
void WriteTerminal(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

int TerminalRows() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

std::string MoveUp(int lines) { return lines > 0 ? fmt::format("\x1b[{}F", lines) : ""; }

}  // namespace

ProgressDisplay::ProgressDisplay(std::unique_ptr<Log> log, const Progress& progress,
                                 const Options& options,
                                 std::function<std::string(const ProgressView&)> json)
    : log_(std::move(log)),
      progress_(progress),
      options_(options),
      json_(std::move(json)),
      begin_(std::chrono::steady_clock::now()) {}

ProgressDisplay::~ProgressDisplay() { Stop(false); }

void ProgressDisplay::Start() {
  if (options_.mode == ProgressMode::kNone || thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    showing_ = true;
  }
  if (options_.mode == ProgressMode::kBar) {
    cursor_hidden_ = true;
    WriteTerminal(kHideCursor);
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { Show(stop); });
}

void ProgressDisplay::Stop(bool erase) {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  thread_ = std::jthread();
  const std::lock_guard lock(mutex_);
  showing_ = false;
  if (options_.mode == ProgressMode::kBar) {
    // Without anything that was begun there is only a clock, which nobody misses.
    if (erase || (view_.board.components.empty() && !stopping_)) Erase();
    drawn_lines_ = 0;
    WriteTerminal(kShowCursor);
    cursor_hidden_ = false;
  }
}

void ProgressDisplay::Write(LogLevel level, std::string_view message) {
  const std::lock_guard lock(mutex_);
  const bool bar = showing_ && options_.mode == ProgressMode::kBar;
  if (bar) Erase();
  log_->Write(level, message);
  if (bar) Draw();
}

void ProgressDisplay::ShowStopping() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  if (showing_ && options_.mode == ProgressMode::kBar) {
    Draw();
    return;
  }
  log_->Write(LogLevel::kWarning, "stopping; a second signal ends the run at once");
}

void ProgressDisplay::EndAtOnce(std::string_view message) noexcept {
  pollfd terminal{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&terminal, 1, 0) != 1) return;
  if (cursor_hidden_) {
    WriteTerminal(kShowCursor);
    WriteTerminal("\n");
  }
  WriteTerminal(message);
  WriteTerminal("\n");
}

void ProgressDisplay::Show(const std::stop_token& stop) {
  const auto interval = options_.mode == ProgressMode::kBar ? kRedraw : options_.interval;
  std::unique_lock lock(mutex_);
  if (options_.mode == ProgressMode::kBar) Tick();
  while (!stop.stop_requested()) {
    wake_.wait_for(lock, stop, interval, [] { return false; });
    if (!stop.stop_requested()) Tick();
  }
}

void ProgressDisplay::Tick() {
  if (stopping_) return;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin_);
  view_ = meter_.Measure(progress_.Read(), elapsed);
  switch (options_.mode) {
    case ProgressMode::kBar:
      Draw();
      break;
    case ProgressMode::kLines:
      log_->Write(LogLevel::kInfo, RenderProgressLine(view_));
      break;
    case ProgressMode::kJson: {
      const std::string line = json_(view_) + "\n";
      std::fwrite(line.data(), 1, line.size(), stdout);
      std::fflush(stdout);
      break;
    }
    case ProgressMode::kNone:
      break;
  }
}

void ProgressDisplay::Draw() {
  const TerminalStyle style = StyleOf(STDERR_FILENO);
  const std::vector<std::string> lines =
      stopping_ ? std::vector{RenderStopping(style)} : RenderProgress(view_, style);
  const auto most = static_cast<size_t>(std::max(1, TerminalRows() - 1));
  const size_t first = lines.size() > most ? lines.size() - most : 0;
  std::string text = MoveUp(drawn_lines_) + std::string(kNoWrap);
  for (size_t at = first; at < lines.size(); ++at) {
    // Erased first: after a full line the cursor stands on its last character.
    text += kEraseLine;
    text += lines[at];
    text += "\n";
  }
  text += kEraseBelow;
  text += kWrap;
  WriteTerminal(text);
  drawn_lines_ = static_cast<int>(lines.size() - first);
}

void ProgressDisplay::Erase() {
  WriteTerminal(MoveUp(drawn_lines_) + std::string(kEraseBelow));
  drawn_lines_ = 0;
}

}  // namespace oxbackup
