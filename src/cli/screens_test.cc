// Whole screens: what an operator sees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/archive_screens.h"
#include "cli/error_text.h"
#include "cli/restore_screens.h"
#include "cli/screens_testing.h"
#include "cli/text_table.h"

namespace oxbackup {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(ScreensTest, InspectShowsWhatIsInAnArchive) {
  const ArchiveEntry entry = Entry("backup.2026-11-22.tar.xz", "2026-11-22T20:48:00Z", 241000000);
  const ComponentManifest& mysql = entry.manifest->components[0];
  const StoredSizes stored{.components = {{"mysql", 241000000}},
                           .objects = {{&mysql.objects[0], 240999000}}};
  EXPECT_EQ(RenderInspect(entry, stored, false, kPlain),
            "backup.2026-11-22.tar.xz\n"
            "  made         2026-11-22 20:48:00 UTC on campus.example.org by openedx-backup\n"
            "               5.0.0 in 31 s\n"
            "  servers      MySQL 8.4.0\n"
            "  size         812 MB of data in 241 MB, xz:1, 1 block\n"
            "  mysql        global read lock\n"
            "  lock         writers waited 38 ms (mysql)\n"
            "\n"
            "  mysql  1 database  1 table  1,204,311 rows  812 MB  digest 32a8…e0\n"
            "  caddy                           17 entries   20 kB  digest 7942…c6\n"
            "\n"
            "mysql, 241 MB stored\n"
            "                                                size  stored  digest\n"
            "  openedx.auth_user        1,204,311 rows     812 MB  241 MB  7f3a…c1\n"
            "  openedx.v          view                  100 bytes\n");
}

TEST_F(ScreensTest, WhatTheDatabasesStandForIsSaidWithSkewAndLock) {
  Manifest manifest = SomeManifest();
  manifest.components[1].consistency = "file by file";
  ComponentManifest mongodb;
  mongodb.name = "mongodb";
  mongodb.server_flavour = "MongoDB";
  mongodb.consistency = "replica set, oplog to 7433:2";
  mongodb.positions = {{"oplog_end", "7433:2"}};
  mongodb.lock_ms = 1200;
  manifest.components.insert(manifest.components.begin() + 1, mongodb);
  EXPECT_EQ(RenderMoments(manifest, false, kPlain),
            "  mysql        global read lock\n"
            "  mongodb      replica set, oplog to 7433:2\n"
            "  skew         11 ms between the moments of mysql and mongodb\n"
            "  lock         writers waited 38 ms (mysql), 1 s (mongodb)\n");
  EXPECT_THAT(RenderMoments(manifest, true, kPlain),
              AllOf(HasSubstr("oplog to 7433:2; oplog_end 7433:2\n"),
                    HasSubstr("  caddy        file by file\n")));
}

class RestoredScreenTest : public ScreensTest {
 protected:
  static RestoreReport Report() {
    RestoreReport report;
    report.archive = "backup.2026-11-22.tar.xz";
    report.manifest = std::make_unique<Manifest>(SomeManifest());
    report.components = {"mysql", "caddy"};
    report.swap_ms = 38;
    report.swapped_at = At("2026-11-23T00:00:00Z");
    report.duration = std::chrono::seconds(31);
    report.verified_items = {{"mysql", 7}, {"caddy", 17}};
    return report;
  }
};

TEST_F(RestoredScreenTest, ARestoreEndsWithWhatIsThereNowAndThatItWasVerified) {
  EXPECT_EQ(RenderRestored(Report(), {}, {}, kPlain),
            "Restored backup.2026-11-22.tar.xz in 31 s: mysql, caddy swapped in at 2026-11-23\n"
            "00:00:00 UTC; readers or writers waited 38 ms for it.\n"
            "  mysql  1 database  1 table  1,204,311 rows  812 MB  digest 32a8…e0\n"
            "  caddy                           17 entries   20 kB  digest 7942…c6\n"
            "  Verified before the swap: what was loaded was read back, and its counts and\n"
            "  digests are those of the archive.\n");
  const nlohmann::ordered_json json = RestoredJson(Report(), {});
  EXPECT_EQ(json[0]["items"], 1204311);
  EXPECT_EQ(json[0]["objects"], 1);
  EXPECT_EQ(json[1]["name"], "caddy");
}

TEST_F(RestoredScreenTest, WhatTheSiteHoldsIsSaidAtTheEndBeforeTheQuestionAndWhenItIsSkipped) {
  RestoreReport report = Report();
  report.applied = AppliedArchive{.archive = "backup.2026-11-22.tar.xz",
                                  .version = "",
                                  .identity = "ab",
                                  .created = "2026-11-22T20:48:20Z",
                                  .applied = "2026-11-23T00:00:00Z",
                                  .run_id = "run"};
  EXPECT_THAT(
      RenderRestored(report, {}, {}, kPlain),
      HasSubstr("The site holds backup.2026-11-22.tar.xz, made 2026-11-22 20:48:20 UTC.\n"));
  const TerminalStyle wide{.width = 200, .unicode = true, .colour = false};
  RestorePreview preview{
      .archive = "backup.2026-11-23.tar.xz", .plans = {}, .left_out = {}, .not_held = {}};
  preview.held = {{"mysql", *report.applied}, {"caddy", *report.applied}};
  EXPECT_THAT(RenderPreview(preview, "", At("2026-11-23T00:00:00Z"), wide),
              HasSubstr("Live now in mysql, caddy: backup.2026-11-22.tar.xz, made 2026-11-22 "
                        "20:48:20 UTC, restored 2026-11-23 00:00:00 UTC.\n"));
  report.skipped = true;
  EXPECT_EQ(
      RenderSkipped(report, false, At("2026-11-23T02:00:00Z"), wide),
      "Skipped: the site already holds backup.2026-11-22.tar.xz, made 2026-11-22 20:48:20 UTC, "
      "restored 2026-11-23 00:00:00 UTC (it is 5 h 11 min old). Nothing was changed.\n");
  EXPECT_THAT(
      RenderSkipped(report, true, At("2026-11-23T02:00:00Z"), wide),
      AllOf(HasSubstr("It would be skipped: "), HasSubstr("Nothing was changed (--dry-run).")));
  EXPECT_EQ(RenderRefused(report), "Nothing was changed.\n");
  report.finished_swaps = {"the restore that was interrupted was finished"};
  EXPECT_THAT(RenderSkipped(report, false, At("2026-11-23T02:00:00Z"), wide),
              HasSubstr("Nothing else was changed."));
  EXPECT_EQ(RenderRefused(report), "Nothing else was changed.\n");
}

TEST_F(RestoredScreenTest, OfAPartAndOfAForeignArchiveThereIsWhatWasReadBack) {
  EXPECT_THAT(
      RenderRestored(Report(), {"mysql"}, {"w"}, kPlain),
      AllOf(HasSubstr("Restored with 1 warning backup."), HasSubstr("  mysql      7 rows\n"),
            HasSubstr("  caddy  17 entries  20 kB  digest ")));
  RestoreReport foreign = Report();
  foreign.manifest = nullptr;
  EXPECT_THAT(RenderRestored(foreign, {}, {}, kPlain),
              AllOf(HasSubstr("  mysql      7 rows\n  caddy  17 entries\n"),
                    HasSubstr("which holds no digests of its own")));
  EXPECT_EQ(RestoredJson(foreign, {})[0],
            nlohmann::ordered_json({{"name", "mysql"}, {"items", 7}}));
}

TEST_F(ScreensTest, ThePreviewNamesWhatIsReplacedBesideWhatComes) {
  const Manifest manifest = SomeManifest();
  RestorePreview preview{.archive = "backup.2026-11-22.tar.xz",
                         .manifest = &manifest,
                         .plans = {},
                         .left_out = {},
                         .not_held = {"config"},
                         .passed_over = {}};
  preview.plans = {
      {"mysql",
       {.replaced = {{"openedx", "398 tables, 1.1 GB", "405 tables, 1.0 GB"}},
        .bytes_needed = 1300000000,
        .bytes_free = 41000000000}},
      {"caddy",
       {.replaced = {{"/data", "17 entries", "17 entries"}}, .bytes_needed = 0, .bytes_free = {}}}};
  EXPECT_EQ(
      RenderPreview(preview, "media (--media is not set)", At("2026-11-23T00:00:00Z"), kPlain),
      "backup.2026-11-22.tar.xz, made 2026-11-22 20:48:00 UTC (3 h 12 min ago) on\n"
      "campus.example.org by openedx-backup 5.0.0, MySQL 8.4.0.\n"
      "\n"
      "  This replaces           now (on disk)       after (in the archive)\n"
      "    mysql        openedx  398 tables, 1.1 GB  405 tables, 1.0 GB\n"
      "    caddy        /data    17 entries          17 entries\n"
      "  In the archive, but not restored: media (--media is not set).\n"
      "  Not in the archive, so it stays as it is: config.\n"
      "  The site keeps running on its present data until the last second; then\n"
      "  everything is swapped at once.\n"
      "  Space needed meanwhile: mysql 1.3 GB (free: 41 GB).\n");
  preview.passed_over = "backup.2026-11-23.tar.xz (without caddy)";
  EXPECT_THAT(RenderPreview(preview, "", At("2026-11-23T00:00:00Z"), kPlain),
              HasSubstr("MySQL 8.4.0.\nNewer, but not whole: backup.2026-11-23.tar.xz (without "
                        "caddy).\n\n"));
  preview.in_place = true;
  EXPECT_THAT(
      RenderPreview(preview, "", At("2026-11-23T00:00:00Z"), kPlain),
      HasSubstr("  In place: the archive is checked from end to end, then what is now in mysql,\n"
                "  caddy is REMOVED, and only then is the archive loaded. The site is down\n"
                "  meanwhile, and there is no undo. If the load fails, there are no data until it\n"
                "  is run again.\n"
                "  Space needed, and free without the live data: mysql 1.3 GB (free: 41 GB).\n"));
}

TEST_F(ScreensTest, ThePreviewRepeatsWhatTheBackupWarnedOf) {
  Manifest manifest = SomeManifest();
  manifest.warnings = {
      "dump@mysql has no right TRIGGER on all of openedx: triggers that it cannot "
      "see are not in the backup"};
  const RestorePreview preview{.archive = "backup.2026-11-22.tar.xz",
                               .manifest = &manifest,
                               .plans = {},
                               .left_out = {},
                               .not_held = {}};
  EXPECT_THAT(
      RenderPreview(preview, "", At("2026-11-23T00:00:00Z"), kPlain),
      HasSubstr("  The backup ended with 1 warning:\n"
                "    - dump@mysql has no right TRIGGER on all of openedx: triggers that it cannot\n"
                "      see are not in the backup\n"));
  manifest.warnings.assign(12, "w");
  EXPECT_THAT(RenderPreview(preview, "", At("2026-11-23T00:00:00Z"), kPlain),
              HasSubstr("    - w\n    - and 2 more, which openedx-backup inspect shows\n"));
}

TEST_F(ScreensTest, ALongPathInThePreviewHasALineOfItsOwnInsteadOfBreakingTheColumns) {
  const Manifest manifest = SomeManifest();
  const RestorePreview preview{
      .archive = "backup.2026-11-22.tar.xz",
      .manifest = &manifest,
      .plans = {{"mysql",
                 {.replaced = {{"openedx", "398 tables, 1.1 GB", "405 tables, 1.0 GB"}},
                  .bytes_needed = 0,
                  .bytes_free = {}}},
                {"media",
                 {.replaced = {{"/var/lib/openedx/data/local/openedx-media",
                                "8,201 entries, 2.1 GB", "8,199 entries, 2.1 GB"}},
                  .bytes_needed = 0,
                  .bytes_free = {}}}},
      .left_out = {},
      .not_held = {"config"}};
  const std::string screen = RenderPreview(preview, "", At("2026-11-23T00:00:00Z"), kPlain);
  EXPECT_THAT(
      screen,
      HasSubstr("  This replaces           now (on disk)          after (in the archive)\n"
                "    mysql        openedx  398 tables, 1.1 GB     405 tables, 1.0 GB\n"
                "    media        /var/lib/openedx/data/local/openedx-media\n"
                "                          8,201 entries, 2.1 GB  8,199 entries, 2.1 GB\n"));
}

TEST(TextTableTest, NoLineOfATableThatHasToFitIsWiderThanAllowed) {
  TextTable table({TextTable::Align::kLeft, TextTable::Align::kLeft, TextTable::Align::kRight});
  table.AddRow({"a", "a text that is long", "1"});
  table.AddRow({"b", "short", "12,345"});
  for (const int width : {22, 24, 30, 40}) {
    for (const std::string& line : SplitNonEmpty(table.RenderWithin(0, width, 1), "\n")) {
      EXPECT_LE(DisplayWidth(line), width) << line;
    }
  }
  EXPECT_EQ(table.RenderWithin(0, 40, 1), table.Render(0));
}

TEST_F(ScreensTest, AnErrorSaysWhatWhileWhyAndWhatToDo) {
  const Error error = Error(ErrorKind::kSource, "MySQL refused the snapshot lock")
                          .While("taking a consistent snapshot of openedx on mysql:3306")
                          .Cause(
                              "Access denied; you need (at least one of) the RELOAD or "
                              "FLUSH_TABLES privilege(s) (1227)")
                          .Tried("instance lock, LOCK TABLES")
                          .Hint("grant RELOAD to lms_backup, or pass --mysql-readers 1");
  EXPECT_EQ(RenderError(error, "Nothing was written.", kPlain),
            "error: MySQL refused the snapshot lock\n"
            "  while:  taking a consistent snapshot of openedx on mysql:3306\n"
            "  cause:  Access denied; you need (at least one of) the RELOAD or FLUSH_TABLES\n"
            "          privilege(s) (1227)\n"
            "  tried:  instance lock, LOCK TABLES\n"
            "  do:     grant RELOAD to lms_backup, or pass --mysql-readers 1\n"
            "Nothing was written. Exit status 1.\n");
  const nlohmann::ordered_json json = ErrorJson(error, "backup", "Nothing was written.");
  EXPECT_EQ(json["exit_status"], 1);
  EXPECT_EQ(json["error"]["kind"], "source");
  EXPECT_EQ(json["error"]["do"], "grant RELOAD to lms_backup, or pass --mysql-readers 1");
}

TEST_F(ScreensTest, AnErrorInALogOfJsonIsOneObjectWithAllItsParts) {
  const nlohmann::ordered_json line = ErrorLogLine(
      Error(ErrorKind::kStore, "no room").While("copying").Cause("ENOSPC").Hint("make room"),
      "Nothing was written.");
  EXPECT_EQ(line["level"], "error");
  EXPECT_EQ(line["message"], "no room");
  EXPECT_EQ(line["error"]["while"][0], "copying");
  EXPECT_EQ(line["error"]["do"], "make room");
  EXPECT_EQ(line["aftermath"], "Nothing was written.");
  EXPECT_EQ(line["exit_status"], 1);
}

TEST_F(ScreensTest, ABackupThatFailedWhileItWasReadBackSaysThatTheArchiveIsThere) {
  Progress board;
  EXPECT_EQ(AftermathOfBackup(board.Read()), "Nothing was written.");
  board.Begin("archive", "write", 0);
  EXPECT_EQ(AftermathOfBackup(board.Read()), "Nothing was written.");
  board.Begin("archive", "read back", 100);
  board.Add("archive", 0, 0, "backup.2026-11-22.tar.xz");
  EXPECT_EQ(
      AftermathOfBackup(board.Read()),
      "backup.2026-11-22.tar.xz was written, but not read back to its end: verify it or remove "
      "it.");
}

TEST_F(ScreensTest, WhoAskedToStopIsNotShownAnError) {
  const Error error = CancelledError().While("copying the table openedx.auth_user");
  EXPECT_EQ(RenderError(error, "Nothing was written.", kPlain),
            "Stopped on request. Nothing was written. Exit status 130.\n");
}

TEST_F(ScreensTest, ColourOnlyAddsToWhatTheWordsSay) {
  const Error error(ErrorKind::kCorrupt, "block 3 is damaged");
  const TerminalStyle colour{.width = 80, .unicode = true, .colour = true};
  EXPECT_THAT(RenderError(error, "", colour), HasSubstr("\x1b[31merror:\x1b[0m block 3"));
  EXPECT_THAT(RenderError(error, "", kPlain), Not(HasSubstr("\x1b")));
}

TEST(TerminalTest, ANumberIsNotPartedFromItsUnitAtALinesEnd) {
  EXPECT_EQ(WrapAt("needed: 4.1 kB (free: 65 GB).", 2, 14),
            "needed:\n  4.1 kB\n  (free:\n  65 GB).");
  EXPECT_EQ(WrapAt("done in s", 0, 8), "done in\ns");
}

TEST(TerminalTest, WidthCountsColumnsAndNotBytes) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("é…"), 2);
  EXPECT_EQ(DisplayWidth("漢字"), 4);
  EXPECT_EQ(Shorten("漢字漢字", 5, true), "漢字…");
  EXPECT_EQ(Shorten("courseware", 8, false), "cours...");
  EXPECT_EQ(PadLeft("字", 4), "  字");
}

}  // namespace
}  // namespace oxbackup
