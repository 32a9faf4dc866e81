#include "report/run_summary.h"

#include <gtest/gtest.h>

#include "base/log_line.h"
#include "report/run_summary_testing.h"

namespace oxbackup {
namespace {

std::string Line(const RunSummary& summary) { return DumpLine(SummaryJson(summary)); }

/// The line read again: it has to be JSON, however much was cut.
nlohmann::json Parsed(const RunSummary& summary) {
  const std::string line = Line(summary);
  EXPECT_LE(line.size(), kSummaryBytes);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  return nlohmann::json::parse(line);
}

TEST(RunSummaryTest, ABackupTellsWhatItMade) {
  const nlohmann::json json = Parsed(SuccessfulBackup());
  EXPECT_EQ(json["type"], "summary");
  EXPECT_EQ(json["command"], "backup");
  EXPECT_EQ(json["status"], "complete");
  EXPECT_EQ(json["exit_status"], 0);
  EXPECT_EQ(json["archive"], "backup.2026-11-26.tar.xz");
  EXPECT_EQ(json["version"], "v1");
  EXPECT_EQ(json["location"], "s3://campus/site");
  EXPECT_EQ(json["started"], "2026-11-26T02:00:00.000Z");
  EXPECT_EQ(json["finished"], "2026-11-26T02:20:34.500Z");
  EXPECT_EQ(json["duration_ms"], 1'234'500);
  EXPECT_EQ(json["stored_bytes"], 1000);
  EXPECT_EQ(json["raw_bytes"], 5000);
  EXPECT_EQ(json["components"]["mysql"]["items"], 70);
  EXPECT_EQ(json["components"]["mysql"]["raw_bytes"], 3000);
  EXPECT_EQ(json["warnings"], 0);
  EXPECT_EQ(json["skipped"], false);
  EXPECT_EQ(json["dry_run"], false);
  for (const char* key : {"error", "aftermath", "applied", "first_warnings"}) {
    EXPECT_FALSE(json.contains(key)) << key;
  }
}

TEST(RunSummaryTest, AFailedRunTellsWhyAndWhatToDo) {
  const nlohmann::json json = Parsed(FailedBackup());
  EXPECT_EQ(json["error"]["kind"], "source");
  EXPECT_EQ(json["error"]["message"], "cannot connect to MySQL");
  EXPECT_EQ(json["error"]["cause"], "Access denied (1045)");
  EXPECT_EQ(json["error"]["do"], "check the password");
  EXPECT_EQ(json["aftermath"], "Nothing was written.");
  EXPECT_FALSE(json.contains("archive"));
}

TEST(RunSummaryTest, WhatWasAppliedIsNamed) {
  RunSummary summary = SuccessfulBackup();
  summary.facts.applied = {
      .archive = "backup.2026-11-25.tar.xz", .version = "", .created = TimePoint{}};
  const nlohmann::json json = Parsed(summary);
  EXPECT_EQ(json["applied"]["archive"], "backup.2026-11-25.tar.xz");
  EXPECT_EQ(json["applied"]["created"], "1970-01-01T00:00:00.000Z");
  EXPECT_FALSE(json["applied"].contains("version"));
}

TEST(RunSummaryTest, SwapsThatWereFinishedAreTold) {
  RunSummary summary = SuccessfulBackup();
  EXPECT_FALSE(Parsed(summary).contains("finished_swaps"));
  summary.facts.finished_swaps = 1;
  EXPECT_EQ(Parsed(summary)["finished_swaps"], 1);
}

TEST(RunSummaryTest, WarningsAreCountedAndTheFirstAreShown) {
  RunSummary summary = SuccessfulBackup();
  summary.warnings.assign(400, std::string(1000, 'w'));
  const nlohmann::json json = Parsed(summary);
  EXPECT_EQ(json["warnings"], 400);
  EXPECT_GE(json["first_warnings"].size(), 5u);
  EXPECT_TRUE(json["first_warnings"][0].get<std::string>().ends_with("w…"));
}

TEST(RunSummaryTest, WarningsGiveWayToTheError) {
  RunSummary summary = FailedBackup();
  summary.warnings.assign(20, std::string(250, 'w'));
  const std::string cause(3000, 'c');
  summary.error = Error(ErrorKind::kSource, "it failed").Cause(cause);
  const nlohmann::json json = Parsed(summary);
  EXPECT_EQ(json["error"]["cause"], cause);
  EXPECT_EQ(json["warnings"], 20);
}

TEST(RunSummaryTest, LongTextsAreCutAndNamesStayWhole) {
  RunSummary summary = FailedBackup();
  summary.facts.archive = std::string(255, 'a');
  summary.error = Error(ErrorKind::kSource, std::string(5000, 'm'))
                      .Cause(std::string(5000, 'c'))
                      .Hint(std::string(5000, 'h'));
  const nlohmann::json json = Parsed(summary);
  EXPECT_EQ(json["archive"], summary.facts.archive);
  EXPECT_GE(json["error"]["message"].get<std::string>().size(), 500u);
}

TEST(RunSummaryTest, WhateverIsLongItIsValidAndShort) {
  // A quote doubles in JSON, a control character takes six bytes, half a character becomes one.
  for (const std::string piece : {"x", "\"", "\x01", "ü", "😀", "\xff", "\xc3"}) {
    std::string text;
    while (text.size() < 9000) text += piece;
    RunSummary summary = FailedBackup();
    summary.error = Error(ErrorKind::kSource, text).Cause(text).Hint(text);
    summary.aftermath = text;
    summary.warnings.assign(50, text);
    summary.facts = {.location = text, .archive = text, .version = text};
    summary.facts.applied = {.archive = text, .version = text};
    for (int number = 0; number < 200; ++number) {
      summary.facts.components.push_back({.name = "component " + std::to_string(number)});
    }
    const nlohmann::json json = Parsed(summary);
    EXPECT_EQ(json["exit_status"], 1) << piece;
    EXPECT_EQ(json["warnings"], 50) << piece;
    EXPECT_FALSE(json["error"]["message"].get<std::string>().empty()) << piece;
  }
}

TEST(CutTextTest, NeverCutsACharacter) {
  EXPECT_EQ(CutText("short", 8), "short");
  EXPECT_EQ(CutText("exactly8", 8), "exactly8");
  EXPECT_EQ(CutText("nine bytes", 9), "nine b…");
  EXPECT_EQ(CutText("aäöüßaäöüß", 8), "aäö…");
  EXPECT_EQ(CutText("😀😀😀", 8), "😀…");
}

}  // namespace
}  // namespace oxbackup
