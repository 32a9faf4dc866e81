// Rules for how long archives are kept, apart from what archives are and from removing them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace oxbackup {

/// A time span in the calendar's units, which are not all of the same length.
struct CalendarSpan {
  int years = 0;
  int months = 0;
  int days = 0;
  int hours = 0;

  friend bool operator==(const CalendarSpan&, const CalendarSpan&) = default;
};

/// Reads "12h", "30d", "8w", "6m", "1y" and several of them in a row, "1y6m". Nothing for any other
/// text, for nothing at all ("0d") and for numbers above 9999.
[[nodiscard]] std::optional<CalendarSpan> ParseCalendarSpan(std::string_view text);
/// The moment that lies so much earlier by the local calendar, at the same time of day. A day that
/// the month does not have is counted on from its last ("2026-03-31" less a month is 2026-03-03).
TimePoint Before(TimePoint time, const CalendarSpan& span);

/// How many of which are kept; none where it is 0. The rules add up.
struct RetentionRules {
  int last = 0;
  int hourly = 0;
  int daily = 0;
  int weekly = 0;  ///< ISO weeks, from Monday on
  int monthly = 0;
  int yearly = 0;
  std::optional<CalendarSpan> within = {};  ///< from the newest back

  bool AreNone() const;
};

/// For each of `times` (newest first), which rules keep it, for people: "last", "daily"…; empty
/// where none does. Of every hour, day, week, month and year the newest is kept, as many of them
/// as the rule says, counting only those that have one. Days are those of the process's time zone.
std::vector<std::vector<std::string>> KeptByRules(std::span<const TimePoint> times,
                                                  const RetentionRules& rules);

}  // namespace oxbackup
