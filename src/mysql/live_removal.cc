#include "mysql/live_removal.h"

#include <optional>
#include <set>
#include <utility>

#include "mysql/dump_script.h"
#include "mysql/member_path.h"
#include "mysql/quote.h"
#include "mysql/restore_session.h"
#include "mysql/statement.h"

namespace oxbackup::mysql {
namespace {

// The databases that a mysqldump script creates.
class ScriptScan {
 public:
  ScriptScan(const ShadowSite& site, std::set<std::string>& created)
      : site_(site), created_(created) {}

  void Read(ByteSource& content, const RunContext& run) {
    ForEachStatement(content, [&](std::string_view text) {
      run.ThrowIfStopped();
      run.progress.Add("mysql", text.size(), 0, database_);
      Take(text);
    });
  }

 private:
  void Take(std::string_view text) {
    Statement statement = Classify(text);
    if (statement.database.empty()) statement.database = database_;
    switch (statement.kind) {
      case StatementKind::kUse:
        database_ = statement.database;
        return;
      case StatementKind::kCreateDatabase:
        if (site_.Wants(statement.database)) created_.insert(statement.database);
        return;
      case StatementKind::kSet:
        return;
      default:
        break;
    }
    const bool unwanted = !statement.database.empty() && !site_.Wants(statement.database);
    if (IsPassedOver(statement) || unwanted) return;
    RefuseUnplaceable(statement, text, created_.contains(statement.database));
    if (statement.kind == StatementKind::kCreateTable &&
        !tables_.emplace(statement.database, statement.name).second) {
      RefuseSecondTable(statement);
    }
  }

  const ShadowSite& site_;
  std::set<std::string>& created_;
  std::set<std::pair<std::string, std::string>> tables_;  // database and name
  std::string database_;
};

void TakeMember(const std::string& path, const ShadowSite& site, std::set<std::string>& created) {
  const std::optional<MemberPath> member = ParseMemberPath(path);
  const bool creates = member && member->kind == MemberKind::kDatabase;
  if (creates && site.Wants(member->database)) created.insert(member->database);
}

}  // namespace

std::vector<std::string> ReplacedDatabases(ArchiveReader& reader, const ShadowSite& site,
                                           const RunContext& run) {
  std::set<std::string> created;
  if (const Manifest* const manifest = reader.manifest()) {
    for (const MemberEntry& member : manifest->members) TakeMember(member.path, site, created);
    return {created.begin(), created.end()};
  }
  run.progress.Begin("mysql", "check", 0);
  bool own_layout = false;  // the script names the members, as in an archive of ours
  reader.Read(
      [](const std::string& path) {
        return path == kScriptPath || ParseMemberPath(path).has_value();
      },
      [&](const MemberInfo& info, ByteSource& content) {
        if (info.type != MemberType::kFile) return;
        if (info.path == kScriptPath) {
          if (!own_layout) ScriptScan(site, created).Read(content, run);
          return;
        }
        own_layout = true;
        TakeMember(info.path, site, created);
      },
      1, run);
  return {created.begin(), created.end()};
}

void DropLiveDatabases(Session& session, const std::vector<std::string>& databases,
                       const StepHook& on_step) {
  const ShortLockWaits waits(session);
  for (const std::string& database : databases) {
    if (on_step) on_step("remove the live " + database);
    ExecuteWithRetry(session, "DROP DATABASE IF EXISTS " + QuoteName(database));
  }
}

}  // namespace oxbackup::mysql
