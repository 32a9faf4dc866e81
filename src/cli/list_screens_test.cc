// The screens of list, list --list-versions and prune.
#include "cli/list_screens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/prune_screens.h"
#include "cli/screens_testing.h"

namespace oxbackup {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using ListScreensTest = ScreensTest;

TEST_F(ListScreensTest, ListShowsNewestFirstWithRightAlignedSizes) {
  std::vector<ArchiveEntry> entries;
  entries.push_back(Entry("backup.2026-11-22.tar.xz", "2026-11-22T20:48:00Z", 241000000));
  entries.push_back(Entry("backup.2026-11-21.tar.xz", "2026-11-21T20:48:00Z", 9300000));
  const TerminalStyle wide{.width = 90, .unicode = true, .colour = false};
  EXPECT_EQ(
      RenderList("/backup", entries, At("2026-11-22T23:58:00Z"), wide),
      "archive                   made                   age    size  state     components\n"
      "backup.2026-11-22.tar.xz  2026-11-22 20:48 UTC   3 h  241 MB  complete  mysql caddy\n"
      "backup.2026-11-21.tar.xz  2026-11-21 20:48 UTC  27 h  9.3 MB  complete  mysql caddy\n");
}

TEST_F(ListScreensTest, WhereComponentsHaveNoRoomBesideAnArchiveTheyStandBelowIt) {
  std::vector<ArchiveEntry> entries;
  entries.push_back(Entry("backup.2026-11-22.tar.xz", "2026-11-22T20:48:00Z", 241000000));
  EXPECT_EQ(RenderList("/backup", entries, At("2026-11-22T23:58:00Z"), kPlain),
            "archive                   made                  age    size  state\n"
            "backup.2026-11-22.tar.xz  2026-11-22 20:48 UTC  3 h  241 MB  complete\n"
            "  mysql caddy\n");
}

TEST_F(ListScreensTest, VersionsAreShownWithWhatTheirNamesMeanNow) {
  VersionList list{.newest = {}, .total = 4, .keeps_versions = true};
  for (const char* const version : {"3LgA", "qk2.null", "b0"}) {
    list.newest.push_back(Entry("backup.2026-11-22.tar.xz", "2026-11-22T20:48:00Z", 241000000));
    list.newest.back().object.version = version;
    list.newest.back().object.modified = At("2026-11-22T20:49:00Z");
    list.newest.back().object.current = version == std::string("3LgA");
  }
  list.newest[0].state = ArchiveState::kDeleteMarker;
  list.newest[1].state = ArchiveState::kDamaged;
  list.newest[1].problem = "backup.2026-11-22.tar.xz ends early";
  const TerminalStyle wide{.width = 90, .unicode = true, .colour = false};
  EXPECT_EQ(RenderVersions("s3://backups", list, wide),
            "archive                   stored                  size  state              version\n"
            "backup.2026-11-22.tar.xz  2026-11-22 20:49 UTC          deleted   current  3LgA\n"
            "backup.2026-11-22.tar.xz  2026-11-22 20:49 UTC  241 MB  DAMAGED            qk2.null\n"
            "backup.2026-11-22.tar.xz  2026-11-22 20:49 UTC  241 MB  complete           b0\n"
            "\nbackup.2026-11-22.tar.xz ends early\n"
            "\nThe 3 newest of 4 (--list-versions=4 shows all).\n");
  list.keeps_versions = false;
  EXPECT_THAT(RenderVersions("/backup", list, kPlain),
              HasSubstr("/backup keeps no versions: these are the archives themselves."));
}

TEST_F(ListScreensTest, AVersionThatIsDatedInTheFutureIsMarked) {
  VersionList list{.newest = {}, .total = 2, .keeps_versions = true};
  for (const char* const version : {"3LgA", "b0"}) {
    list.newest.push_back(Entry("backup.2026-11-22.tar.xz", "2027-11-22T20:48:00Z", 241000000));
    list.newest.back().object.version = version;
    list.newest.back().object.modified = At("2026-11-22T20:49:00Z");
    list.newest.back().object.current = version == std::string("3LgA");
    list.newest.back().from_future = true;
  }
  const TerminalStyle wide{.width = 120, .unicode = true, .colour = false};
  EXPECT_THAT(RenderVersions("s3://backups", list, wide),
              AllOf(HasSubstr("complete  current, dated in the future  3LgA\n"),
                    HasSubstr("complete  dated in the future           b0\n"),
                    HasSubstr("\n\nDated in the future: a clock was wrong")));
  list.newest[0].from_future = false;
  list.newest[1].from_future = false;
  EXPECT_THAT(RenderVersions("s3://backups", list, wide), Not(HasSubstr("uture")));
}

TEST_F(ListScreensTest, WhereVersionsHaveNoRoomBesideAnArchiveTheyStandBelowIt) {
  VersionList list{.newest = {}, .total = 1, .keeps_versions = true};
  list.newest.push_back(Entry("backup.2026-11-22.tar.xz", "2026-11-22T20:48:00Z", 241000000));
  list.newest.back().object.version = "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8g";
  list.newest.back().object.modified = At("2026-11-22T20:49:00Z");
  EXPECT_EQ(RenderVersions("s3://backups", list, kPlain),
            "archive                   stored                  size  state\n"
            "backup.2026-11-22.tar.xz  2026-11-22 20:49 UTC  241 MB  complete  current\n"
            "  version 3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8g\n");
}

TEST_F(ListScreensTest, PruneShowsWhatStaysAndWhyAndWhatGoes) {
  PrunePlan plan;
  plan.items.push_back(
      {Entry("backup.2026-11-22.tar.xz", "2026-11-22T20:48:00Z", 241000000), {"last", "newest"}});
  plan.items.push_back({Entry("backup.2026-11-21.tar.xz", "2026-11-21T20:48:00Z", 9300000), {}});
  plan.items[1].entry.state = ArchiveState::kDamaged;
  EXPECT_EQ(RenderPrunePlan("/backup", plan, kPlain),
            "To keep in /backup, and why:\n"
            "  backup.2026-11-22.tar.xz  2026-11-22 20:48 UTC  241 MB  last, newest\n"
            "To remove:\n"
            "  backup.2026-11-21.tar.xz  2026-11-21 20:48 UTC  9.3 MB  DAMAGED\n"
            "To keep: 1 archive (241 MB). To remove: 1 archive (9.3 MB).\n");
}

TEST_F(ListScreensTest, ListSaysWhenTheNewestIsOldOrDamaged) {
  std::vector<ArchiveEntry> entries;
  entries.push_back(Entry("backup.2026-11-22.tar.xz", "2026-11-22T20:48:00Z", 241000000));
  EXPECT_THAT(RenderList("/backup", entries, At("2026-11-25T23:00:00Z"), kPlain),
              HasSubstr("Note: the newest complete archive is older than a day (3 d)."));
  entries.front().state = ArchiveState::kDamaged;
  entries.front().manifest = nullptr;
  entries.front().problem = "backup.2026-11-22.tar.xz ends early";
  const std::string screen = RenderList("/backup", entries, At("2026-11-22T23:00:00Z"), kPlain);
  EXPECT_THAT(screen, HasSubstr("DAMAGED"));
  EXPECT_THAT(screen, HasSubstr("\nbackup.2026-11-22.tar.xz ends early\n"));
  EXPECT_THAT(screen, HasSubstr("No complete archive is here."));
  entries.front().state = ArchiveState::kUnreadable;
  EXPECT_THAT(RenderList("/backup", entries, At("2026-11-22T23:00:00Z"), kPlain),
              AllOf(HasSubstr("UNREADABLE"), HasSubstr("No complete archive is here.")));
  EXPECT_EQ(RenderList("/backup", {}, At("2026-11-22T23:00:00Z"), kPlain),
            "No archives in /backup.\n");
}

TEST_F(ListScreensTest, ListMarksWhatIsFromTheFutureAndItIsNotTheNewest) {
  std::vector<ArchiveEntry> entries;
  entries.push_back(Entry("backup.2027-11-22.tar.xz", "2027-11-22T20:48:00Z", 241000000));
  entries.front().from_future = true;
  entries.push_back(Entry("backup.2026-11-19.tar.xz", "2026-11-19T20:48:00Z", 241000000));
  const std::string both = RenderList("/backup", entries, At("2026-11-22T23:58:00Z"), kPlain);
  EXPECT_THAT(both,
              AllOf(HasSubstr("dated in the future"), HasSubstr("is older than a day (3 d)")));
  EXPECT_THAT(both, HasSubstr("Dated in the future: a clock was wrong"));
  entries.pop_back();
  EXPECT_THAT(RenderList("/backup", entries, At("2026-11-22T23:58:00Z"), kPlain),
              HasSubstr("All complete archives are dated in the future"));
}

}  // namespace
}  // namespace oxbackup
