#include "cli/progress_render.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"

namespace oxbackup {
namespace {

using std::chrono::milliseconds;

constexpr double kSmoothingSeconds = 10;
// Below this a rate is a guess from one buffer, and an ETA made from it frightens for nothing.
constexpr milliseconds kLeastForEta{3000};
constexpr int kBarWidth = 20;
constexpr int kBytesWidth = 18;
constexpr int kRateWidth = 9;

std::string Bar(double part, const TerminalStyle& style) {
  const double filled = std::clamp(part, 0.0, 1.0) * kBarWidth;
  const int whole = static_cast<int>(filled);
  std::string bar;
  if (!style.unicode) {
    bar = std::string(static_cast<size_t>(whole), '#');
    return bar + std::string(static_cast<size_t>(kBarWidth - whole), '-');
  }
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  for (int at = 0; at < whole; ++at) bar += "█";
  int used = whole;
  if (const int eighths = static_cast<int>((filled - whole) * 8); eighths > 0) {
    bar += kEighths[eighths];
    ++used;
  }
  std::string rest;
  for (; used < kBarWidth; ++used) rest += "░";
  return Paint(style, Colour::kGreen, bar) + Paint(style, Colour::kDim, rest);
}

/// What moves to and fro in the bar when the end is not known.
std::string BarWithoutEnd(milliseconds elapsed, const TerminalStyle& style) {
  constexpr int kBlock = 3;
  const int span = 2 * (kBarWidth - kBlock);
  const int step = static_cast<int>(elapsed.count() / 200 % span);
  const int at = step <= span / 2 ? step : span - step;
  std::string bar;
  for (int column = 0; column < kBarWidth; ++column) {
    const bool inside = column >= at && column < at + kBlock;
    bar += style.unicode ? (inside ? "█" : "░") : (inside ? "#" : "-");
  }
  return bar;
}

std::string BytesText(const ComponentProgress& component) {
  if (!HasEnd(component)) {
    // Some phases, as a swap, do not count bytes.
    return component.bytes == 0 ? "" : FormatBytes(component.bytes);
  }
  return fmt::format("{} of ~{}", FormatBytes(component.bytes),
                     FormatBytes(component.expected_bytes));
}

double PartDone(const ComponentProgress& component) {
  if (component.done) return 1;
  // An estimate must not look like the end.
  return std::min(
      0.99, static_cast<double>(component.bytes) / static_cast<double>(component.expected_bytes));
}

/// "done, 214 MB, 41,208 documents".
std::string DoneText(const ComponentProgress& component) {
  std::string text = component.phase == "swap" ? "swapped" : "done";
  if (component.bytes > 0) text += ", " + FormatBytes(component.bytes);
  if (component.items > 0) text += ", " + FormatItems(component.name, component.items);
  return text;
}

std::string RateText(const ProgressView& view, const std::string& name) {
  const auto rate = view.bytes_per_second.find(name);
  if (rate == view.bytes_per_second.end() || rate->second < 1) return "";
  return FormatBytes(static_cast<uint64_t>(rate->second)) + "/s";
}

std::string Title(const ComponentProgress& component) {
  if (component.phase.empty() || component.done) return Printable(component.name);
  return Printable(component.name + " " + component.phase);
}

/// "1,204,311 rows · openedx.courseware_studentmodule", in at most `width` columns.
std::string Details(const ComponentProgress& component, int width, const TerminalStyle& style) {
  std::string text;
  if (component.items > 0) text = FormatItems(component.name, component.items);
  if (!component.object.empty()) {
    if (!text.empty()) text += style.unicode ? " · " : ", ";
    text += Printable(component.object);
  }
  return Shorten(text, width, style.unicode);
}

void RenderComponent(const ProgressView& view, const ComponentProgress& component, int title_width,
                     const TerminalStyle& style, std::vector<std::string>& lines) {
  std::string line = "  " + PadRight(Title(component), title_width) + "  ";
  if (component.phase == kWaitingPhase) {
    lines.push_back(line.erase(line.find_last_not_of(' ') + 1));
    return;
  }
  const bool known = component.done || HasEnd(component);
  line += known ? Bar(PartDone(component), style) : BarWithoutEnd(view.elapsed, style);
  line += "  ";
  const int bar_end = 2 + title_width + 2 + kBarWidth + 2;
  if (component.done) {
    lines.push_back(line + Shorten(DoneText(component), style.width - bar_end, style.unicode));
    return;
  }
  const std::string numbers = PadRight(BytesText(component), kBytesWidth) + "  " +
                              PadRight(RateText(view, component.name), kRateWidth);
  const int details_at = bar_end + kBytesWidth + 2 + kRateWidth + 2;
  // The name of the table is what somebody looks for who believes that it hangs: where the line has
  // no room for it, it gets one of its own.
  constexpr int kRoomForDetails = 36;
  if (style.width - details_at >= kRoomForDetails) {
    line += numbers + "  " + Details(component, style.width - details_at, style);
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(line);
    return;
  }
  line += Shorten(numbers, style.width - bar_end, style.unicode);
  line.erase(line.find_last_not_of(' ') + 1);
  lines.push_back(line);
  const int indent = 2 + title_width + 2;
  const std::string details = Details(component, style.width - indent, style);
  if (!details.empty()) {
    lines.push_back(std::string(static_cast<size_t>(indent), ' ') +
                    Paint(style, Colour::kDim, details));
  }
}

void RenderNote(const std::string& title, const std::string& text, int title_width,
                const TerminalStyle& style, std::vector<std::string>& lines) {
  const int indent = 2 + title_width + 2;
  const std::string whole = "  " + PadRight(Printable(title), title_width) + "  " +
                            WrapAt(Printable(text), indent, style.width);
  for (const std::string& line : SplitNonEmpty(whole, "\n")) {
    lines.push_back(Shorten(line, style.width, style.unicode));
  }
}

/// "backup.2026-11-22.tar.xz · 198 MB written · 22 s so far · about 9 s left".
std::string Summary(const ProgressView& view, std::string_view separator) {
  std::vector<std::string> parts;
  for (const ComponentProgress& component : view.board.components) {
    if (component.name != kArchiveComponent) continue;
    if (!component.object.empty()) parts.push_back(Printable(component.object));
    const bool reads_back = component.expected_bytes > 0;
    parts.push_back(reads_back ? fmt::format("{} of {} read back", FormatBytes(component.bytes),
                                             FormatBytes(component.expected_bytes))
                               : FormatBytes(component.bytes) + " written");
  }
  parts.push_back(FormatDuration(view.elapsed) + " so far");
  if (view.left) {
    parts.push_back(fmt::format("about {} left{}", FormatDuration(*view.left),
                                view.left_in_phase ? " in this phase" : ""));
  }
  return fmt::format("{}", fmt::join(parts, separator));
}

/// A restore goes on behind these.
bool OthersFollow(const std::string& phase) {
  return phase == "check" || phase == "remove" || phase == "load" || phase == "index" ||
         phase == "verify";
}

}  // namespace

bool HasEnd(const ComponentProgress& component) {
  return component.expected_bytes > 0 && component.bytes <= component.expected_bytes;
}

std::string FormatItems(const std::string& component, uint64_t items) {
  if (component == "mysql") return FormatCounted(items, "row", "rows");
  if (component == "mongodb") return FormatCounted(items, "document", "documents");
  // Folders and links count too.
  return FormatCounted(items, "entry", "entries");
}

ProgressView RateMeter::Measure(Progress::Snapshot board, milliseconds elapsed) {
  ProgressView view{.board = std::move(board), .elapsed = elapsed, .bytes_per_second = {}};
  double seconds_left = 0;
  bool all_known = false;
  bool guessable = true;
  for (const ComponentProgress& component : view.board.components) {
    Follow(component, elapsed);
    const Track& track = tracks_[component.name];
    // What is written has no end that could be known, what is read back has.
    const bool written = component.name == kArchiveComponent && component.expected_bytes == 0;
    if (component.done || written) continue;
    if (track.rate > 0) view.bytes_per_second[component.name] = track.rate;
    if (!HasEnd(component) || component.bytes == component.expected_bytes || track.rate < 1 ||
        elapsed - track.started < kLeastForEta) {
      guessable = false;
      continue;
    }
    all_known = true;
    view.left_in_phase = view.left_in_phase || OthersFollow(component.phase);
    const uint64_t left = component.expected_bytes - component.bytes;
    seconds_left = std::max(seconds_left, static_cast<double>(left) / track.rate);
  }
  if (all_known && guessable) {
    view.left = milliseconds(static_cast<int64_t>(std::ceil(seconds_left)) * 1000);
  }
  return view;
}

void RateMeter::Follow(const ComponentProgress& component, milliseconds elapsed) {
  Track& track = tracks_[component.name];
  if (track.phase != component.phase || component.bytes < track.bytes) {
    track = Track{.phase = component.phase,
                  .bytes = component.bytes,
                  .started = elapsed,
                  .seen = elapsed,
                  .rate = 0};
    return;
  }
  const double seconds = static_cast<double>((elapsed - track.seen).count()) / 1000;
  if (seconds <= 0) return;
  const double now = static_cast<double>(component.bytes - track.bytes) / seconds;
  // While a phase is younger than the smoothing, its whole mean is the best guess.
  const double age = static_cast<double>((elapsed - track.started).count()) / 1000;
  const double weight = std::max(1 - std::exp(-seconds / kSmoothingSeconds),
                                 age < kSmoothingSeconds ? seconds / age : 0);
  track.rate += weight * (now - track.rate);
  track.bytes = component.bytes;
  track.seen = elapsed;
}

std::vector<std::string> RenderProgress(const ProgressView& view, const TerminalStyle& style) {
  std::vector<std::string> lines;
  int title_width = DisplayWidth(kArchiveComponent);
  for (const auto& [title, text] : view.board.notes) {
    title_width = std::max(title_width, DisplayWidth(title));
  }
  for (const ComponentProgress& component : view.board.components) {
    if (component.name == kArchiveComponent) continue;
    title_width = std::max(title_width, DisplayWidth(Title(component)));
  }
  title_width = std::min(title_width, style.width - kBarWidth - 10);
  for (const auto& [title, text] : view.board.notes) {
    RenderNote(title, text, title_width, style, lines);
  }
  for (const ComponentProgress& component : view.board.components) {
    if (component.name == kArchiveComponent) continue;
    RenderComponent(view, component, title_width, style, lines);
  }
  const bool archive = std::ranges::any_of(
      view.board.components, [](const auto& each) { return each.name == kArchiveComponent; });
  RenderNote(archive ? kArchiveComponent : "", Summary(view, style.unicode ? " · " : ", "),
             title_width, style, lines);
  return lines;
}

namespace {

/// "mysql dump: 812 MB of ~1.0 GB, 1,204,311 rows, 143 MB/s, openedx.auth_user".
std::string LineOf(const ProgressView& view, const ComponentProgress& component) {
  if (component.done) return Title(component) + ": " + DoneText(component);
  std::vector<std::string> facts = {
      BytesText(component), component.items > 0 ? FormatItems(component.name, component.items) : "",
      RateText(view, component.name), Printable(component.object)};
  std::erase(facts, "");
  if (facts.empty()) return Title(component);
  return fmt::format("{}: {}", Title(component), fmt::join(facts, ", "));
}

}  // namespace

std::string RenderProgressLine(const ProgressView& view) {
  std::vector<std::string> parts;
  for (const ComponentProgress& component : view.board.components) {
    if (component.name == kArchiveComponent) continue;
    parts.push_back(LineOf(view, component));
  }
  parts.push_back(Summary(view, ", "));
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string RenderStopping(const TerminalStyle& style) {
  const std::string text =
      fmt::format("Stopping{} press Ctrl-C again to stop at once", style.unicode ? "…" : "...");
  return Paint(style, Colour::kYellow, Shorten(text, style.width, style.unicode));
}

}  // namespace oxbackup
