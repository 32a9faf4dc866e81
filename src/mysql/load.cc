#include "mysql/load.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/bounded_queue.h"
#include "base/error.h"
#include "base/task_group.h"
#include "mysql/create_table.h"
#include "mysql/member_path.h"
#include "mysql/script_splitter.h"
#include "mysql/stream_load.h"

namespace oxbackup::mysql {
namespace {

// What a loading thread holds: the splitter's buffer around a statement of up to about a mebibyte.
constexpr uint64_t kBytesPerWorker = uint64_t{3} << 20;
// Tables of this much SQL are read on their own, the largest first: their indexes, each build of
// which keeps no more than a core or two busy, are then made while the others load.
constexpr uint64_t kLoadAloneFrom = uint64_t{32} << 20;

/// Loads one of our archives whose members can be read in any order.
class RandomLoad {
 public:
  RandomLoad(ArchiveReader& reader, ShadowSite& site, LoadCrew& crew, RecordBook& book,
             const RunContext& run)
      : reader_(reader), site_(site), crew_(crew), book_(book), run_(run) {}

  void Run() {
    ReadDefinitions();
    for (const auto& [name, database] : site_.databases) {
      book_.CreateSchema(database.shadow, database.options);
    }
    const uint64_t bytes = CountMembers();
    run_.progress.Begin("mysql", "load", bytes);
    std::vector<const ShadowTable*> alone;
    for (const ShadowTable* const table : site_.Tables()) {
      if (table->bytes >= kLoadAloneFrom) alone.push_back(table);
    }
    std::set<std::pair<std::string, std::string>> deferred;
    for (const ShadowTable* const table : site_.Tables()) {
      if (table->bytes >= kDeferIndexesFrom) deferred.emplace(table->database, table->name);
    }
    crew_.ForEach(site_.Tables(), [&](LoadSession& session, ShadowTable& table) {
      site_.CreateTable(session.session(), table, WhatComesLater(table, deferred));
      table.bytes = 0;
    });
    LoadRows(alone);
  }

 private:
  // A foreign key needs the key that it refers to, even while nothing is checked.
  Later WhatComesLater(const ShadowTable& table,
                       const std::set<std::pair<std::string, std::string>>& deferred) {
    if (deferred.contains({table.database, table.name})) return Later::kIndexesToo;
    const bool refers = RefersTo(table.create, table.database,
                                 [&](const std::string& database, const std::string& name) {
                                   return deferred.contains({database, name});
                                 });
    return refers || !site_.LooseKeys(table).empty() ? Later::kForeignKeys : Later::kNothing;
  }

  bool IsWanted(const std::string& path, bool rows) const {
    const std::optional<MemberPath> member = ParseMemberPath(path);
    if (!member || (member->kind == MemberKind::kRows) != rows) return false;
    return member->kind == MemberKind::kAccounts || site_.Wants(member->database);
  }

  void ReadDefinitions() {
    std::vector<std::pair<MemberPath, std::string>> others;
    reader_.Read([this](const std::string& path) { return IsWanted(path, false); },
                 [&](const MemberInfo& info, ByteSource& content) {
                   others.emplace_back(*ParseMemberPath(info.path),
                                       ReadAll(content, kMaxDefinitionBytes));
                 },
                 1, run_);
    // A database must be known before its tables, whatever the order of blocks.
    for (const auto& [path, sql] : others) {
      if (path.kind == MemberKind::kDatabase) site_.AddMember(path, sql);
    }
    for (const auto& [path, sql] : others) {
      if (path.kind != MemberKind::kDatabase) site_.AddMember(path, sql);
    }
  }

  ShadowTable& TableOf(const MemberPath& path) {
    ShadowTable* const table = site_.FindTable(path.database, path.name);
    if (table == nullptr) {
      throw Error(ErrorKind::kCorrupt, "the archive has rows of " + path.database + "." +
                                           path.name + " but not its definition");
    }
    return *table;
  }

  /// Tells each table how many members and bytes will come.
  uint64_t CountMembers() {
    uint64_t bytes = 0;
    for (const MemberEntry& member : reader_.manifest()->members) {
      if (!IsWanted(member.path, true)) continue;
      ShadowTable& table = TableOf(*ParseMemberPath(member.path));
      table.bytes += member.size;
      ++table.members_left;
      bytes += member.size;
    }
    return bytes;
  }

  /// Rows on the one side, and the indexes of tables that are full on the other.
  void LoadRows(const std::vector<const ShadowTable*>& alone) {
    const int loaders = crew_.size() - kIndexBuilders;
    const Reservation buffers =
        run_.budget.Take(static_cast<uint64_t>(loaders) * kBytesPerWorker, run_.stop);
    TaskGroup group(run_.stop);
    const std::stop_callback stop_all(group.stop_token(), [this] { crew_.Stop(); });
    for (int i = 0; i < kIndexBuilders; ++i) {
      group.Run([this](const std::stop_token& stop) {
        crew_.With([&](LoadSession& session) {
          while (const auto table = full_.Pop(stop)) {
            site_.BuildIndexes(session.session(), **table);
          }
          session.Forget();
        });
      });
    }
    group.Run([&](const std::stop_token& stop) {
      const RunContext run = run_.WithStop(stop);
      for (const ShadowTable* const table : alone) {
        LoadTables(loaders, run, [&](const ShadowTable& other) { return &other == table; });
      }
      LoadTables(loaders, run, [&](const ShadowTable& other) {
        return std::ranges::find(alone, &other) == alone.end();
      });
      full_.Close();
    });
    group.Wait();
  }

  void LoadTables(int loaders, const RunContext& run,
                  const std::function<bool(const ShadowTable&)>& is_due) {
    reader_.Read(
        [&](const std::string& path) {
          return IsWanted(path, true) && is_due(TableOf(*ParseMemberPath(path)));
        },
        [&](const MemberInfo& info, ByteSource& content) {
          ShadowTable& table = TableOf(*ParseMemberPath(info.path));
          crew_.With([&](LoadSession& session) { LoadMember(session, table, content, run); });
        },
        loaders, run);
  }

  void LoadMember(LoadSession& session, ShadowTable& table, ByteSource& content,
                  const RunContext& run) {
    const std::string& shadow = site_.FindDatabase(table.database)->shadow;
    ScriptSplitter splitter(content);
    while (const auto statement = splitter.Next()) {
      // The chunk's settings are those that every session has.
      if (!statement->starts_with("INSERT")) continue;
      run.ThrowIfStopped();
      session.Insert(shadow, table, LoadSettings(), *statement);
      run_.progress.Add("mysql", statement->size(), session.session().affected_rows(),
                        table.database + "." + table.name);
    }
    if (--table.members_left == 0 && table.deferred) full_.Push(&table, 1, run.stop);
  }

  ArchiveReader& reader_;
  ShadowSite& site_;
  LoadCrew& crew_;
  RecordBook& book_;
  RunContext run_;
  BoundedQueue<ShadowTable*> full_{std::numeric_limits<uint64_t>::max()};
};

}  // namespace

void LoadArchive(ArchiveReader& reader, ShadowSite& site, LoadCrew& crew, RecordBook& book,
                 const RunContext& run) {
  if (reader.random_access() && reader.manifest() != nullptr) {
    RandomLoad(reader, site, crew, book, run).Run();
  } else {
    StreamLoad(reader, site, crew, book, run).Run();
  }
  run.progress.Begin("mysql", "index", 0);
  crew.ForEach(site.Tables(), [&](LoadSession& session, ShadowTable& table) {
    site.AddForeignKeys(session.session(), table);
  });
}

}  // namespace oxbackup::mysql
