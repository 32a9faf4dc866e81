#include "mysql/restore_plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "mysql/archive_fit.h"
#include "mysql/catalog.h"
#include "mysql/named_objects.h"
#include "mysql/quote.h"
#include "mysql/restore_rights.h"
#include "mysql/shadow_names.h"
#include "mysql/shadow_site.h"
#include "mysql/swap_record.h"

namespace oxbackup::mysql {
namespace {

void RefuseReadOnly(Session& session) {
  if (session.QueryValue("SELECT @@GLOBAL.read_only") != "1") return;
  throw Error(ErrorKind::kSource, fmt::format("the server at {} is read-only", session.where()))
      .Hint("restore into the primary, or SET GLOBAL read_only=OFF if this is not a replica");
}

void WarnAboutVersions(const Session& session, const ComponentManifest& archive, RestoreRoom room,
                       const RunContext& run) {
  const ServerInfo& here = session.server();
  const char* const end = room == RestoreRoom::kInPlace
                              ? "stops the restore when the live data are gone already"
                              : "stops the restore before anything live changes";
  if (archive.server_flavour != here.flavour()) {
    run.warnings.Add(fmt::format(
        "the backup comes from {} {} and goes into {} {}: character sets, JSON and accounts may "
        "not carry over; what the server refuses {}",
        archive.server_flavour, archive.server_version, here.flavour(), here.version, end));
    return;
  }
  const std::string& version = archive.server_version;
  if (ToNumber(version) > here.number / 10000) {
    run.warnings.Add(
        fmt::format("the backup comes from {} {}, a newer version than this server's "
                    "{}: what it does not know {}",
                    archive.server_flavour, version, here.version, end));
  }
}

struct Size {
  uint64_t tables = 0;
  uint64_t bytes = 0;

