#include "mysql/archive_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "mysql/packet_size.h"
#include "mysql/quote.h"

namespace oxbackup::mysql {
namespace {

std::string QualifiedName(const ObjectEntry& object) { return object.database + "." + object.name; }

void RefuseLongRows(Session& session, const std::vector<const ObjectEntry*>& objects) {
  const uint64_t limit = StatementLimit(session);
  for (const ObjectEntry* const object : objects) {
    const auto longest = object->details.find(kLongestStatement);
    if (longest == object->details.end()) continue;
    RefuseTooLong(QualifiedName(*object), ToNumber(longest->second), limit);
  }
}

void RefuseMissingTablespaces(Session& session, const std::vector<const ObjectEntry*>& objects) {
  const bool any = std::ranges::any_of(
      objects, [](const ObjectEntry* object) { return object->details.contains(kTablespaces); });
  if (!any) return;
  // Only an account with the right PROCESS may look; without it the load finds out.
  ServerError refused;
  const auto rows =
      session.TryQuery("SELECT TABLESPACE_NAME FROM information_schema.FILES", refused);
  if (!rows) return;
  std::set<std::string> present;
  for (const Row& row : *rows) present.insert(row[0].value_or(""));
  for (const ObjectEntry* const object : objects) {
    const auto names = object->details.find(kTablespaces);
    if (names == object->details.end()) continue;
    for (const std::string& name : SplitNonEmpty(names->second, ",")) {
      if (present.contains(name)) continue;
      throw Error(ErrorKind::kUsage,
                  fmt::format("the table {} lies in the tablespace {}, which this server does not "
                              "have",
                              QualifiedName(*object), name))
          .Hint(fmt::format("CREATE TABLESPACE {} ADD DATAFILE {}; then restore again",
                            QuoteName(name), QuoteString(name + ".ibd")));
    }
  }
}

}  // namespace

void RefuseMisfits(Session& session, const std::vector<const ObjectEntry*>& objects) {
  RefuseFoldedNames(session.QueryValue("SELECT @@lower_case_table_names"), objects);
  RefuseLongRows(session, objects);
  RefuseMissingTablespaces(session, objects);
}

void RefuseFoldedNames(std::string_view setting, const std::vector<const ObjectEntry*>& objects) {
  if (setting != "1") return;
  const auto has_upper = [](const std::string& name) {
    return std::ranges::any_of(name, [](char c) { return c >= 'A' && c <= 'Z'; });
  };
  for (const ObjectEntry* const object : objects) {
    const bool in_files =
        object->kind == "table" || object->kind == "view" || object->kind == "sequence";
    if (!has_upper(object->database) && !(in_files && has_upper(object->name))) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("the archive has the {} {}, and this server keeps names in lower case "
                            "(lower_case_table_names=1)",
                            object->kind, QualifiedName(*object)))
        .Hint(
            "restore into a server with lower_case_table_names=0, which can be chosen only when "
            "its data folder is made");
  }
}

}  // namespace oxbackup::mysql
