// A copy of a replica set without snapshot reads: read while a writer writes, made one moment by
// the oplog.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "base/run_context_testing.h"
#include "mongodb/bson_stream.h"
#include "mongodb/dump_model_testing.h"
#include "mongodb/dump_path.h"
#include "mongodb/dump_testing.h"
#include "mongodb/extended_json.h"
#include "mongodb/live_compare.h"
#include "mongodb/oplog_entry.h"
#include "mongodb/oplog_slice.h"
#include "mongodb/restore_target.h"
#include "mongodb/restore_testing.h"

namespace oxbackup::mongodb {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

ModelOptions WithOplog() {
  ModelOptions options;
  options.version = "4.4.0";
  options.replica_set = true;
  options.oplog = true;
  options.batch_documents = 3;
  return options;
}

/// The members and the description of a dump, as something to restore from.
class DumpedArchive {
 public:
  explicit DumpedArchive(const TestDump& dump) {
    for (const auto& [path, member] : dump.members) archive_.AddMember(path, member.content);
    manifest_.components.push_back(dump.manifest);
  }

  void RestoreInto(const ConnectOptions& connect, TestRun& run) const {
    const auto target = MakeRestoreTarget(connect, {}, run.run);
    const auto reader = archive_.Open();
    static_cast<void>(target->Plan(&manifest_, RestoreRoom::kBeside));
    target->Load(*reader);
    target->Verify(manifest_.Find("mongodb"));
    target->WriteIntent(TestIntent());
    target->Swap();
    target->CloseSwap(false);
  }

 private:
  TestArchive archive_;
  Manifest manifest_;
};

class OplogDumpTest : public testing::Test {
 protected:
  OplogDumpTest() : source_(WithOplog()) {
    Do("db", R"({"create": "log", "capped": true, "size": 1000000})");
    for (int id = 0; id < 30; ++id) {
      for (const char* const name : {"a", "b", "c", "log"}) {
        Do("db",
           fmt::format(R"({{"insert": "{}", "documents": [{{"_id": {}, "v": 0}}]}})", name, id));
      }
      Do("other", fmt::format(R"({{"insert": "x", "documents": [{{"_id": {}}}]}})", id));
    }
    Do("db", R"({"create": "view", "viewOn": "a", "pipeline": []})");
  }

  /// Runs a command as the site's own writer would.
  void Do(const std::string& database, const std::string& json) {
    const Bson body = FromJson(json, "a test's command");
    ScriptedCommand command;
    command.db = database;
    command.name = FieldWalker(body.bytes()).Next()->key;
    command.body = body.bytes();
    const Bson reply = source_.model.Run(command);
    ASSERT_TRUE(FindField(reply.bytes(), "ok")->IsTrue()) << ToJson(reply.bytes());
  }

  /// Lets `step` write before each batch that is read of the site's collections, and counts.
  void WriteBetweenReads(std::function<void(int)> step) {
    const auto act = [this, step](const ScriptedCommand& command) -> std::optional<Bson> {
      if (copying_ && command.db == "db") step(reads_++);
      return std::nullopt;
    };
    source_.server.Handle("find", act);
    source_.server.Handle("getMore", act);
  }

  TestDump Dump(std::vector<std::string> databases = {}) {
    DumpOptions options;
    options.databases = std::move(databases);
    options.readers = 2;
    TestDump dump = RunTestDump(source_.connect, options, run_, [this] { copying_ = true; });
    copying_ = false;
    return dump;
  }

  static std::vector<std::string> Entries(const TestDump& dump) {
    std::vector<std::string> entries;
    const std::string& bytes = dump.members.at(std::string(kDumpFolder) + "oplog.bson").content;
    MemoryByteSource source(bytes);
    BsonStream stream(source, "oplog.bson");
    while (const auto entry = stream.Next()) entries.push_back(DescribeEntry(*entry));
    return entries;
  }

  static std::map<std::string, std::vector<std::string>> State(const ModelMongod& model) {
    return model.State([](const std::string& ns) { return ns.starts_with("db."); });
  }