  std::string ForPeople() const {
    return FormatCounted(tables, "table", "tables") + ", " + FormatBytes(bytes);
  }
};

std::map<std::string, Size> LiveSizes(Session& session) {
  std::map<std::string, Size> sizes;
  for (const Row& row : session.Query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")) {
    sizes[row[0].value_or("")] = {};
  }
  // MariaDB would count databases together whose names differ in case alone.
  for (const Row& row :
       session.Query("SELECT CAST(TABLE_SCHEMA AS BINARY) AS name, COUNT(*), "
                     "CAST(SUM(COALESCE(DATA_LENGTH,0)+"
                     "COALESCE(INDEX_LENGTH,0)) AS UNSIGNED) FROM information_schema.TABLES "
                     "WHERE TABLE_TYPE<>'VIEW' GROUP BY name")) {
    sizes[row[0].value_or("")] = {ToNumber(TextOf(row, 1)), ToNumber(TextOf(row, 2))};
  }
  return sizes;
}

// The room in the server's data folder, when that folder can be seen from here. A loopback address
// may lead into a container or through a tunnel: there the machine has another name.
std::optional<uint64_t> FreeBytes(Session& session) {
  std::array<char, 256> here{};
  if (gethostname(here.data(), here.size() - 1) != 0) return std::nullopt;
  const Row server = session.Query("SELECT @@GLOBAL.hostname, @@GLOBAL.datadir").at(0);
  if (server[0].value_or("") != here.data()) return std::nullopt;
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(server[1].value_or(""), error);
  if (error) return std::nullopt;
  return space.available;
}

// How much is needed is an estimate, so this does not refuse: a disk that fills up ends the load
// with the server's own error, and what was loaded is dropped.
void WarnOfFullDisk(const RestorePlan& plan, RestoreRoom room, const RunContext& run) {
  if (!plan.bytes_free || plan.bytes_needed <= *plan.bytes_free) return;
  const bool in_place = room == RestoreRoom::kInPlace;
  run.warnings.Add(
      fmt::format("the disk of MySQL's data folder has {} free{}, and the restore needs about {}{}",
                  FormatBytes(*plan.bytes_free), in_place ? " without the live data" : "",
                  FormatBytes(plan.bytes_needed),
                  in_place ? "" : " beside the live data (--in-place removes these first)"));
}

// What a restore does without the binary log stays on this server alone.
void RefuseSilentDivergence(Session& session, bool binlog) {
  if (binlog) return;
  const auto refuse = [](const std::string& who) {
    throw Error(ErrorKind::kUsage,
                "a restore without the binary log would leave " + who + " with the old data")
        .Hint("pass --mysql-binlog true (MYSQL_BINLOG=true), so that they get the restored data");
  };
  ServerError refused;
  const auto count = [&](std::string_view query) {
    const auto rows = session.TryQuery(query, refused);
    return rows && !rows->empty() ? (*rows)[0].back().value_or("") : std::string();
  };
  const std::string readers = count(
      "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'");
  if (!readers.empty() && readers != "0") refuse("this server's replicas");
  const std::string members = count(
      "SELECT COUNT(*) FROM performance_schema.replication_group_members "
      "WHERE MEMBER_STATE<>'OFFLINE'");
  if (!members.empty() && members != "0" && members != "1") refuse("the group's other members");
  const std::string nodes = count("SHOW STATUS LIKE 'wsrep_cluster_size'");
  if (!nodes.empty() && nodes != "0" && nodes != "1") refuse("the cluster's other nodes");
}

void RefuseClashes(Session& session, const std::string& database,
                   const std::map<std::string, Size>& live) {
  const std::vector<std::string> own = RecordBook(session).OwnSchemas();
  for (const std::string& name : {ShadowName(database), OldName(database)}) {
    if (!live.contains(name) || std::find(own.begin(), own.end(), name) != own.end()) continue;
    throw Error(ErrorKind::kSource,
                "the database " + name + ", which a restore needs for itself, exists already")
        .Hint("rename or drop it: it was not made by a restore");
  }
}

// What is removed before the load: what an earlier, broken one has left, and the live data of a
// restore in place.
uint64_t BytesThatGo(const std::map<std::string, Size>& live, const std::string& database,
                     RestoreRoom room) {
  const auto bytes_of = [&](const std::string& name) {
    const auto found = live.find(name);
    return found == live.end() ? 0 : found->second.bytes;
  };
  return bytes_of(ShadowName(database)) + (room == RestoreRoom::kInPlace ? bytes_of(database) : 0);
}

}  // namespace

void RefuseReadOnlyDatabases(Session& session, const std::vector<std::string>& databases) {
  if (databases.empty() || !session.server().IsMySqlFrom(80022)) return;
  const Rows rows = session.Query(
      "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA_EXTENSIONS WHERE OPTIONS LIKE "
      "'%READ ONLY=1%' AND SCHEMA_NAME IN (" +
      QuoteList(databases) + ")");
  if (rows.empty()) return;
  const std::string name = rows[0][0].value_or("");
  throw Error(ErrorKind::kSource,
              fmt::format("the database {} at {} is READ ONLY, so nothing in it "
                          "can be replaced",
                          name, session.where()))
      .Hint("ALTER DATABASE " + QuoteName(name) + " READ ONLY=0, then run the command again");
}

void RefuseForeignKeysInto(Session& session, const std::vector<std::string>& databases) {
  if (databases.empty()) return;
  const Rows rows = session.Query(
      fmt::format("SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_SCHEMA, "
                  "REFERENCED_TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE "
                  "REFERENCED_TABLE_SCHEMA IN ({0}) AND "
                  "CAST(REFERENCED_TABLE_SCHEMA AS BINARY) IN ({0}) AND "
                  "CAST(CONSTRAINT_SCHEMA AS BINARY) NOT IN ({0})",
                  QuoteList(databases)));
  // Old data that are kept for an undo go with the new ones' swap; nobody uses them.
  const std::vector<std::string> own = RecordBook(session).OwnSchemas();
  for (const Row& row : rows) {
    const std::string from = row[0].value_or("");
    if (std::find(own.begin(), own.end(), from) != own.end()) continue;
    throw Error(ErrorKind::kSource,
                fmt::format("the table {}.{}, which is not part of this restore, has the foreign "
                            "key {} to {}.{}, which would be replaced",
                            from, row[1].value_or(""), row[2].value_or(""), row[3].value_or(""),
                            row[4].value_or("")))
        .Hint("restore both databases together, or drop the foreign key first");
  }
}

RestorePlan MakePlan(Session& session, const RestoreOptions& options, const Manifest* manifest,
                     RestoreRoom room, const RunContext& run) {
  RefuseReadOnly(session);
  const HeldRights rights(session);
  rights.RefuseMissing();
  RecordBook(session).RefuseStranger();
  RefuseSilentDivergence(session, options.binlog);
  RestorePlan plan;
  plan.bytes_free = FreeBytes(session);
  const ComponentManifest* const archive = manifest == nullptr ? nullptr : manifest->Find("mysql");
  const std::map<std::string, Size> live = LiveSizes(session);
  if (archive == nullptr) {
    plan.replaced.push_back(
        {"the databases in the dump", "what the server has of them", "what the dump has"});
    return plan;
  }
  WarnAboutVersions(session, *archive, room, run);
  const ShadowSite site(options.databases);
  std::map<std::string, Size> after;
  std::vector<const ObjectEntry*> wanted_objects;
  for (const ObjectEntry& object : archive->objects) {
    if (!site.Wants(object.database)) continue;
    wanted_objects.push_back(&object);
    Size& size = after[object.database];
    if (object.digest.empty()) continue;
    ++size.tables;
    size.bytes += object.raw_bytes;
  }
  for (const std::string& wanted : options.databases) {
    if (after.contains(wanted)) continue;
    throw Error(ErrorKind::kUsage, "the archive has no database " + wanted)
        .Hint("openedx-backup inspect shows which it has");
  }
  RefuseMisfits(session, wanted_objects);
  std::vector<std::string> names;
  for (const auto& [database, size] : after) {
    RefuseClashes(session, database, live);
    names.push_back(database);
    const auto now = live.find(database);
    if (plan.bytes_free) *plan.bytes_free += BytesThatGo(live, database, room);
    plan.replaced.push_back(
        {database, now == live.end() ? "nothing" : now->second.ForPeople(), size.ForPeople()});
    const uint64_t tables_now = now == live.end() ? 0 : now->second.tables;
    PlanObjects(ReadNamedObjects(session, database), *archive,
                tables_now > size.tables ? tables_now - size.tables : 0, plan, run.warnings);
    // Pages, indexes and the log take about a third more than the rows as text.
    plan.bytes_needed += size.bytes + size.bytes / 3;
  }
  RefuseReadOnlyDatabases(session, names);
  RefuseForeignKeysInto(session, names);
  // In place the live programs go with their databases.
  const bool drops_programs = room == RestoreRoom::kBeside;
  if (drops_programs) rights.RefuseProgramsOfSystemUsers(names);
  if ((drops_programs && HasProgramsThatNeedTrust(session, names)) ||
      std::ranges::any_of(archive->objects, [&](const ObjectEntry& object) {
        return site.Wants(object.database) &&
               (object.kind == "trigger" || object.kind == "function");
      })) {
    rights.RefuseWithoutTrust();
  }
  WarnOfFullDisk(plan, room, run);
  return plan;
}

}  // namespace oxbackup::mysql
