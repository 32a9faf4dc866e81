#include "mysql/verify.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "mysql/catalog.h"
#include "mysql/quote.h"
#include "mysql/table_digest.h"

namespace oxbackup::mysql {
namespace {

[[noreturn]] void ThrowDiffers(const std::string& table, const std::string& what) {
  throw Error(ErrorKind::kCorrupt, "the restored table " + table + " is not what was backed up")
      .Cause(what)
      .Hint(
          "run the restore again, and if it fails at the same table "
          "restore into a server of the version that the backup was made from");
}

void CompareCounts(const ConnectOptions& options, ShadowSite& site, const RunContext& run) {
  Session session(options, run.stop);
  for (const auto& [database_name, database] : site.databases) {
    for (const Table& there : ReadDatabase(session, database.shadow).tables) {
      if (!HasOwnRows(there)) continue;
      const std::string name = database_name + "." + there.name;
      const std::string count =
          session.QueryValue("SELECT COUNT(*) FROM " + QuoteName(database.shadow, there.name));
      const ShadowTable* const table = site.FindTable(database_name, there.name);
      const uint64_t loaded = table == nullptr ? 0 : table->rows.load();
      if (count != std::to_string(loaded)) {
        ThrowDiffers(name, count + " rows are there, " + std::to_string(loaded) + " were loaded");
      }
      run.progress.Add("mysql", 0, loaded, name);
    }
  }
}

}  // namespace

void VerifyShadow(const ConnectOptions& options, int readers, ShadowSite& site,
                  const ComponentManifest* expected, const RunContext& run) {
  run.progress.Begin("mysql", "verify", expected == nullptr ? 0 : expected->RawBytes());
  if (expected == nullptr) {
    CompareCounts(options, site, run);
    return;
  }
  std::vector<std::unique_ptr<Session>> sessions;
  for (int i = 0; i < std::max(readers, 1); ++i) {
    sessions.push_back(std::make_unique<Session>(options, run.stop));
  }
  std::map<std::pair<std::string, std::string>, Table> loaded;
  for (const auto& [name, database] : site.databases) {
    for (Table& table : ReadDatabase(*sessions[0], database.shadow).tables) {
      std::string table_name = table.name;
      loaded.emplace(std::pair(name, std::move(table_name)), std::move(table));
    }
  }
  std::vector<Table> tables;
  std::vector<const ObjectEntry*> entries;
  for (const ObjectEntry& object : expected->objects) {
    if (object.digest.empty() || !site.Wants(object.database)) continue;
    const auto found = loaded.find({object.database, object.name});
    if (found == loaded.end()) {
      ThrowDiffers(object.database + "." + object.name, "it is missing");
    }
    if (!HasOwnRows(found->second)) continue;
    tables.push_back(found->second);
    entries.push_back(&object);
  }
  const std::vector<ContentDigest> digests = DigestTables(sessions, tables, run);
  for (size_t i = 0; i < digests.size(); ++i) {
    const std::string name = entries[i]->database + "." + entries[i]->name;
    if (digests[i].count() != entries[i]->items) {
      ThrowDiffers(name, FormatCount(digests[i].count()) + " rows instead of " +
                             FormatCount(entries[i]->items));
    }
    if (digests[i].Hex() != entries[i]->digest) {
      ThrowDiffers(
          name, "its content digest is " + digests[i].Hex() + " instead of " + entries[i]->digest);
    }
  }
}

}  // namespace oxbackup::mysql