  ModelServer source_;
  ModelServer target_;
  TestRun run_;
  std::atomic<bool> copying_ = false;
  std::atomic<int> reads_ = 0;
  std::atomic<int> writes_ = 0;
};

TEST_F(OplogDumpTest, MakesOneMomentOfACopyThatWasReadWhileTheSiteWrote) {
  WriteBetweenReads([this](int at) {
    const int id = at % 30;
    Do("db", fmt::format(R"({{"insert": "a", "documents": [{{"_id": "new{}"}}]}})", at));
    Do("db", fmt::format(R"({{"insert": "log", "documents": [{{"_id": "new{}"}}]}})", at));
    Do("db", fmt::format(R"({{"update": "b", "updates": [
               {{"q": {{"_id": {}}}, "u": {{"$set": {{"v": {}, "w": 1}}}}}}]}})",
                         id, at));
    Do("db", fmt::format(R"({{"update": "c", "updates": [
               {{"q": {{"_id": {}}}, "u": {{"_id": {}, "whole": {}}}}}]}})",
                         29 - id, 29 - id, at));
    Do("db", fmt::format(R"({{"delete": "b", "deletes": [{{"q": {{"_id": {}}}, "limit": 1}}]}})",
                         (id * 7) % 30));
    if (at == 2) {
      Do("db", R"({"create": "later", "validator": {"v": 1}})");
      Do("db", R"({"createIndexes": "a", "indexes": [{"v": 2, "key": {"v": 1}, "name": "v_1"}]})");
      Do("db", R"({"create": "view2", "viewOn": "b", "pipeline": []})");
      Do("db", R"({"drop": "view"})");
    }
    if (at > 2) Do("db", fmt::format(R"({{"insert": "later", "documents": [{{"_id": {}}}]}})", at));
  });
  const TestDump dump = Dump();
  EXPECT_GT(reads_, 10);
  DumpedArchive(dump).RestoreInto(target_.connect, run_);
  EXPECT_EQ(State(target_.model), State(source_.model));
  EXPECT_EQ(target_.model.RawDocuments("db.log"), source_.model.RawDocuments("db.log"));
  EXPECT_EQ(target_.model.Find("db.a")->indexes.size(), 1u);
  EXPECT_TRUE(target_.model.Find("db.view2")->view);
  EXPECT_EQ(target_.model.Find("db.later")->options.bytes(),
            source_.model.Find("db.later")->options.bytes());
}

TEST_F(OplogDumpTest, FollowsRenamesDuringTheCopy) {
  WriteBetweenReads([this](int at) {
    if (at == 4) {
      Do("admin", R"({"renameCollection": "db.c", "to": "db.d"})");
      Do("db", R"({"insert": "c", "documents": [{"_id": "of the successor"}]})");
    }
    if (at > 4) Do("db", fmt::format(R"({{"insert": "d", "documents": [{{"_id": "n{}"}}]}})", at));
    if (at == 6) Do("admin", R"({"renameCollection": "db.b", "to": "db.c", "dropTarget": true})");
  });
  const TestDump dump = Dump();
  DumpedArchive(dump).RestoreInto(target_.connect, run_);
  EXPECT_EQ(State(target_.model), State(source_.model));
}

TEST_F(OplogDumpTest, SaysWhichMomentTheCopyStandsFor) {
  const auto source = MakeBackupSource(source_.connect, {}, run_.run);
  source->Prepare();
  source->TakeSnapshot();
  EXPECT_TRUE(source->moment_is_end_of_copy());
  WriteBetweenReads([this](int at) {
    Do("db", fmt::format(R"({{"insert": "a", "documents": [{{"_id": "new{}"}}]}})", at));
  });
  const TestDump dump = Dump();
  const Timestamp last{1'700'000'000,
                       static_cast<uint32_t>(source_.model.RawDocuments("local.oplog.rs").size())};
  EXPECT_EQ(dump.manifest.positions.at("oplog_end"), last.Text());
  EXPECT_EQ(dump.manifest.moment, TimePoint(std::chrono::seconds(last.seconds) +
                                            std::chrono::milliseconds(last.increment)));
  EXPECT_THAT(dump.manifest.consistency, HasSubstr("oplog replayed to " + last.Text()));
  EXPECT_EQ(FindEntry(dump, "db", "a")->details.at(kStateDetail), kBeforeOplog);
  EXPECT_FALSE(FindEntry(dump, "db", "b")->details.contains(kStateDetail));
}

