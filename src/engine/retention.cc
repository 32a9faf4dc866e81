#include "engine/retention.h"

#include <array>
#include <charconv>
#include <ctime>

namespace oxbackup {
namespace {

std::tm LocalTime(TimePoint time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm fields{};
  localtime_r(&seconds, &fields);
  return fields;
}

// The same text for all times of one period.
std::string PeriodOf(TimePoint time, const char* format) {
  const std::tm fields = LocalTime(time);
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &fields)};
}

struct PeriodRule {
  const char* name;
  int RetentionRules::*count;
  const char* format;  // of strftime
};
constexpr std::array<PeriodRule, 5> kPeriodRules = {{
    // With the zone: the hour that comes twice in autumn is two.
    {"hourly", &RetentionRules::hourly, "%Y-%m-%d %H %z"},
    {"daily", &RetentionRules::daily, "%Y-%m-%d"},
    {"weekly", &RetentionRules::weekly, "%G-%V"},
    {"monthly", &RetentionRules::monthly, "%Y-%m"},
    {"yearly", &RetentionRules::yearly, "%Y"},
}};

}  // namespace

std::optional<CalendarSpan> ParseCalendarSpan(std::string_view text) {
  constexpr int kMost = 9999;
  CalendarSpan span;
  while (!text.empty()) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto digits = static_cast<size_t>(end - text.data());
    if (error != std::errc() || number < 0 || number > kMost || digits == text.size()) {
      return std::nullopt;
    }
    switch (text[digits]) {
      case 'h':
        span.hours += number;
        break;
      case 'd':
        span.days += number;
        break;
      case 'w':
        span.days += 7 * number;
        break;
      case 'm':
        span.months += number;
        break;
      case 'y':
        span.years += number;
        break;
      default:
        return std::nullopt;
    }
    text.remove_prefix(digits + 1);
  }
  if (span == CalendarSpan()) return std::nullopt;
  return span;
}

TimePoint Before(TimePoint time, const CalendarSpan& span) {
  std::tm fields = LocalTime(time);
  fields.tm_year -= span.years;
  fields.tm_mon -= span.months;
  fields.tm_mday -= span.days;
  fields.tm_isdst = -1;
  // Hours are of the same length all the year, days are not.
  return std::chrono::system_clock::from_time_t(std::mktime(&fields)) -
         std::chrono::hours(span.hours);
}

bool RetentionRules::AreNone() const {
  for (const PeriodRule& rule : kPeriodRules) {
    if (this->*rule.count > 0) return false;
  }
  return last == 0 && !within;
}

std::vector<std::vector<std::string>> KeptByRules(std::span<const TimePoint> times,
                                                  const RetentionRules& rules) {
  std::vector<std::vector<std::string>> kept(times.size());
  for (size_t at = 0; at < times.size(); ++at) {
    if (at < static_cast<size_t>(rules.last)) kept[at].emplace_back("last");
    if (rules.within && times[at] >= Before(times.front(), *rules.within)) {
      kept[at].emplace_back("within");
    }
  }
  for (const PeriodRule& rule : kPeriodRules) {
    int left = rules.*rule.count;
    std::string before;
    for (size_t at = 0; at < times.size() && left > 0; ++at) {
      std::string period = PeriodOf(times[at], rule.format);
      if (period == before) continue;
      kept[at].emplace_back(rule.name);
      before = std::move(period);
      --left;
    }
  }
  return kept;
}

}  // namespace oxbackup
