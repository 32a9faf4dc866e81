#include "mysql/applied_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/log_line.h"
#include "mysql/quote.h"

namespace oxbackup::mysql {
namespace {

using nlohmann::json;

}  // namespace

std::string SerializeAppliedRecord(const AppliedRecord& record) {
  return DumpLine({{"archive", json::parse(SerializeApplied(record.archive))},
                   {"scope", record.scope},
                   {"tables", record.tables}});
}

std::optional<AppliedRecord> ParseAppliedRecord(std::string_view text) {
  try {
    const json object = json::parse(text);
    std::optional<AppliedArchive> archive = ParseApplied(object.at("archive").dump());
    if (!archive) return std::nullopt;
    AppliedRecord record;
    record.archive = *std::move(archive);
    object.at("scope").get_to(record.scope);
    object.at("tables").get_to(record.tables);
    return record;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::string ScopeOf(const RestoreOptions& options) {
  const std::set<std::string> databases(options.databases.begin(), options.databases.end());
  return DumpLine({{"databases", databases}, {"accounts", options.accounts}});
}

bool IsStillThere(Session& session, const AppliedRecord& record) {
  return std::ranges::all_of(record.tables, [&](const auto& database) {
    const auto& [name, tables] = database;
    if (session
            .Query("SELECT 1 FROM information_schema.SCHEMATA WHERE " + NameIs("SCHEMA_NAME", name))
            .empty()) {
      return false;
    }
    std::set<std::string> there;
    for (const Row& row : session.Query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE " +
                                        NameIs("TABLE_SCHEMA", name))) {
      there.insert(row[0].value_or(""));
    }
    return std::ranges::all_of(tables,
                               [&](const std::string& table) { return there.contains(table); });
  });
}

}  // namespace oxbackup::mysql
