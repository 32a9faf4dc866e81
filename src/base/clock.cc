#include "base/clock.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <ctime>

namespace oxbackup {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

std::tm LocalTime(TimePoint time) {
  const std::time_t seconds = system_clock::to_time_t(time);
  std::tm fields{};
  localtime_r(&seconds, &fields);
  return fields;
}

std::string FormatFields(const std::tm& fields, const char* format) {
  char text[64];
  const size_t size = std::strftime(text, sizeof text, format, &fields);
  return std::string(text, size);
}

}  // namespace

std::string FormatRfc3339(TimePoint time) {
  const auto since_epoch = std::chrono::floor<milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t whole = seconds.count();
  std::tm fields{};
  gmtime_r(&whole, &fields);
  return fmt::format("{}.{:03}Z", FormatFields(fields, "%Y-%m-%dT%H:%M:%S"),
                     (since_epoch - seconds).count());
}

std::optional<TimePoint> ParseRfc3339(std::string_view text) {
  std::tm fields{};
  int milli = 0;
  char end = 0;
  const std::string copy(text);
  const int with_fraction =
      std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3d%c", &fields.tm_year, &fields.tm_mon,
                  &fields.tm_mday, &fields.tm_hour, &fields.tm_min, &fields.tm_sec, &milli, &end);
  if (with_fraction != 8) {
    milli = 0;
    const int without =
        std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%c", &fields.tm_year, &fields.tm_mon,
                    &fields.tm_mday, &fields.tm_hour, &fields.tm_min, &fields.tm_sec, &end);
    if (without != 7) return std::nullopt;
  }
  if (end != 'Z') return std::nullopt;
  fields.tm_year -= 1900;
  fields.tm_mon -= 1;
  const std::time_t seconds = timegm(&fields);
  return system_clock::from_time_t(seconds) + milliseconds(milli);
}

std::string FormatLocalDate(TimePoint time) { return FormatFields(LocalTime(time), "%Y-%m-%d"); }

std::string FormatLocalTimeOfDay(TimePoint time) { return FormatFields(LocalTime(time), "%H%M%S"); }

std::string FormatLocal(TimePoint time) {
  return FormatFields(LocalTime(time), "%Y-%m-%d %H:%M:%S %Z");
}

}  // namespace oxbackup
