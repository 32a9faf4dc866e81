#include "restore_testing.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <utility>

#include "archive/archive_reader.h"
#include "archive/archive_testing.h"
#include "archive/archive_writer.h"
#include "base/error.h"
#include "mysql/catalog.h"
#include "mysql/dump.h"
#include "mysql/quote.h"
#include "mysql/schema_dump.h"
#include "mysql/shadow_names.h"
#include "mysql/swap_record.h"

namespace oxbackup::mysql {
namespace {

void FillTables(Session& session, int version) {
  session.Execute(
      "CREATE TABLE parent (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, code VARCHAR(40) NOT NULL, "
      "twin INT, UNIQUE KEY code (code), KEY twin (twin)) ENGINE=InnoDB");
  session.Execute(
      "CREATE TABLE child (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, parent_id INT, "
      "name VARCHAR(200) CHARACTER SET latin1, body TEXT, score FLOAT, raw VARBINARY(200), "
      "twice INT GENERATED ALWAYS AS (CHAR_LENGTH(name)) STORED, KEY name (name, parent_id), "
      "KEY twice (twice), UNIQUE KEY name_id (name, id), FULLTEXT KEY body (body), "
      "CONSTRAINT child_parent FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE, "
      "CONSTRAINT positive CHECK (score >= 0)) ENGINE=InnoDB");
  // A cycle of foreign keys.
  session.Execute(
      "ALTER TABLE parent ADD CONSTRAINT parent_twin FOREIGN KEY (twin) REFERENCES parent (id)");
  session.Execute("CREATE TABLE empty_one (a INT, b INT, KEY ab (a, b)) ENGINE=InnoDB");
  session.Execute("CREATE TABLE audit (what VARCHAR(100), KEY what (what)) ENGINE=InnoDB");
  session.Execute(fmt::format(
      "INSERT INTO parent (id, code, twin) VALUES (1,'one''s {0}',NULL),(2,'two;\\n{0}',1)",
      version));
  for (int statement = 0; statement < 12; ++statement) {
    std::string sql = "INSERT INTO child (parent_id, name, body, score, raw) VALUES ";
    for (int row = 0; row < 500; ++row) {
      const int number = statement * 500 + row;
      sql += fmt::format("{}({},'name {} é','{} body of {} 漢字 {}',{}.25,x'00ff0a{:06x}')",
                         row > 0 ? "," : "", number % 2 + 1, number, version, number,
                         std::string(200, static_cast<char>('a' + number % 26)), number, number);
    }
    session.Execute(sql);
  }
}

void FillObjects(Session& session, int version) {
  session.Execute(
      fmt::format("CREATE VIEW z_names AS SELECT id, name, {} AS v FROM child", version));
  session.Execute("CREATE VIEW a_over_z AS SELECT id, v FROM z_names WHERE id < 10");
  session.Execute(
      fmt::format("CREATE TRIGGER parent_in BEFORE INSERT ON parent FOR EACH ROW BEGIN "
                  "INSERT INTO audit VALUES ('before {}; it''s'); END",
                  version));
  session.Execute(
      "CREATE TRIGGER parent_out AFTER DELETE ON parent FOR EACH ROW INSERT INTO audit VALUES "
      "('x')");
  session.Execute(
      fmt::format("CREATE FUNCTION answer() RETURNS INT DETERMINISTIC RETURN {}", version));
  session.Execute(
      fmt::format("CREATE PROCEDURE count_up(IN n INT) BEGIN DECLARE i INT DEFAULT {}; "
                  "WHILE i < n DO SET i = i + 1; END WHILE; END",
                  version));
  session.Execute(
      "CREATE EVENT tidy ON SCHEDULE EVERY 1 YEAR STARTS '2036-01-01' DO DELETE FROM audit");
}

std::string WithoutAutoIncrement(std::string text) {
  // It is kept, but servers show it once a table was opened after a restart only.
  const size_t begin = text.find(" AUTO_INCREMENT=");
  if (begin == std::string::npos) return text;
  return text.erase(begin, text.find(' ', begin + 1) - begin);
}

}  // namespace

void FillSite(Session& session, const std::string& database, int version) {
  session.Execute("USE " + QuoteName(database));
  session.Execute(fmt::format("ALTER DATABASE {} CHARACTER SET {}", QuoteName(database),
                              version % 2 == 0 ? "latin1" : "utf8mb4"));
  FillTables(session, version);
  FillObjects(session, version);
}

std::map<std::string, std::string> Describe(Session& session, const std::string& name) {
  std::map<std::string, std::string> texts;
  const Rows charset = session.Query(
      "SELECT CONCAT(DEFAULT_CHARACTER_SET_NAME,' ',DEFAULT_COLLATION_NAME) FROM "
      "information_schema.SCHEMATA WHERE SCHEMA_NAME=" +
      QuoteString(name));
  if (charset.empty()) return texts;
  texts["charset"] = charset[0][0].value_or("");
  TestRun run;
  SchemaDump dump(session, run.warnings);
  const Database database = ReadDatabase(session, name);
  for (const Table& table : database.tables) {
    const std::string where = QuoteName(name, table.name);
    session.Execute("USE " + QuoteName(name));
    texts["table " + table.name] =
        WithoutAutoIncrement(session.Query("SHOW CREATE TABLE " + where).at(0).at(1).value_or(""));
    std::string sum = session.QueryValue("SELECT COUNT(*) FROM " + where);
    if (table.engine != "SEQUENCE")
      sum += " " + session.Query("CHECKSUM TABLE " + where)[0][1].value_or("");
    texts["rows of " + table.name] = sum;
  }
  for (const ViewName& view : dump.ViewOrder({database})) {
    texts["view " + view.name] = dump.ViewText(view);
  }
  if (!database.triggers.empty()) texts["triggers"] = dump.TriggersText(database.triggers);
  texts["routines and events"] = dump.PostText(database);
  return texts;
}

std::string BackUp(const ConnectOptions& connect, const std::vector<std::string>& databases,
                   bool accounts, const RunContext& run) {
  StringSink sink;
  ArchiveWriter writer(sink, ArchiveWriterOptions{ParseCompression("zstd:1"), 2}, run);
  DumpOptions options;
  options.databases = databases;
  options.accounts = accounts;
  const std::unique_ptr<BackupSource> source = MakeBackupSource(connect, options, run);
  source->Prepare();
  source->TakeSnapshot();
  source->Copy(writer);
  Manifest manifest;
  manifest.tool_version = "test";
  manifest.host = "test";
  manifest.compression = "zstd:1";
  manifest.components.push_back(source->Finish());
  writer.Finish(std::move(manifest));
  return sink.bytes();
}

RestoreOptions QuietOptions() {
  RestoreOptions options;
  options.workers = 2;
  options.accounts = false;
  options.flush_logs = false;
  return options;
}

void PrepareRestore(RestoreTarget& target, const std::string& archive, const RunContext& run) {
  const std::unique_ptr<ArchiveReader> reader = OpenBytes(archive, run);
  target.Plan(reader->manifest(), RestoreRoom::kBeside);
  target.Load(*reader);
  target.Verify(reader->manifest() == nullptr ? nullptr : reader->manifest()->Find("mysql"));
}

SwapIntent IntentOf(const std::string& run_id, bool keep_old) {
  SwapIntent intent{
      run_id, "backup.2026-11-22.tar.xz", "2026-11-22T20:48:20Z", {"mysql"}, keep_old};
  intent.identity = "identity of " + run_id;
  intent.created = "2026-11-22T20:00:00Z";
  intent.applied = "2026-11-22T20:50:00Z";
  return intent;
}

void RestoreAll(RestoreTarget& target, const std::string& archive, bool keep_old,
                const RunContext& run) {
  PrepareRestore(target, archive, run);
  target.WriteIntent(IntentOf("run", keep_old));
  target.Swap();
  target.CloseSwap(keep_old);
}

void ForgetRestores(Session& session) {
  try {
    RecordBook book(session);
    for (const std::string& schema : book.OwnSchemas()) book.DropSchema(schema);
    session.Execute("DROP DATABASE IF EXISTS " + QuoteName(kRecordDatabase));
  } catch (const Error& error) {
    ADD_FAILURE() << "cannot tidy up: " << error.what() << ": " << error.cause();
  }
}

}  // namespace oxbackup::mysql
