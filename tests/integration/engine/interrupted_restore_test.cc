// The engine dies at every step of a restore's swaps: the next run finishes or takes back, and the
// site is all old or all new, never a mixture.
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "base/run_context_testing.h"
#include "engine/open_runs.h"
#include "engine/restore.h"
#include "engine/site.h"
#include "mongodb/server_testing.h"
#include "site_testing.h"
#include "store/local/local_store.h"

namespace oxbackup {
namespace {

constexpr int kDied = 9;
constexpr int kFinished = 0;
constexpr int kFailed = 1;

class InterruptedRestore : public SiteTest {
 protected:
  // Where the steps are at which it can die.
  enum class Steps { kAll, kOfTrees };

  Site SiteWith(const std::function<void(std::string_view)>& step, Steps steps) const {
    Site site;
    site.mysql.emplace();
    site.mysql->connect.host = Variable("TESTBED_MYSQL_HOST");
    site.mysql->connect.port = std::stoi(Variable("TESTBED_MYSQL_PORT"));
    site.mysql->connect.user = Variable("TESTBED_MYSQL_USER");
    site.mysql->connect.password = Variable("TESTBED_MYSQL_PASSWORD");
    if (steps == Steps::kAll) site.mysql->restore.on_step = step;
    site.mongodb.emplace();
    site.mongodb->connect.host = mongodb::MongodbVariable("HOST");
    site.mongodb->connect.port = std::stoi(mongodb::MongodbVariable("PORT"));
    site.mongodb->connect.user = mongodb::MongodbVariable("USER");
    site.mongodb->connect.password = mongodb::MongodbVariable("PASSWORD");
    site.mongodb->connect.auth_database = mongodb::MongodbVariable("AUTH_DB");
    if (steps == Steps::kAll) site.mongodb->restore.before_step = step;
    site.caddy = caddy();
    site.media = {files::Tree{"openedx-media", media()}};
    site.tree_restore.before_step = step;
    return site;
  }

  // Restores in a process of its own that dies before the step of that number, as by kill -9.
  // A restore that comes to its end writes down how many steps it had.
  int RestoreDyingAt(int fatal_step, Steps kind = Steps::kAll) const {
    const pid_t child = fork();
    if (child == 0) {
      int steps = 0;
      try {
        const auto die = [&](std::string_view) {
          if (steps++ == fatal_step) _exit(kDied);
        };
        const Site site = SiteWith(die, kind);
        TestRun test;
        LocalStore store(archives());
        RestoreTargets targets = MakeTargets(site, test.run);
        RestoreOptions options;
        options.confirm = [](const RestorePreview&) { return true; };
        oxbackup::Restore(store, targets, options, test.run);
      } catch (...) {
        _exit(kFailed);
      }
      std::ofstream(StepsFile()) << steps << std::endl;
      _exit(kFinished);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
  }

  // Steps from the first to the last, evenly spread: the components' own tests have every one of
  // them.
  std::vector<int> SomeSteps(int count) const {
    EXPECT_EQ(RestoreDyingAt(-1), kFinished);
    int steps = 0;
    std::ifstream(StepsFile()) >> steps;
    EXPECT_GT(steps, count);
    std::vector<int> chosen;
    for (int i = 0; i < count; ++i) chosen.push_back(i * (steps - 1) / (count - 1));
    return chosen;
  }
  std::string StepsFile() const { return (folder() / "steps").string(); }

  void FinishInterrupted() const {
    TestRun test;
    RestoreTargets targets = MakeTargets(SiteWith({}, Steps::kOfTrees), test.run);
    FinishOpenSwaps(targets, test.run);
  }

  void ChangeSite() const {
    Sql("UPDATE openedx.auth_user SET first_name = 'Changed'; CREATE TABLE openedx.newer "
        "(id INT);");
    std::ofstream(media() + "/newer.txt") << "newer";
    std::ofstream(caddy() + "/newer.txt") << "newer";
  }
};

TEST_F(InterruptedRestore, IsAllOldOrAllNewAfterTheNextRunWhereverItDied) {
  ASSERT_TRUE(Ended(Backup({"--compression", "zstd"}), 0));
  const std::string new_site = Fingerprint();
  int taken_back = 0;
  int finished = 0;
  for (const int step : SomeSteps(8)) {
    ChangeSite();
    const std::string old_site = Fingerprint();
    ASSERT_NE(old_site, new_site);
    ASSERT_EQ(RestoreDyingAt(step), kDied) << "step " << step;
    // Any command with the site's settings mends it; a backup is one that reads everything, too.
    const ProcessResult next = Backup({"--compression", "zstd", "--name", "next"});
    ASSERT_TRUE(next.status == 0 || next.status == 3) << "step " << step << next.error;
    std::filesystem::remove(archives() + "/next.tar.zst");
    const std::string mended = LiveFingerprint();
    ASSERT_TRUE(mended == old_site || mended == new_site) << "a mixture after step " << step;
    (mended == old_site ? taken_back : finished) += 1;
    if (mended == new_site) continue;
    ASSERT_TRUE(Ended(Restore(), 0)) << "step " << step;
    ASSERT_EQ(Fingerprint(), new_site) << "step " << step;
  }
  EXPECT_GT(taken_back, 0);
  EXPECT_GT(finished, 0);
}

TEST_F(InterruptedRestore, UndoGoesBackWhereverItDied) {
  ASSERT_TRUE(Ended(Backup({"--compression", "zstd"}), 0));
  for (const int step : SomeSteps(4)) {
    ChangeSite();
    const std::string old_site = Fingerprint();
    ASSERT_EQ(RestoreDyingAt(step), kDied) << "step " << step;
    const int status = Restore({"--undo"}).status;
    // Before its first record there is nothing to undo; after the old data went, neither.
    ASSERT_TRUE(status == 0 || status == 4) << "step " << step;
    if (status == 0) {
      ASSERT_EQ(LiveFingerprint(), old_site) << "step " << step;
    }
    ASSERT_TRUE(Ended(Restore(), 0)) << "step " << step;
  }
}

// Its first steps are between the announcements and the swaps of the databases, the last ones after
// these.
TEST_F(InterruptedRestore, IsAllOldOrAllNewAtEveryStepOfTheFolders) {
  ASSERT_TRUE(Ended(Backup({"--compression", "zstd"}), 0));
  const std::string new_site = Fingerprint();
  int taken_back = 0;
  int finished = 0;
  ChangeSite();
  std::string old_site = Fingerprint();
  int step = 0;
  for (; RestoreDyingAt(step, Steps::kOfTrees) == kDied; ++step) {
    FinishInterrupted();
    const std::string mended = LiveFingerprint();
    ASSERT_TRUE(mended == old_site || mended == new_site) << "a mixture after step " << step;
    (mended == old_site ? taken_back : finished) += 1;
    if (mended == old_site) continue;
    ChangeSite();
    old_site = LiveFingerprint();
  }
  // Before the announcements of the two folders.
  EXPECT_EQ(taken_back, 2);
  EXPECT_GT(finished, 10);
  EXPECT_EQ(Fingerprint(), new_site) << "after the one that came to its end";
}

}  // namespace
}  // namespace oxbackup
