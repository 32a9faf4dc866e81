#include "engine/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace oxbackup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RetentionTest : public ::testing::Test {
 protected:
  void SetUp() override { SetZone("UTC"); }
  void TearDown() override { SetZone("UTC"); }
  static void SetZone(const char* zone) {
    setenv("TZ", zone, 1);
    tzset();
  }
  static TimePoint At(const std::string& text) { return *ParseRfc3339(text); }
  // Those that are kept, each with its rules: "2026-11-22T12:00:00 last daily".
  static std::vector<std::string> Kept(const std::vector<std::string>& texts,
                                       const RetentionRules& rules) {
    std::vector<TimePoint> times;
    for (const std::string& text : texts) times.push_back(At(text));
    const auto kept = KeptByRules(times, rules);
    std::vector<std::string> lines;
    for (size_t at = 0; at < texts.size(); ++at) {
      if (kept[at].empty()) continue;
      std::string line = texts[at].substr(0, 16);
      for (const std::string& rule : kept[at]) line += " " + rule;
      lines.push_back(line);
    }
    return lines;
  }
};

TEST_F(RetentionTest, TheNewestAreKept) {
  EXPECT_THAT(
      Kept({"2026-11-22T12:00:00Z", "2026-11-22T11:00:00Z", "2026-11-21T12:00:00Z"}, {.last = 2}),
      ElementsAre("2026-11-22T12:00 last", "2026-11-22T11:00 last"));
  EXPECT_THAT(Kept({"2026-11-22T12:00:00Z"}, {.last = 5}), ElementsAre("2026-11-22T12:00 last"));
  EXPECT_THAT(Kept({}, {.last = 5, .daily = 1}), IsEmpty());
}

TEST_F(RetentionTest, OfEachPeriodTheNewestIsKeptAndEmptyPeriodsDoNotCount) {
  EXPECT_THAT(
      Kept({"2026-11-22T12:00:00Z", "2026-11-22T11:59:59Z", "2026-11-22T11:00:00Z",
            "2026-11-20T03:00:00Z", "2026-11-10T03:00:00Z"},
           {.daily = 3}),
      ElementsAre("2026-11-22T12:00 daily", "2026-11-20T03:00 daily", "2026-11-10T03:00 daily"));
  EXPECT_THAT(
      Kept({"2026-11-22T12:30:00Z", "2026-11-22T12:00:00Z", "2026-11-22T11:59:59Z"}, {.hourly = 2}),
      ElementsAre("2026-11-22T12:30 hourly", "2026-11-22T11:59 hourly"));
  EXPECT_THAT(Kept({"2026-02-01T00:00:00Z", "2026-01-31T23:59:59Z", "2025-12-31T23:59:59Z"},
                   {.monthly = 2, .yearly = 2}),
              ElementsAre("2026-02-01T00:00 monthly yearly", "2026-01-31T23:59 monthly",
                          "2025-12-31T23:59 yearly"));
}

TEST_F(RetentionTest, WeeksAreThoseOfIso) {
  // A Monday, the Sunday before it, and around a new year that begins in the old year's week.
  EXPECT_THAT(
      Kept({"2026-11-23T00:00:00Z", "2026-11-22T23:59:59Z", "2026-11-16T00:00:00Z",
            "2026-11-15T23:59:59Z"},
           {.weekly = 3}),
      ElementsAre("2026-11-23T00:00 weekly", "2026-11-22T23:59 weekly", "2026-11-15T23:59 weekly"));
  EXPECT_THAT(
      Kept({"2026-01-02T00:00:00Z", "2025-12-30T00:00:00Z", "2025-12-28T00:00:00Z"}, {.weekly = 2}),
      ElementsAre("2026-01-02T00:00 weekly", "2025-12-28T00:00 weekly"));
}

TEST_F(RetentionTest, DaysAreThoseOfTheTimeZone) {
  const std::vector<std::string> times = {"2026-11-22T05:30:00Z", "2026-11-22T04:30:00Z"};
  EXPECT_THAT(Kept(times, {.daily = 2}), ElementsAre("2026-11-22T05:30 daily"));
  SetZone("America/New_York");
  EXPECT_THAT(Kept(times, {.daily = 2}),
              ElementsAre("2026-11-22T05:30 daily", "2026-11-22T04:30 daily"));
}