TEST_F(OplogDumpTest, KeepsEntriesOfTheBackedUpDatabasesAlone) {
  WriteBetweenReads([this](int at) {
    Do("other", fmt::format(R"({{"insert": "x", "documents": [{{"_id": "new{}"}}]}})", at));
    if (at == 1) Do("db", R"({"insert": "a", "documents": [{"_id": "new"}]})");
  });
  const std::vector<std::string> entries = Entries(Dump({"db"}));
  EXPECT_THAT(entries, Not(Contains(HasSubstr("other"))));
  EXPECT_THAT(entries, Contains(HasSubstr("i in db.a")));
}

TEST_F(OplogDumpTest, BeginsWhereTheOldestOpenTransactionBegan) {
  source_.server.Handle("find", [](const ScriptedCommand& command) -> std::optional<Bson> {
    if (command.db != "config") return std::nullopt;
    return OkReply(R"({"cursor": {"id": {"$numberLong": "0"}, "ns": "config.transactions",
        "firstBatch": [{"startOpTime": {"ts": {"$timestamp": {"t": 1700000000, "i": 50}}}}]}})");
  });
  const TestDump dump = Dump();
  EXPECT_EQ(dump.manifest.positions.at("oplog_start"), "1700000000:50");
  // What the copy holds anyway is not there a second time.
  EXPECT_EQ(dump.manifest.positions.at("oplog_entries"), "0");
}

TEST(OplogEntry, TellsWhereATransactionBeginsAndEnds) {
  const auto entry = [](const std::string& flags, int previous) {
    return FromJson(fmt::format(R"({{"op": "c", "lsid": {{"id": 1}}, "txnNumber": 1,
                                     "o": {{"applyOps": []{}}}, "prevOpTime": {{
                                     "ts": {{"$timestamp": {{"t": {}, "i": 0}}}}, "t": 1}}}})",
                                flags, previous),
                    "entry");
  };
  const Bson begin = entry(R"(, "partialTxn": true)", 0);
  EXPECT_TRUE(LeavesTransactionOpen(begin.bytes()));
  EXPECT_FALSE(ContinuesTransaction(begin.bytes()));
  const Bson end = entry("", 7);
  EXPECT_FALSE(LeavesTransactionOpen(end.bytes()));
  EXPECT_TRUE(ContinuesTransaction(end.bytes()));
  EXPECT_TRUE(IsPartOfTransaction(end.bytes()));
  EXPECT_FALSE(IsPartOfTransaction(entry("", 0).bytes()));
}

TEST_F(OplogDumpTest, RefusesWhenTheOplogRolledOver) {
  WriteBetweenReads([this](int at) {
    Do("db", fmt::format(R"({{"insert": "a", "documents": [{{"_id": "new{}"}}]}})", at));
    if (at == 5) Do("local", R"({"delete": "oplog.rs", "deletes": [{"q": {}, "limit": 0}]})");
  });
  try {
    Dump();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no longer reaches back"));
    EXPECT_THAT(error.hint(), HasSubstr("replSetResizeOplog"));
  }
}

// An idle cursor's time is up, or somebody killed it: the copy is done by then.
TEST_F(OplogDumpTest, GoesOnWhereTheOplogsCursorWasLost) {
  for (const int code : {kCursorNotFound, kQueryPlanKilled, kCursorKilled}) {
    WriteBetweenReads([this](int) {
      Do("db", fmt::format(R"({{"insert": "a", "documents": [{{"_id": "n{}"}}]}})", writes_++));
    });
    source_.server.Fail({.command = "getMore",
                         .skip = 2,
                         .times = 2,
                         .when = [](const auto& command) { return command.db == "local"; }},
                        code);
    const TestDump dump = Dump({"db"});
    std::vector<std::string> entries = Entries(dump);
    EXPECT_GT(entries.size(), 10u);
    EXPECT_EQ(std::to_string(entries.size()), dump.manifest.positions.at("oplog_entries"));
    std::sort(entries.begin(), entries.end());
    EXPECT_EQ(std::adjacent_find(entries.begin(), entries.end()), entries.end()) << "comes twice";
    ModelServer target;
    DumpedArchive(dump).RestoreInto(target.connect, run_);
    EXPECT_EQ(State(target.model), State(source_.model)) << code;
  }
}

