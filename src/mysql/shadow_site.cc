#include "mysql/shadow_site.h"

#include <algorithm>

#include "base/error.h"
#include "mysql/catalog.h"
#include "mysql/object_scripts.h"
#include "mysql/quote.h"
#include "mysql/script_splitter.h"
#include "mysql/shadow_names.h"
#include "mysql/statement.h"

namespace oxbackup::mysql {
namespace {

// "DO SETVAL(`sequence`, …)" in a sequence's member; empty in others.
std::string FindSequenceValue(const std::string& sql) {
  MemoryByteSource source(sql);
  ScriptSplitter splitter(source);
  while (const auto statement = splitter.Next()) {
    if (statement->starts_with("DO SETVAL(")) return std::string(*statement);
  }
  return "";
}

// The statement of this kind among a member's settings and comments.
std::string FindStatement(const std::string& sql, StatementKind kind, const std::string& what) {
  MemoryByteSource source(sql);
  ScriptSplitter splitter(source);
  while (const auto statement = splitter.Next()) {
    if (Classify(*statement).kind == kind) return std::string(*statement);
  }
  throw Error(ErrorKind::kCorrupt, "the archive's definition of " + what + " has no CREATE");
}

}  // namespace

bool ShadowSite::Wants(const std::string& database) const {
  if (IsOwnOrSystemDatabase(database)) return false;
  return wanted_.empty() || std::find(wanted_.begin(), wanted_.end(), database) != wanted_.end();
}

void ShadowSite::AddDatabase(const std::string& name, std::string_view create) {
  const Statement statement = Classify(create);
  databases.try_emplace(
      name,
      ShadowDatabase{name, ShadowName(name), std::string(create.substr(statement.name_end)), {}});
}

ShadowDatabase& ShadowSite::KnownDatabase(const std::string& name, const std::string& what) {
  if (ShadowDatabase* const found = FindDatabase(name)) return *found;
  throw Error(ErrorKind::kCorrupt, "the archive has " + what + " but not the database");
}

void ShadowSite::AddTable(const std::string& database, const std::string& name,
                          std::string_view create) {
  ShadowDatabase& owner = KnownDatabase(database, "the table " + database + "." + name);
  // Others may be filling the first one.
  if (owner.tables.contains(name)) {
    throw Error(ErrorKind::kCorrupt,
                "the archive defines the table " + database + "." + name + " twice");
  }
  auto table = std::make_unique<ShadowTable>();
  table->database = database;
  table->name = name;
  table->create = ForFilling(create);
  table->parts = SplitIndexes(table->create);
  owner.tables[name] = std::move(table);
}

void ShadowSite::AddObject(ObjectScript script) {
  static_cast<void>(KnownDatabase(script.database, Describe(script)));
  objects.push_back(std::move(script));
}

ShadowTable* ShadowSite::FindTable(const std::string& database, const std::string& name) {
  ShadowDatabase* const found = FindDatabase(database);
  if (found == nullptr) return nullptr;
  const auto table = found->tables.find(name);
  return table == found->tables.end() ? nullptr : table->second.get();
}

ShadowDatabase* ShadowSite::FindDatabase(const std::string& name) {
  const auto found = databases.find(name);
  return found == databases.end() ? nullptr : &found->second;
}

std::vector<std::string> ShadowSite::LooseKeys(const ShadowTable& table) {
  std::vector<std::string> loose;
  for (const std::string& key : table.parts.foreign_keys) {
    const bool is_loose =
        RefersTo(key, table.database, [this](const std::string& database, const std::string& name) {
          const ShadowDatabase* const found = FindDatabase(database);
          return found != nullptr && !found->tables.contains(name);
        });
    if (is_loose) loose.push_back(key);
  }
  return loose;
}

std::vector<ShadowTable*> ShadowSite::Tables() {
  std::vector<ShadowTable*> tables;
  for (auto& [name, database] : databases) {
    for (auto& [table_name, table] : database.tables) tables.push_back(table.get());
  }
  std::stable_sort(tables.begin(), tables.end(), [](const ShadowTable* a, const ShadowTable* b) {
    return a->bytes.load() > b->bytes.load();
  });
  return tables;
}

void ShadowSite::AddMember(const MemberPath& path, const std::string& sql) {
  switch (path.kind) {
    case MemberKind::kDatabase:
      AddDatabase(path.database, FindStatement(sql, StatementKind::kCreateDatabase, path.database));
      return;
    case MemberKind::kTable:
      AddTable(path.database, path.name,
               FindStatement(sql, StatementKind::kCreateTable, path.database + "." + path.name));
      FindTable(path.database, path.name)->then = FindSequenceValue(sql);
      return;
    case MemberKind::kView:
      AddObject({ObjectScript::Kind::kView, path.database, path.name, sql});
      return;
    case MemberKind::kTriggers:
      AddObject({ObjectScript::Kind::kTriggers, path.database, path.name, sql});
      return;
    case MemberKind::kPost:
      AddObject({ObjectScript::Kind::kPost, path.database, "", sql});
      return;
    case MemberKind::kAccounts:
      accounts = sql;
      return;
    case MemberKind::kRows:
      return;
  }
}

std::string ShadowSite::Redirect(std::string_view sql) {
  return RedirectReferences(sql, [this](const std::string& database) {
    const ShadowDatabase* const found = FindDatabase(database);
    return found == nullptr ? database : found->shadow;
  });
}

void ShadowSite::CreateTable(Session& session, ShadowTable& table, Later later) {
  const std::string& shadow = FindDatabase(table.database)->shadow;
  const std::string& create = later == Later::kIndexesToo    ? table.parts.create
                              : later == Later::kForeignKeys ? table.parts.create_with_indexes
                                                             : table.create;
  const std::string sql = Redirect(create);
  WithContext([&] { return "creating the table " + table.database + "." + table.name; },
              [&] {
                // The database matters for references to tables without one.
                session.Execute("USE " + QuoteName(shadow));
                ExecuteWithRetry(session, sql);
                if (!table.then.empty()) session.Execute(table.then);
              });
  table.created = true;
  table.deferred = later == Later::kIndexesToo;
  table.foreign_keys_later = later != Later::kNothing;
}

void ShadowSite::BuildIndexes(Session& session, const ShadowTable& table) {
  if (!table.deferred) return;
  const std::string target = QuoteName(FindDatabase(table.database)->shadow, table.name);
  WithContext([&] { return "building the indexes of " + table.database + "." + table.name; },
              [&] {
                for (const std::string& list : table.parts.index_alters) {
                  ExecuteWithRetry(session, "ALTER TABLE " + target + " " + list);
                }
              });
}

void ShadowSite::AddForeignKeys(Session& session, const ShadowTable& table) {
  if (!table.foreign_keys_later) return;
  const std::vector<std::string> loose = LooseKeys(table);
  std::string list;
  for (const std::string& key : table.parts.foreign_keys) {
    if (std::find(loose.begin(), loose.end(), key) != loose.end()) continue;
    list += (list.empty() ? "" : ", ") + Redirect(key);
  }
  if (list.empty()) return;
  const std::string& shadow = FindDatabase(table.database)->shadow;
  WithContext([&] { return "adding the foreign keys of " + table.database + "." + table.name; },
              [&] {
                session.Execute("USE " + QuoteName(shadow));
                ExecuteWithRetry(session, "ALTER TABLE " + QuoteName(table.name) + " " + list);
              });
}

}  // namespace oxbackup::mysql