TEST_F(RetentionTest, TheHourThatComesTwiceInAutumnIsTwoHours) {
  SetZone("Europe/Berlin");
  EXPECT_THAT(Kept({"2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z"}, {.hourly = 2}),
              ElementsAre("2026-10-25T01:30 hourly", "2026-10-25T00:30 hourly"));
}

TEST_F(RetentionTest, ASpanIsCountedFromTheNewest) {
  EXPECT_THAT(Kept({"2026-11-22T12:00:00Z", "2026-11-20T12:00:00Z", "2026-11-20T11:59:59Z"},
                   {.within = CalendarSpan{.days = 2}}),
              ElementsAre("2026-11-22T12:00 within", "2026-11-20T12:00 within"));
}

TEST_F(RetentionTest, RulesAddUp) {
  std::vector<std::string> days;
  for (int day = 0; day < 3 * 365; ++day) {
    days.push_back(FormatRfc3339(At("2026-11-22T12:00:00Z") - std::chrono::hours(24 * day)));
  }
  const std::vector<std::string> kept =
      Kept(days, {.daily = 7, .weekly = 5, .monthly = 12, .yearly = 3});
  // 22 November 2026 is a Sunday: the daily ones hold the newest week's, and its month's and
  // year's.
  EXPECT_EQ(kept.front(), "2026-11-22T12:00 daily weekly monthly yearly");
  const auto of = [&](const std::string& rule) {
    return std::ranges::count_if(
        kept, [&](const std::string& line) { return line.find(" " + rule) != std::string::npos; });
  };
  EXPECT_EQ(of("daily"), 7);
  EXPECT_EQ(of("weekly"), 5);
  EXPECT_EQ(of("monthly"), 12);
  EXPECT_EQ(of("yearly"), 3);
  EXPECT_EQ(kept.back(), "2024-12-31T12:00 yearly");
}

TEST_F(RetentionTest, SpansAreReadAsPeopleWriteThem) {
  EXPECT_EQ(ParseCalendarSpan("30d"), (CalendarSpan{.days = 30}));
  EXPECT_EQ(ParseCalendarSpan("12h"), (CalendarSpan{.hours = 12}));
  EXPECT_EQ(ParseCalendarSpan("8w"), (CalendarSpan{.days = 56}));
  EXPECT_EQ(ParseCalendarSpan("6m"), (CalendarSpan{.months = 6}));
  EXPECT_EQ(ParseCalendarSpan("1y6m"), (CalendarSpan{.years = 1, .months = 6}));
  for (const char* text :
       {"", "d", "30", "30D", "-1d", "+1d", "1.5d", "30 d", "0d", "99999d", "d3"}) {
    EXPECT_EQ(ParseCalendarSpan(text), std::nullopt) << text;
  }
}

TEST_F(RetentionTest, SpansFollowTheCalendar) {
  EXPECT_EQ(Before(At("2026-11-22T12:00:00Z"), {.years = 1, .months = 11, .hours = 13}),
            At("2024-12-21T23:00:00Z"));
  EXPECT_EQ(Before(At("2026-03-31T12:00:00Z"), {.months = 1}), At("2026-03-03T12:00:00Z"));
  SetZone("Europe/Berlin");
  // The clocks went back in between: the same time of day is 25 hours ago.
  EXPECT_EQ(Before(At("2026-10-25T12:00:00Z"), {.days = 1}), At("2026-10-24T11:00:00Z"));
}

TEST_F(RetentionTest, NoRuleIsNone) {
  EXPECT_TRUE(RetentionRules().AreNone());
  EXPECT_FALSE(RetentionRules{.last = 1}.AreNone());
  EXPECT_FALSE(RetentionRules{.yearly = 1}.AreNone());
  EXPECT_FALSE(RetentionRules{.within = CalendarSpan{.days = 1}}.AreNone());
}

}  // namespace
}  // namespace oxbackup
