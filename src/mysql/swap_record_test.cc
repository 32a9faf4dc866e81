#include "mysql/swap_record.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "mysql/applied_record.h"

namespace oxbackup::mysql {
namespace {

SwapRecord Sample() {
  SwapRecord record;
  record.state = SwapRecord::State::kUndoing;
  record.intent = {"run-1", "backup.2026-11-22.tar.xz", "2026-11-22T20:48:20Z", {"mysql"}, true};
  record.databases.push_back({"edx",
                              "edx__restore",
                              "edx__old",
                              false,
                              "utf8mb4",
                              "utf8mb4_0900_ai_ci",
                              "latin1",
                              "latin1_swedish_ci",
                              {"a`b", "ü"},
                              {"c"},
                              {{"a`b", {"ADD CONSTRAINT `k\xff`", "ADD CONSTRAINT `ü`"}}}});
  record.new_objects.push_back({ObjectScript::Kind::kView, "edx", "v", "CREATE VIEW `ü`"});
  record.old_objects.push_back({ObjectScript::Kind::kTriggers, "edx", "t", "latin1: \xfc\xff\n"});
  record.old_objects.push_back({ObjectScript::Kind::kPost, "edx", "", ""});
  record.new_accounts = "CREATE USER";
  record.old_accounts = std::string("\0\x80", 2);
  record.routine_rights = "GRANT EXECUTE ON FUNCTION `d`.`f` TO `\x80`@`%`;\n";
  record.flush_logs = false;
  record.new_applied = R"({"new": "\u00fc"})";
  record.old_applied = R"({"old": 1})";
  return record;
}

TEST(SwapRecord, ComesBackFromItsText) {
  EXPECT_EQ(ParseRecord(SerializeRecord(Sample())), Sample());
  for (const auto state : {SwapRecord::State::kOpen, SwapRecord::State::kUndone,
                           SwapRecord::State::kClosing, SwapRecord::State::kKept}) {
    SwapRecord record = Sample();
    record.state = state;
    EXPECT_EQ(ParseRecord(SerializeRecord(record)).state, state);
  }
}

TEST(SwapRecord, WhatARestoreBroughtComesBackFromItsText) {
  AppliedRecord record;
  record.archive = {"backup.2026-11-26.tar.xz", "v1", "abc", "2026-11-26T03:00:00Z",
                    "2026-11-26T03:31:00Z",     "run"};
  record.scope = ScopeOf({});
  record.tables = {{"edx", {"a`b", "ü"}}, {"empty", {}}};
  EXPECT_EQ(ParseAppliedRecord(SerializeAppliedRecord(record)), record);
  for (const char* const other : {"", "{}", "null", "[1]", R"({"archive": {}})"}) {
    EXPECT_FALSE(ParseAppliedRecord(other)) << other;
  }
}

TEST(SwapRecord, TheScopeTellsSettingsThatRestoreAnotherPartApart) {
  RestoreOptions some;
  some.databases = {"b", "a"};
  RestoreOptions same = some;
  same.databases = {"a", "b"};
  same.workers = 1;
  EXPECT_EQ(ScopeOf(some), ScopeOf(same));
  EXPECT_NE(ScopeOf(some), ScopeOf({}));
  same.accounts = false;
  EXPECT_NE(ScopeOf(some), ScopeOf(same));
}

TEST(SwapRecord, DamagedTextIsAnError) {
  const std::string text = SerializeRecord(Sample());
  EXPECT_THROW(ParseRecord(text.substr(0, text.size() / 2)), Error);
  EXPECT_THROW(ParseRecord("{}"), Error);
  std::string unknown = text;
  unknown.replace(unknown.find("undoing"), 7, "unknown");
  EXPECT_THROW(ParseRecord(unknown), Error);
}

}  // namespace
}  // namespace oxbackup::mysql
