#include "mysql/load.h"

#include <string>
#include <vector>

#include "base/error.h"
#include "mysql/member_path.h"
#include "mysql/script_splitter.h"
#include "mysql/stream_load.h"

namespace oxbackup::mysql {
namespace {

// What a loading thread holds: the splitter's buffer around a statement of up to about a mebibyte.
constexpr uint64_t kBytesPerWorker = uint64_t{3} << 20;
constexpr uint64_t kMaxDefinitionBytes = uint64_t{64} << 20;

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
    crew_.ForEach(site_.Tables(), [this](LoadSession& session, ShadowTable& table) {
      site_.CreateTable(session.session(), table, table.bytes >= kDeferIndexesFrom);
      table.bytes = 0;
    });
    LoadRows();
  }

 private:
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

  void LoadRows() {
    const auto workers = static_cast<uint64_t>(crew_.size());
    const Reservation buffers = run_.budget.Take(workers * kBytesPerWorker, run_.stop);
    reader_.Read([this](const std::string& path) { return IsWanted(path, true); },
                 [this](const MemberInfo& info, ByteSource& content) {
                   ShadowTable& table = TableOf(*ParseMemberPath(info.path));
                   crew_.With([&](LoadSession& session) { LoadMember(session, table, content); });
                 },
                 crew_.size(), run_);
  }

  void LoadMember(LoadSession& session, ShadowTable& table, ByteSource& content) {
    const std::string& shadow = site_.FindDatabase(table.database)->shadow;
    ScriptSplitter splitter(content);
    while (const auto statement = splitter.Next()) {
      // The chunk's settings are those that every session has.
      if (!statement->starts_with("INSERT")) continue;
      run_.ThrowIfStopped();
      session.Insert(shadow, table, LoadSettings(), *statement);
      run_.progress.Add("mysql", statement->size(), session.session().affected_rows(),
                        table.database + "." + table.name);
    }
    if (--table.members_left == 0) site_.BuildIndexes(session.session(), table);
  }

  ArchiveReader& reader_;
  ShadowSite& site_;
  LoadCrew& crew_;
  RecordBook& book_;
  RunContext run_;
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
