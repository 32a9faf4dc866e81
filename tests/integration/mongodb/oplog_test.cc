// An oplog of a real mongod replayed through a restore into a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/run_context_testing.h"
#include "mongodb/dump_path.h"
#include "mongodb/oplog_cases_testing.h"
#include "mongodb/restore_testing.h"
#include "mongodb/server_testing.h"

namespace oxbackup::mongodb {
namespace {

// The recorded case without what FerretDB lacks (capped collections, validators, views).
constexpr int kDocumentsOnly = 3;

std::vector<std::string> Sorted(std::vector<std::string> documents) {
  std::sort(documents.begin(), documents.end());
  return documents;
}

TEST(OplogIntegration, RestoresTheTrueStateByteForByte) {
  TestDatabase site("oplog_site");
  TestDatabase forum("oplog_forum");
  TestDatabase records("oplog_records");
  RestoreOptions options;
  options.record_database = records.name();
  options.ns_rename = {{"openedx.*", site.name() + ".*"},
                       {"cs_comments_service.*", forum.name() + ".*"}};
  TestArchive archive;
  for (const RecordedCollection& collection : ReadRecordedState(kDocumentsOnly, "copy")) {
    archive.AddRaw(collection.database, collection.name, collection.documents,
                   collection.MetadataJson());
  }
  archive.AddMember(std::string(kDumpFolder) + "oplog.bson", RecordedOplog(kDocumentsOnly));
  TestRun run;
  RestoreAll(TestServer(), options, archive, run);

  size_t compared = 0;
  for (const RecordedCollection& collection : ReadRecordedState(kDocumentsOnly, "final")) {
    TestDatabase& database = collection.database == "openedx" ? site : forum;
    std::vector<std::string> documents;
    Cursor cursor(database.session(), database.name(), Bson().Add("find", collection.name));
    while (cursor.NextOrThrow("cannot read")) documents.emplace_back(cursor.document());
    EXPECT_TRUE(Sorted(documents) == Sorted(collection.documents)) << collection.name;
    compared += documents.size();
  }
  EXPECT_GT(compared, 100u);
}

}  // namespace
}  // namespace oxbackup::mongodb
