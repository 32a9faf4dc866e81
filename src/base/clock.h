// Wall-clock time as a seam, so that tests choose the date.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace oxbackup {

using TimePoint = std::chrono::system_clock::time_point;

/// Tells the time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint Now() const override { return std::chrono::system_clock::now(); }
};

/// Always the time it was given.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(TimePoint now) : now_(now) {}
  TimePoint Now() const override { return now_; }

 private:
  TimePoint now_;
};

/// RFC 3339 in UTC with milliseconds: "2026-11-22T20:48:20.123Z".
std::string FormatRfc3339(TimePoint time);
/// The reverse; also without a fraction. Nothing when the text is not of that form.
[[nodiscard]] std::optional<TimePoint> ParseRfc3339(std::string_view text);
/// The local date, "2026-11-22" (the time zone is the process's: TZ).
std::string FormatLocalDate(TimePoint time);
/// The local time of day without separators, "204820".
std::string FormatLocalTimeOfDay(TimePoint time);
/// For people: "2026-11-22 20:48:20 CET".
std::string FormatLocal(TimePoint time);

}  // namespace oxbackup
