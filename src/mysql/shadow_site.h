// What a restore builds beside the live databases.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/create_table.h"
#include "mysql/member_path.h"
#include "mysql/restore_session.h"
#include "mysql/swap_record.h"

namespace oxbackup::mysql {

/// A table that is filled with at least this much SQL gets its indexes afterwards, bytes. Most of a
/// site's tables are smaller: for them an ALTER of its own costs more than the indexes' upkeep
/// (a full-text index over 11 MB: 0.6 s of upkeep, 2.4 s of ALTER, MySQL 9.7).
inline constexpr uint64_t kDeferIndexesFrom = uint64_t{16} << 20;

/// What a table is made without at first.
enum class Later {
  kNothing,
  kForeignKeys,  ///< they may refer to a key of another table that comes later itself
  kIndexesToo,
};

struct ShadowTable {
  std::string database;
  std::string name;
  std::string create;  ///< as the archive has it
  std::string then;    ///< what follows it: the present value of a MariaDB sequence; may be empty
  TableParts parts;    ///< of `create`
  bool created = false;
  bool deferred = false;            ///< its indexes come later
  bool foreign_keys_later = false;  ///< its foreign keys do
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> bytes{0};        ///< of SQL loaded so far
  std::atomic<int64_t> members_left{0};  ///< chunks that are still to come; random access only
};

struct ShadowDatabase {
  std::string name;
  std::string shadow;
  std::string options;  ///< what follows the name in CREATE DATABASE
  std::map<std::string, std::unique_ptr<ShadowTable>> tables;
};

/// The longest member other than rows that is taken.
inline constexpr uint64_t kMaxDefinitionBytes = uint64_t{64} << 20;

/// The schemas, tables and scripts of one restore. Adding is for one thread, before or while others
/// work on the tables they were given; tables stay where they are.
class ShadowSite {
 public:
  /// `wanted`: databases to restore; empty: all.
  explicit ShadowSite(const std::vector<std::string>& wanted) : wanted_(wanted) {}

  /// False for databases that are not wanted and for the servers' and our own.
  bool Wants(const std::string& database) const;
  /// Adds a database from its CREATE DATABASE statement. One that is known stays as it is: two
  /// dumps in one script, definitions and rows, both create it.
  void AddDatabase(const std::string& name, std::string_view create);
  /// Throws Error(kCorrupt) when its database is not known, or when the table is already.
  void AddTable(const std::string& database, const std::string& name, std::string_view create);
  /// Nothing (nullptr) when there is none.
  ShadowTable* FindTable(const std::string& database, const std::string& name);
  ShadowDatabase* FindDatabase(const std::string& name);
  /// Those of the table's foreign keys, "ADD CONSTRAINT …", that refer to a table which a database
  /// of the site would have to have and has not. To be called when all tables are known.
  std::vector<std::string> LooseKeys(const ShadowTable& table);
  /// All tables, those with the most bytes first.
  std::vector<ShadowTable*> Tables();

  /// Takes over a member other than rows. Throws Error(kCorrupt) as AddTable does.
  void AddMember(const MemberPath& path, const std::string& sql);

  /// Creates the table in its shadow schema. `session` is anywhere.
  void CreateTable(Session& session, ShadowTable& table, Later later);
  /// Adds what CreateTable left out, loose keys excepted: they would stay with the shadow schema
  /// when the table leaves it. Each is one or a few ALTER TABLE; nothing when nothing was.
  void BuildIndexes(Session& session, const ShadowTable& table);
  void AddForeignKeys(Session& session, const ShadowTable& table);

  std::map<std::string, ShadowDatabase> databases;
  std::vector<ObjectScript> objects;
  std::string accounts;

 private:
  ShadowDatabase& KnownDatabase(const std::string& name, const std::string& what);
  void AddObject(ObjectScript script);
  std::string Redirect(std::string_view sql);

  std::vector<std::string> wanted_;
};

}  // namespace oxbackup::mysql
