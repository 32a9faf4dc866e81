#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <regex>

#include "digest.h"
#include "fingerprint.h"
#include "mysql_client.h"
#include "workers.h"

namespace sitegen {
namespace {

struct TableName {
  std::string database;
  std::string table;
};

// Without a charset of its own the result brings each column's stored bytes; a FLOAT is rounded to
// six digits unless it is made a DOUBLE.
struct Reading {
  std::string columns;
  std::string order;
};

Reading HowToRead(MysqlClient& client, const TableName& name) {
  Reading reading;
  auto where = fmt::format("WHERE table_schema = {} AND table_name = {}", QuoteText(name.database),
                           QuoteText(name.table));
  for (auto& row : client.Rows("SELECT column_name, data_type FROM information_schema.columns " +
                               where + " ORDER BY ordinal_position")) {
    if (!reading.columns.empty()) reading.columns += ", ";
    reading.columns += row[1] == "float" ? QuoteName(row[0]) + " + 0.0" : QuoteName(row[0]);
  }
  for (auto& row : client.Rows("SELECT column_name FROM information_schema.statistics " + where +
                               " AND index_name = 'PRIMARY' ORDER BY seq_in_index")) {
    reading.order += reading.order.empty() ? " ORDER BY " : ", ";
    reading.order += QuoteName(row[0]);
  }
  return reading;
}

std::string TableLine(MysqlClient& client, const TableName& name) {
  client.Execute("SET NAMES utf8mb4");
  Reading reading = HowToRead(client, name);
  client.Execute("SET character_set_results = NULL");
  uint64_t rows = 0;
  Digest all, one;
  std::vector<std::string> unordered;
  bool ordered = !reading.order.empty();
  client.Query(fmt::format("SELECT {} FROM {}.{}{}", reading.columns, QuoteName(name.database),
                           QuoteName(name.table), reading.order),
               [&](const MysqlClient::Row& row) {
                 rows++;
                 Digest& digest = ordered ? all : one;
                 for (const auto& field : row) {
                   field.null ? digest.AddNull() : digest.AddField(field.bytes);
                 }
                 if (!ordered) unordered.push_back(one.Take());
               });
  std::string content = ordered ? all.TakeHex() : DigestOfSet(unordered);
  return fmt::format("mysql rows {} {} {} {}", OneWord(name.database), OneWord(name.table), rows,
                     content);
}

// The digest of all that a SHOW CREATE says but the moment of creation and the AUTO_INCREMENT. A
// column whose collation was inherited shows it alone; once that definition was executed somewhere,
// its charset is shown too, which the collation implies anyway: the charset is left out.
std::string ShownDigest(MysqlClient& client, const std::string& statement) {
  static const std::regex kCounter(" AUTO_INCREMENT=[0-9]+");
  static const std::regex kCharset(" CHARACTER SET [a-z0-9]+ COLLATE ");
  client.Execute("SET NAMES utf8mb4");
  std::vector<std::string> names = client.Columns(statement);
  Digest digest;
  client.Query(statement, [&](const MysqlClient::Row& row) {
    for (size_t i = 0; i < row.size(); i++) {
      if (names[i] == "Created") continue;
      std::string text = std::regex_replace(std::string(row[i].bytes), kCounter, "");
      digest.AddField(std::regex_replace(text, kCharset, " COLLATE "));
    }
  });
  return digest.TakeHex();
}

// One line an object of a kind: `list` gives the names, `show` the statement before the name.
void AddObjects(MysqlClient& client, const std::string& database, const std::string& kind,
                const std::string& list, const std::string& show, std::vector<std::string>& lines) {
  client.Execute("SET NAMES utf8mb4");
  for (auto& row : client.Rows(list + QuoteText(database))) {
    std::string name = QuoteName(database) + "." + QuoteName(row[0]);
    lines.push_back(fmt::format("mysql {} {} {} {}", kind, OneWord(database), OneWord(row[0]),
                                ShownDigest(client, show + name)));
  }
}

void AddDefinitions(MysqlClient& client, const std::string& database,
                    std::vector<std::string>& lines) {
  lines.push_back(fmt::format("mysql database {} {}", OneWord(database),
                              ShownDigest(client, "SHOW CREATE DATABASE " + QuoteName(database))));
  const std::string tables = "SELECT table_name FROM information_schema.tables WHERE table_type = ";
  const std::string routines =
      "SELECT routine_name FROM information_schema.routines WHERE routine_type = ";
  AddObjects(client, database, "table",
             tables + "'BASE TABLE' AND table_schema = ", "SHOW CREATE TABLE ", lines);
  AddObjects(client, database, "view", tables + "'VIEW' AND table_schema = ", "SHOW CREATE VIEW ",
             lines);
  AddObjects(client, database, "trigger",
             "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = ",
             "SHOW CREATE TRIGGER ", lines);
  AddObjects(client, database, "procedure",
             routines + "'PROCEDURE' AND routine_schema = ", "SHOW CREATE PROCEDURE ", lines);
  AddObjects(client, database, "function",
             routines + "'FUNCTION' AND routine_schema = ", "SHOW CREATE FUNCTION ", lines);
  AddObjects(client, database, "event",
             "SELECT event_name FROM information_schema.events WHERE event_schema = ",
             "SHOW CREATE EVENT ", lines);
}

}  // namespace

std::vector<std::string> FingerprintMysql(const Servers& servers,
                                          std::vector<std::string> databases) {
  MysqlClient client(servers);
  if (databases.empty()) databases = UserDatabases(client);
  std::vector<std::string> lines;
  std::vector<TableName> tables;
  for (const std::string& database : databases) {
    AddDefinitions(client, database, lines);
    client.Execute("SET NAMES utf8mb4");
    // Biggest first, so that no worker begins with it when the others have ended.
    for (auto& row :
         client.Rows("SELECT table_name FROM information_schema.tables WHERE table_type = "
                     "'BASE TABLE' AND table_schema = " +
                     QuoteText(database) + " ORDER BY data_length DESC")) {
      tables.push_back({database, row[0]});
    }
  }
  std::mutex mutex;
  RunJobs(tables.size(), 2, [&] {
    auto worker = std::make_shared<MysqlClient>(servers);
    return [worker, &tables, &mutex, &lines](size_t i) {
      std::string line = TableLine(*worker, tables[i]);
      std::lock_guard lock(mutex);
      lines.push_back(std::move(line));
    };
  });
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace sitegen
