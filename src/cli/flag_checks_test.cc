#include "cli/flag_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace oxbackup {
namespace {

using ::testing::HasSubstr;

using Flags = SettingValues::Flags;
using Variables = std::map<std::string, std::string>;

// What is said against these flags; empty when nothing is.
std::string Refusal(CommandBit command, const Flags& flags, const Variables& variables = {}) {
  const SettingValues settings(
      command, flags,
      [&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      std::nullopt);
  try {
    RefuseIdleFlags(settings, command);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(error.hint(), "");
    return error.what();
  }
  return "";
}

TEST(FlagChecksTest, SettingsOfAServerNeedTheServer) {
  for (const CommandBit command : {kBackup, kRestore}) {
    EXPECT_EQ(Refusal(command, {{"mysql-port", {"3307"}}}),
              "--mysql-port does nothing without a server: MySQL is left out");
    EXPECT_EQ(Refusal(command, {{"mongodb-tls", {"true"}}}),
              "--mongodb-tls does nothing without a server: MongoDB is left out");
    EXPECT_EQ(Refusal(command, {{"mysql-port", {"3307"}}}, {{"MYSQL_HOST", "mysql"}}), "");
  }
  EXPECT_EQ(Refusal(kBackup, {}, {{"MYSQL_PORT", "3306"}, {"MONGODB_USERNAME", "u"}}), "");
}

TEST(FlagChecksTest, ASocketTakesThePlaceOfHostAndPort) {
  EXPECT_THAT(Refusal(kBackup, {{"mysql-host", {"db"}}, {"mysql-socket", {"/s"}}}),
              HasSubstr("--mysql-host does nothing beside a socket"));
  EXPECT_THAT(Refusal(kBackup, {{"mysql-port", {"1"}}}, {{"MYSQL_SOCKET", "/s"}}),
              HasSubstr("--mysql-port does nothing beside a socket"));
  EXPECT_EQ(Refusal(kBackup, {{"mysql-socket", {"/s"}}}, {{"MYSQL_HOST", "db"}}), "");
}

TEST(FlagChecksTest, WhatBelongsToAnAccountOrToTlsNeedsIt) {
  EXPECT_THAT(Refusal(kBackup, {{"mongodb-host", {"m"}}, {"mongodb-password", {"/f"}}}),
              HasSubstr("--mongodb-password-file does nothing without an account"));
  EXPECT_EQ(
      Refusal(kBackup,
              {{"mongodb-host", {"m"}}, {"mongodb-user", {"u"}}, {"mongodb-password", {"/f"}}}),
      "");
  EXPECT_THAT(
      Refusal(kBackup,
              {{"mysql-host", {"m"}}, {"mysql-tls", {"disabled"}}, {"mysql-ca-file", {"/ca"}}}),
      HasSubstr("--mysql-ca-file does nothing with --mysql-tls disabled"));
}

TEST(FlagChecksTest, VerifyLooksAtTheSiteOnlyWhenItIsToldTo) {
  EXPECT_THAT(Refusal(kVerify, {{"only", {"mysql"}}}),
              HasSubstr("--only does nothing without --against-live"));
  EXPECT_THAT(Refusal(kVerify, {{"caddy", {"/caddy"}}}),
              HasSubstr("--caddy does nothing without --against-live"));
  EXPECT_THAT(Refusal(kVerify, {{"mysql-host", {"db"}}}),
              HasSubstr("--mysql-host does nothing without --against-live"));
  EXPECT_THAT(Refusal(kVerify, {{"quick", {"true"}}, {"threads", {"2"}}}),
              HasSubstr("--threads does nothing with --quick"));
  EXPECT_THAT(Refusal(kVerify, {{"quick", {"true"}}, {"against-live", {"true"}}}),
              HasSubstr("--quick does nothing with --against-live"));
  EXPECT_EQ(
      Refusal(kVerify, {{"only", {"mysql"}}, {"mysql-host", {"db"}}, {"against-live", {"true"}}}),
      "");
  EXPECT_EQ(Refusal(kVerify, {}, {{"MYSQL_HOST", "db"}, {"BACKUP_CADDY", "/caddy"}}), "");
}

TEST(FlagChecksTest, ADiffNamesItsArchives) {
  EXPECT_THAT(Refusal(kInspect, {{"diff", {"a", "b"}}, {"tables", {"true"}}}),
              HasSubstr("--tables does nothing with --diff"));
  EXPECT_THAT(Refusal(kInspect, {{"diff", {"/x/a", "/x/b"}}, {"location", {"/x"}}}),
              HasSubstr("--from does nothing with --diff"));
  EXPECT_EQ(Refusal(kInspect, {{"diff", {"a", "/x/b"}}, {"location", {"/x"}}}), "");
}

TEST(FlagChecksTest, AnUndoReadsNoArchiveAndMayBeOfSomeComponents) {
  for (const char* id : {"location", "date", "name", "keep-old", "drop-old", "dry-run"}) {
    EXPECT_THAT(Refusal(kRestore, {{"undo", {"true"}}, {id, {"x"}}}),
                HasSubstr("does nothing with --undo"))
        << id;
  }
  for (const char* id : {"only", "exclude"}) {
    EXPECT_EQ(Refusal(kRestore, {{"undo", {"true"}}, {id, {"mysql"}}}), "") << id;
  }
  EXPECT_EQ(Refusal(kRestore, {{"undo", {"true"}}}, {{"BACKUP_LOCATION", "/backup"}}), "");
  EXPECT_EQ(Refusal(kRestore, {{"dry-run", {"true"}}, {"yes", {"true"}}, {"keep-old", {"true"}}}),
            "");
}

TEST(FlagChecksTest, DroppingOldDataIsOfAllOfThem) {
  for (const char* id : {"location", "only", "exclude", "date", "name", "keep-old", "dry-run"}) {
    EXPECT_THAT(Refusal(kRestore, {{"drop-old", {"true"}}, {id, {"x"}}}),
                HasSubstr("does nothing with --drop-old"))
        << id;
  }
  EXPECT_EQ(Refusal(kRestore, {{"drop-old", {"true"}}, {"yes", {"true"}}},
                    {{"BACKUP_LOCATION", "/backup"}}),
            "");
}

TEST(FlagChecksTest, AnIntervalIsOfLinesAndObjects) {
  EXPECT_THAT(Refusal(kExtract, {{"progress", {"none"}}, {"progress-interval", {"1"}}}),
              HasSubstr("--progress-interval does nothing with --progress none"));
  EXPECT_EQ(Refusal(kExtract, {{"progress", {"json"}}, {"progress-interval", {"1"}}}), "");
  EXPECT_EQ(Refusal(kExtract, {{"progress-interval", {"1"}}}), "");
  EXPECT_THAT(Refusal(kBackup, {{"progress", {"bar"}}}, {{"LOG_FORMAT", "json"}}),
              HasSubstr("--progress bar and a log in JSON exclude each other"));
}

TEST(FlagChecksTest, ARestoreInPlaceKeepsNothingAndUndoesNothing) {
  EXPECT_EQ(Refusal(kRestore, {{"in-place", {"true"}}}), "");
  EXPECT_THAT(Refusal(kRestore, {{"in-place", {"true"}}, {"keep-old", {"true"}}}),
              HasSubstr("--keep-old does nothing with --in-place"));
  for (const std::string other : {"undo", "drop-old"}) {
    EXPECT_THAT(Refusal(kRestore, {{"in-place", {"true"}}, {other, {"true"}}}),
                HasSubstr("--in-place does nothing with --" + other));
  }
}

}  // namespace
}  // namespace oxbackup