TEST_F(OplogDumpTest, ReadsOneAfterTheOtherWhereTheOplogCannotBeRead) {
  source_.server.Fail(
      {.command = "find",
       .skip = 0,
       .times = 0,
       .when = [](const ScriptedCommand& command) { return command.db == "local"; }},
      kUnauthorized, "not authorized on local");
  const TestDump dump = Dump();
  EXPECT_THAT(dump.manifest.consistency, HasSubstr("one after the other while the site may write"));
  EXPECT_THAT(dump.manifest.consistency, HasSubstr("not authorized on local"));
  EXPECT_FALSE(dump.members.contains(std::string(kDumpFolder) + "oplog.bson"));
}

TEST_F(OplogDumpTest, ReportsNoFalseDifferencesToALiveSite) {
  WriteBetweenReads([this](int at) {
    if (at != 3) return;
    Do("db", R"({"insert": "a", "documents": [{"_id": "new"}]})");
    Do("db", R"({"create": "later"})");
    Do("db", R"({"drop": "c"})");
  });
  const TestDump dump = Dump({"db"});
  TestRun run;
  const auto comparer = MakeLiveComparer(source_.connect, 1, run.run);
  EXPECT_THAT(comparer->Compare(dump.manifest), IsEmpty());
  EXPECT_THAT(run.warnings.All(), Contains(HasSubstr("db.a")));
  Do("db", R"({"insert": "b", "documents": [{"_id": "written after the backup"}]})");
  EXPECT_THAT(comparer->Compare(dump.manifest), Contains(HasSubstr("db.b")));
}

TEST_F(OplogDumpTest, NamesWhatARestoreCannotReplay) {
  WriteBetweenReads([this](int at) {
    if (at != 3) return;
    Do("db", R"({"insert": "a", "documents": [{"_id": "new"}]})");
    const std::string last = source_.model.RawDocuments("local.oplog.rs").back();
    for (const char* const command : {"convertToCapped", "dbCheck"}) {
      Bson entry = Bson().Add("_id", command).Add("op", "c").Add("ns", "db.$cmd");
      entry.Add("ts", FindField(last, "ts").value()).Add("o", Bson().Add(command, "a"));
      source_.model.InsertRaw("local.oplog.rs", std::string(entry.bytes()));
    }
  });
  const TestDump dump = Dump({"db"});
  EXPECT_THAT(run_.warnings.All(),
              testing::ElementsAre(testing::AllOf(HasSubstr("db.a: convertToCapped in db.$cmd"),
                                                  HasSubstr("--nsExclude"))));
  EXPECT_THAT(Entries(dump), Not(Contains(HasSubstr("dbCheck"))));
}

TEST(KeptOplogEntry, TakesOtherDatabasesOutOfTransactions) {
  OplogTouched touched;
  const Bson entry = FromJson(
      R"({"op": "c", "ns": "admin.$cmd", "lsid": {"id": 1}, "o": {"applyOps": [
          {"op": "i", "ns": "other.x", "o": {"_id": 1}}, {"op": "i", "ns": "db.a", "o": {"_id": 2}}],
          "count": 2}})",
      "entry");
  const auto kept = KeptOplogEntry(entry.bytes(), {"db"}, touched);
  ASSERT_TRUE(kept);
  EXPECT_THAT(ToJson(*kept), Not(HasSubstr("other.x")));
  EXPECT_THAT(ToJson(*kept), HasSubstr("db.a"));
  EXPECT_THAT(touched.names, testing::ElementsAre("db.a"));
  EXPECT_FALSE(KeptOplogEntry(entry.bytes(), {"none"}, touched));
}

}  // namespace
}  // namespace oxbackup::mongodb
