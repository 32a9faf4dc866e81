#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "fill.h"
#include "mysql_client.h"
#include "mysql_objects.h"
#include "mysql_tables.h"
#include "mysql_zoo.h"
#include "random.h"
#include "text.h"
#include "workers.h"

namespace sitegen {
namespace {

constexpr size_t kConnections = 4;
constexpr int64_t kRowsPerJob = 20000;

struct Job {
  const Table* table;
  int64_t first;
  int64_t end;
};

void MakeDatabases(MysqlClient& client) {
  for (const std::string& name : UserDatabases(client)) {
    if (name == kOpenedx || name == kNotes || name == kOddDatabase) {
      throw std::runtime_error(
          fmt::format("the database '{}' exists already; `destroy` removes the site", name));
    }
  }
  client.Execute("CREATE DATABASE `openedx` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci");
  client.Execute("CREATE DATABASE `notes` CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci");
  client.Execute(fmt::format("CREATE DATABASE {} CHARACTER SET utf8mb4", QuoteName(kOddDatabase)));
}

void WriteRows(MysqlClient& client, const Job& job) {
  RowWriter out(client, QuoteName(job.table->name), "");
  // Some megabytes a transaction: a commit flushes the redo log.
  client.Execute("BEGIN");
  for (int64_t row = job.first; row < job.end; row++) {
    out.Begin();
    job.table->make(out, row);
    out.End();
  }
  out.Flush();
  client.Execute("COMMIT");
}

std::vector<Job> JobsOf(const std::vector<Table>& tables) {
  std::vector<Job> jobs;
  for (const Table& table : tables) {
    for (int64_t first = 0; first < table.rows; first += kRowsPerJob) {
      jobs.push_back({&table, first, std::min(table.rows, first + kRowsPerJob)});
    }
  }
  return jobs;
}

void FillOpenedx(const Servers& servers, const Model& model) {
  std::vector<Table> tables = LearnerTables(model);
  for (Table& table : CourseTables(model)) tables.push_back(std::move(table));
  auto connect = [&servers] {
    auto client = std::make_shared<MysqlClient>(servers);
    client->Execute("USE `openedx`");
    return client;
  };
  auto first = connect();
  for (const Table& table : tables) {
    first->Execute(fmt::format("CREATE TABLE {} ({})", QuoteName(table.name), table.create));
  }
  std::vector<Job> jobs = JobsOf(tables);
  RunJobs(jobs.size(), kConnections, [&] {
    auto client = connect();
    return [client, &jobs](size_t i) { WriteRows(*client, jobs[i]); };
  });
  RunJobs(tables.size(), 2, [&] {
    auto client = connect();
    return [client, &tables](size_t i) {
      if (tables[i].finish.empty()) return;
      client->Execute(
          fmt::format("ALTER TABLE {} {}", QuoteName(tables[i].name), tables[i].finish));
    };
  });
  MakeOpenedxObjects(*first);
}

// The notes service keeps its notes in utf8mb3, as sites that began with an old release do.
void FillNotes(MysqlClient& client, const Model& model) {
  client.Execute("USE `notes`");
  client.Execute(
      "CREATE TABLE `v1_note` (`id` int NOT NULL AUTO_INCREMENT, `course_id` varchar(255) NOT "
      "NULL, "
      "`usage_id` varchar(255) NOT NULL, `quote` longtext NOT NULL, `text` longtext NOT NULL, "
      "`ranges` "
      "longtext NOT NULL, `created` datetime(6) NOT NULL, `tags` longtext NOT NULL, `user_id` "
      "varchar(255) NOT NULL, PRIMARY KEY (`id`), KEY `course` (`course_id`), FULLTEXT KEY `text` "
      "(`text`))");
  RowWriter out(client, "`v1_note`", "");
  for (int64_t row = 0; row < std::clamp<int64_t>(model.users / 2, 5, 2000); row++) {
    Random random(model.seed, "v1_note", static_cast<uint64_t>(row));
    int64_t course = row % model.courses;
    out.Begin().Int(row + 1).Text(CourseKey(course)).Text(UsageKey(model, course, 5));
    out.Text(Words(random, 8))
        .Text("Ж日本 " + Words(random, 40))
        .Text("[{\"start\": \"/div[1]\"}]");
    out.Text(SqlTime(random)).Text("[]").Text(Hex(random, 32)).End();
  }
  out.Flush();
}

}  // namespace

void FillMysql(const Servers& servers, const Model& model) {
  MysqlClient client(servers);
  MakeDatabases(client);
  FillOpenedx(servers, model);
  FillNotes(client, model);
  client.Execute("USE " + QuoteName(kOddDatabase));
  MakeTypeZoo(client);
  MakeDefinitionZoo(client);
  MakeOddObjects(client);
}

}  // namespace sitegen
