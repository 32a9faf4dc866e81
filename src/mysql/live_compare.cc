#include "mysql/live_compare.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "mysql/catalog.h"
#include "mysql/named_objects.h"
#include "mysql/quote.h"
#include "mysql/table_digest.h"
#include "mysql/visibility.h"

namespace oxbackup::mysql {
namespace {

using TableKey = std::pair<std::string, std::string>;

class Comparer final : public LiveComparer {
 public:
  Comparer(const ConnectOptions& options, int readers, const RunContext& run)
      : options_(options), readers_(readers), run_(run) {}

  std::string_view name() const override { return "mysql"; }

  std::vector<std::string> Compare(const ComponentManifest& expected) override {
    run_.progress.Begin("mysql", "compare", expected.RawBytes());
    std::vector<std::unique_ptr<Session>> sessions;
    for (int i = 0; i < std::max(readers_, 1); ++i) {
      sessions.push_back(std::make_unique<Session>(options_, run_.stop));
      sessions.back()->Execute("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    }
    std::vector<std::string> differences;
    const std::map<TableKey, Table> live = ReadLive(*sessions[0], expected, differences);

    std::vector<Table> tables;
    std::vector<const ObjectEntry*> entries;
    std::set<TableKey> known;
    for (const ObjectEntry& object : expected.objects) {
      if (object.digest.empty()) continue;
      const TableKey key(object.database, object.name);
      known.insert(key);
      const auto found = live.find(key);
      if (found != live.end()) {
        if (!HasOwnRows(found->second)) continue;
        tables.push_back(found->second);
        entries.push_back(&object);
      } else if (!missing_databases_.contains(object.database)) {
        differences.push_back("The table " + object.database + "." + object.name +
                              " is missing on the server.");
      }
    }
    for (const auto& [key, table] : live) {
      if (known.contains(key)) continue;
      differences.push_back("The table " + key.first + "." + key.second +
                            " is on the server but not in the archive.");
    }
    const std::vector<ContentDigest> digests = DigestTables(sessions, tables, run_);
    for (size_t i = 0; i < digests.size(); ++i) {
      if (const auto sentence = Describe(*entries[i], digests[i])) {
        differences.push_back(*sentence);
      }
    }
    run_.progress.Done("mysql");
    return differences;
  }

 private:
  std::map<TableKey, Table> ReadLive(Session& session, const ComponentManifest& expected,
                                     std::vector<std::string>& differences) {
    std::map<TableKey, Table> live;
    std::set<std::string> databases;
    for (const ObjectEntry& object : expected.objects) databases.insert(object.database);
    const std::set<std::string> hidden = WhatIsHidden(session, databases);
    for (const std::string& database : databases) {
      if (session
              .Query("SELECT 1 FROM information_schema.SCHEMATA WHERE " +
                     NameIs("SCHEMA_NAME", database))
              .empty()) {
        differences.push_back("The database " + database + " is missing on the server.");
        missing_databases_.insert(database);
        continue;
      }
      Database present = ReadDatabase(session, database);
      CompareObjects(present, expected, hidden, differences);
      for (Table& table : present.tables) {
        TableKey key(database, table.name);
        live.emplace(std::move(key), std::move(table));
      }
    }
    return live;
  }

  /// "openedx triggers": of what this account would not see, nothing can be said to be missing.
  std::set<std::string> WhatIsHidden(Session& session, const std::set<std::string>& databases) {
    std::set<std::string> hidden;
    for (const Invisible& one : FindInvisible(session, {databases.begin(), databases.end()})) {
      // Views are listed together with tables, which have to be read anyway.
      if (one.kind == "tables" || one.kind == "views") continue;
      hidden.insert(one.database + " " + one.kind);
      run_.warnings.Add("the " + one.kind + " of " + one.database + " are not compared: " +
                        session.where() + " has no right to see all of them (" + one.right + ")");
    }
    return hidden;
  }

  static void CompareObjects(const Database& live, const ComponentManifest& expected,
                             const std::set<std::string>& hidden,
                             std::vector<std::string>& differences) {
    const NamedObjects here = ObjectsOf(live);
    const NamedObjects archived = ObjectsOf(expected, live.name);
    const auto sentence = [&](const NamedObjects::value_type& object, const char* what) {
      std::string kind = object.first;
      std::replace(kind.begin(), kind.end(), '_', ' ');
      differences.push_back("The " + kind + " " + live.name + "." + object.second + what);
    };
    for (const auto& object : archived) {
      const bool seen = !hidden.contains(live.name + " " + std::string(GroupOf(object.first)));
      if (seen && !here.contains(object)) sentence(object, " is missing on the server.");
    }
    for (const auto& object : here) {
      if (!Lists(expected, live.name, object)) {
        sentence(object, " is on the server but not in the archive.");
      }
    }
  }

  static std::optional<std::string> Describe(const ObjectEntry& entry,
                                             const ContentDigest& digest) {
    const std::string name = "The table " + entry.database + "." + entry.name;
    if (digest.count() != entry.items) {
      return name + " has " + FormatCounted(digest.count(), "row", "rows") + " on the server and " +
             FormatCount(entry.items) + " in the archive.";
    }
    if (digest.Hex() != entry.digest) {
      return name + " has as many rows on the server as in the archive, but not the same ones.";
    }
    return std::nullopt;
  }

  ConnectOptions options_;
  int readers_;
  RunContext run_;
  std::set<std::string> missing_databases_;
};

}  // namespace

std::unique_ptr<LiveComparer> MakeLiveComparer(const ConnectOptions& options, int readers,
                                               const RunContext& run) {
  return std::make_unique<Comparer>(options, readers, run);
}

}  // namespace oxbackup::mysql
