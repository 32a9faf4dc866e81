#include "swap_testing.h"

#include <gmock/gmock.h>

namespace oxbackup::mysql {

using ::testing::IsEmpty;

SwapTest::SwapTest() : connect_(ServerOf(GetParam())), session_(connect_, std::stop_token()) {
  ForgetRestores(session_);
  Fill(1);
  new_ = Describe(session_, kSwapSite);
  archive_ = BackUp(connect_, {kSwapSite}, false, run_.run);
  Fill(2);
  session_.Execute("CREATE TABLE only_old (a INT PRIMARY KEY)");
  session_.Execute("INSERT INTO only_old VALUES (1)");
  old_ = Describe(session_, kSwapSite);
}

SwapTest::~SwapTest() { ForgetRestores(session_); }

void SwapTest::Fill(int version) {
  site_.reset();
  site_.emplace(session_, kSwapSite);
  const std::string v = std::to_string(version);
  session_.Execute("USE load_swap");
  session_.Execute("CREATE TABLE parent (id INT PRIMARY KEY, v INT, KEY v (v)) ENGINE=InnoDB");
  session_.Execute(
      "CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT cp FOREIGN KEY (p) REFERENCES "
      "parent (id)) ENGINE=InnoDB");
  session_.Execute("SET SESSION foreign_key_checks=0");
  session_.Execute("CREATE TABLE loose (id INT PRIMARY KEY, m INT, CONSTRAINT lm" + v +
                   " FOREIGN KEY (m) REFERENCES missing (id)) ENGINE=InnoDB");
  session_.Execute("INSERT INTO parent VALUES (1," + v + ")");
  session_.Execute("INSERT INTO child VALUES (" + v + ",1)");
  session_.Execute("CREATE VIEW b AS SELECT id, " + v + " AS v FROM parent");
  session_.Execute("CREATE VIEW a AS SELECT id, v FROM b");
  session_.Execute("CREATE TRIGGER t BEFORE INSERT ON parent FOR EACH ROW SET NEW.v = " + v);
  session_.Execute("CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN " + v);
  session_.Execute(
      "CREATE EVENT e ON SCHEDULE EVERY 1 YEAR STARTS '2036-01-01' DO DELETE FROM child");
}

std::unique_ptr<RestoreTarget> SwapTest::MakeTarget(int kill_at) {
  RestoreOptions options = QuietOptions();
  steps_ = 0;
  options.on_step = [this, kill_at](std::string_view step) {
    if (steps_++ == kill_at) throw Killed{std::string(step)};
  };
  return MakeRestoreTarget(connect_, options, run_.run);
}

std::optional<std::string> SwapTest::SwapKilledAt(int step) {
  const auto target = MakeTarget(step);
  PrepareRestore(*target, archive_, run_.run);
  target->WriteIntent(IntentOf("run", true));
  return Run([&] { target->Swap(); });
}

std::optional<std::string> SwapTest::Run(const std::function<void()>& body) {
  try {
    body();
  } catch (const Killed& killed) {
    return killed.step;
  }
  return std::nullopt;
}

void SwapTest::ExpectState(const Texts& expected, const std::string& when) {
  EXPECT_EQ(Describe(session_, kSwapSite), expected) << when;
}

void SwapTest::ExpectNothingLeft(const std::string& when) {
  EXPECT_THAT(session_.Query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE "
                             "SCHEMA_NAME LIKE 'load\\_swap\\_\\_%' OR "
                             "SCHEMA_NAME='openedx_backup'"),
              IsEmpty())
      << when;
}

void SwapTest::ExpectOnlyTheNoteLeft(const std::string& when) {
  EXPECT_THAT(session_.Query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE "
                             "SCHEMA_NAME LIKE 'load\\_swap\\_\\_%'"),
              IsEmpty())
      << when;
  EXPECT_THAT(session_.Query("SELECT run_id FROM openedx_backup.restores"), IsEmpty()) << when;
  EXPECT_THAT(session_.Query("SELECT name FROM openedx_backup.schemas"), IsEmpty()) << when;
  EXPECT_EQ(AppliedRun(), "run") << when;
}

std::string SwapTest::AppliedRun() {
  const std::optional<AppliedArchive> applied = MakeTarget(-1)->Applied();
  return applied ? applied->run_id : "";
}

void SwapTest::ExpectNoteAgrees(const std::string& when) {
  if (!AppliedRun().empty()) ExpectState(new_, when);
}

void SwapTest::BackToOld() {
  MakeTarget(-1)->UndoSwap("");
  ExpectState(old_, "after going back");
  ExpectNothingLeft("after going back");
}

}  // namespace oxbackup::mysql
