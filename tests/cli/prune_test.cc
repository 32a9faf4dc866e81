// Removing old archives, and listing versions, through the command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command_testing.h"

namespace oxbackup {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class PruneCommandTest : public ::testing::Test {
 protected:
  PruneCommandTest() {
    for (const char* const day : {"1", "2", "3"}) Backup(std::string("backup.2026-01-0") + day);
  }

  void Backup(const std::string& name) const {
    const ProcessResult result = site_.Run({"backup", "--to", site_.archives(), "--caddy",
                                            site_.caddy(), "--name", name, "--only", "caddy"});
    EXPECT_EQ(result.status, 0) << result.error;
  }
  std::vector<std::string> Prune(std::vector<std::string> more) const {
    more.insert(more.begin(), {"prune", "--from", site_.archives()});
    return more;
  }

  const CommandSite site_;
};

TEST_F(PruneCommandTest, WithoutATerminalItRemovesOnlyWhenToldTo) {
  const ProcessResult asked = site_.Run(Prune({"--keep-last", "1"}));
  EXPECT_EQ(asked.status, 2);
  EXPECT_THAT(asked.error, HasSubstr("--yes"));
  EXPECT_THAT(asked.error, HasSubstr("Nothing was removed."));
  EXPECT_THAT(site_.Stored(), SizeIs(3));
  const ProcessResult dry = site_.Run(Prune({"--keep-last", "1", "--dry-run"}));
  EXPECT_EQ(dry.status, 0) << dry.error;
  EXPECT_THAT(dry.out, HasSubstr("1 archive ("));
  EXPECT_THAT(dry.out, HasSubstr("2 archives ("));
  EXPECT_THAT(dry.out, HasSubstr("Nothing was removed (--dry-run)."));
  EXPECT_THAT(site_.Stored(), SizeIs(3));
  const ProcessResult done = site_.Run(Prune({"--keep-last", "1", "--yes"}));
  EXPECT_EQ(done.status, 0) << done.error;
  EXPECT_THAT(done.out, HasSubstr("Removed 2 archives ("));
  EXPECT_THAT(site_.Stored(), ElementsAre("backup.2026-01-03.tar.xz"));
}

TEST_F(PruneCommandTest, OnATerminalItShowsWhatGoesAndAsks) {
  const auto refused = site_.StartOnTerminal(Prune({"--keep-last", "2"}));
  ASSERT_TRUE(refused->Await("Remove them? [y/N] ")) << refused->written();
  EXPECT_THAT(refused->written(), HasSubstr("backup.2026-01-01.tar.xz"));
  EXPECT_THAT(refused->written(), HasSubstr("last, newest"));
  refused->Type("n\n");
  EXPECT_EQ(refused->Wait(), 130);
  EXPECT_THAT(site_.Stored(), SizeIs(3));
  const auto agreed = site_.StartOnTerminal(Prune({"--keep-last", "2"}));
  ASSERT_TRUE(agreed->Await("Remove them? [y/N] ")) << agreed->written();
  agreed->Type("y\n");
  EXPECT_EQ(agreed->Wait(), 0) << agreed->written();
  EXPECT_THAT(site_.Stored(), ElementsAre("backup.2026-01-02.tar.xz", "backup.2026-01-03.tar.xz"));
}

TEST_F(PruneCommandTest, WhatChangesWhileItAsksStays) {
  const auto prune = site_.StartOnTerminal(Prune({"--keep-last", "1"}));
  ASSERT_TRUE(prune->Await("Remove them? [y/N] ")) << prune->written();
  const std::string first = site_.archives() + "/backup.2026-01-01.tar.xz";
  std::filesystem::remove(first);
  Backup("backup.2026-01-01");
  WriteTestFile(site_.archives() + "/backup.2026-01-02.tar.xz.keep", "");
  prune->Type("y\n");
  EXPECT_EQ(prune->Wait(), 3) << prune->written();
  EXPECT_THAT(prune->written(), HasSubstr("Removed 0 of 2; 2 changed meanwhile and stayed."));
  EXPECT_THAT(prune->written(), HasSubstr("pinned"));
  EXPECT_THAT(site_.Stored(), SizeIs(4));
}

TEST_F(PruneCommandTest, ItsJsonSaysWhatStaysAndWhy) {
  Backup("before-upgrade");
  WriteTestFile(site_.archives() + "/backup.2026-01-01.tar.xz.keep", "");
  const nlohmann::json json =
      site_.RunJson({"prune", "--from", site_.archives(), "--keep-last", "1", "--yes"});
  EXPECT_EQ(json["status"], "complete");
  EXPECT_EQ(json["pruned"], true);
  ASSERT_THAT(json["removed"], SizeIs(1));
  EXPECT_EQ(json["removed"][0]["name"], "backup.2026-01-02.tar.xz");
  EXPECT_EQ(json["removed_bytes"], json["removed"][0]["stored_bytes"]);
  std::map<std::string, nlohmann::json> kept;
  for (const auto& archive : json["kept"]) kept[archive["name"]] = archive["kept_by"];
  EXPECT_EQ(kept["backup.2026-01-01.tar.xz"], nlohmann::json({"pinned"}));
  EXPECT_EQ(kept["backup.2026-01-03.tar.xz"], nlohmann::json({"last"}));
  EXPECT_EQ(kept["before-upgrade.tar.xz"], nlohmann::json({"newest", "a name of its own"}));
}

TEST_F(PruneCommandTest, RulesCanComeFromVariablesAndTheSettingsFile) {
  EXPECT_EQ(site_.Run(Prune({"--dry-run"})).status, 2);
  const ProcessResult variable = site_.Run(Prune({"--yes"}), {{"BACKUP_PRUNE_KEEP_LAST", "2"}});
  EXPECT_EQ(variable.status, 0) << variable.error;
  EXPECT_THAT(site_.Stored(), SizeIs(2));
  const std::string file = (site_.path() / "settings.toml").string();
  WriteTestFile(file, "keep-last = 1\n");
  const ProcessResult filed = site_.Run(Prune({"--yes", "--config", file}));
  EXPECT_EQ(filed.status, 0) << filed.error;
  EXPECT_THAT(site_.Stored(), SizeIs(1));
}

TEST_F(PruneCommandTest, AFolderHasNoVersionsToListOrToChoose) {
  const ProcessResult listed = site_.Run({"list", "--from", site_.archives(), "--list-versions=2"});
  EXPECT_EQ(listed.status, 0) << listed.error;
  EXPECT_THAT(listed.out, HasSubstr("backup.2026-01-03.tar.xz"));
  EXPECT_THAT(listed.out, Not(HasSubstr("backup.2026-01-01.tar.xz")));
  EXPECT_THAT(listed.out, HasSubstr("The 2 newest of 3 (--list-versions=3 shows all)."));
  EXPECT_THAT(listed.out, HasSubstr("keeps no versions"));
  const nlohmann::json json =
      site_.RunJson({"list", "--from", site_.archives(), "--list-versions"});
  EXPECT_EQ(json["keeps_versions"], false);
  EXPECT_EQ(json["total"], 3);
  EXPECT_THAT(json["versions"], SizeIs(3));
  const ProcessResult chosen =
      site_.Run({"inspect", "--from", site_.archives(), "--version", "abc"});
  EXPECT_EQ(chosen.status, 4);
  EXPECT_THAT(chosen.error, HasSubstr("list --list-versions"));
  EXPECT_THAT(chosen.out, IsEmpty());
}

}  // namespace
}  // namespace oxbackup
